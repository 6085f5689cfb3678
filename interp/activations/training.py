"""Training sparse autoencoders on an activation store, several in one pass, with resume after a kill."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from interp.activations.activation_store import ActivationStore, check_spread, check_store
from interp.activations.training_loop import train_and_save
from interp.activations.training_times import record_times
from interp.activations.worker_pool import in_processes
from interp.config import SAEConfig
from interp.sae.autoencoder import KIND, Provenance, SparseAutoencoder
from interp.sae_registry import sae_kind
from recmodels import artifacts, folders, rank_tensors, ranks
from recmodels.devices import usual_device
from recmodels.errors import InputError
from recmodels.files import saving
from recmodels.locks import hold
from recmodels.paths import as_path
from recmodels.progress import tqdm
from recmodels.steady import steady

CHECKPOINTS = artifacts.Kind("checkpoints of dictionaries")


@dataclass(frozen=True)
class Training:
    """The dictionaries to train on one store.

    Attributes:
        store: the activations.
        configs: name → configuration.
        folder: where the dictionaries are written, each to `folder/<name>`.
    """

    store: ActivationStore
    configs: Mapping[str, SAEConfig]
    folder: Path

    @property
    def provenance(self) -> Provenance:
        """What the dictionaries are of."""
        return Provenance(self.store.recommender, self.store.site, self.store.fingerprint)

    @cached_property
    def todo(self) -> dict[str, SAEConfig]:
        """The configurations whose dictionaries are not there."""
        return {
            name: config
            for name, config in self.configs.items()
            if not artifacts.is_current(self.folder / name, KIND, SparseAutoencoder.inputs(config, self.provenance))
        }

    @property
    def checkpoints(self) -> Path:
        """Where unfinished dictionaries are kept."""
        return self.folder / "checkpoints"

    def check(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            InputError: no configuration, a setting that makes no sense, or activations that are all equal.
        """
        check_spread(self.store.mean, self.store.std)
        if not self.configs:
            raise InputError("no dictionaries to train: give at least one configuration")
        for config in self.configs.values():
            config.check()


def train(
    store: ActivationStore,
    configs: Mapping[str, SAEConfig],
    folder: Path | str,
    device: str | None = None,
    processes: int = 1,
    share_batches: bool = False,
) -> dict[str, SparseAutoencoder]:
    """Train one dictionary per configuration and write each to `folder/<name>`.

    Batches are drawn i.i.d. with replacement from the store, normalised by its mean and standard deviation
    (docs/paper.md, 3 and 4). A batch depends only on the seed and the step: configurations that share steps, batch
    size and seed learn from the same batches in one pass, and an interrupted run, taken up again from
    `folder/checkpoints`, ends in the same weights. Dictionaries that `folder` already holds are only loaded.

    Args:
        store: the activations.
        configs: name → configuration.
        folder: where the dictionaries are written.
        device: where to train; by default a GPU if there is one.
        processes: how many processes train dictionaries at once. Each takes its share of the threads, so that weights
            are the same to the last bit where a product does not depend on the number of threads. A script that uses
            them runs its work under `if __name__ == "__main__":`.
        share_batches: whether ranks (`recmodels.ranks`) train a dictionary together, each on its share of every batch,
            in place of a dictionary each. Weights then differ by rounding.

    Raises:
        InputError: no configuration, a setting that makes no sense, activations that are all equal, a batch that ranks
            cannot share evenly, a training that diverged, a folder that holds something else, another process that
            trains there, a process that was killed, or a full disk.
    """
    check_store(store)
    return train_all([Training(store, configs, as_path(folder))], device, processes, share_batches)[0]


def train_all(
    trainings: Sequence[Training], device: str | None = None, processes: int = 1, share_batches: bool = False
) -> list[dict[str, SparseAutoencoder]]:
    """`train` of several stores at once, so that no process waits while another trains the last one of a store."""
    for training in trainings:
        training.check()
    if ranks.count() > 1:
        _train_on_ranks(trainings, device, share_batches)
    else:
        _train_here(trainings, device, processes)
    return [{name: SparseAutoencoder.load(part.folder / name) for name in part.configs} for part in trainings]


def _train_here(trainings: Sequence[Training], device: str | None, processes: int) -> None:
    with _prepared(trainings) as at_work:
        if processes == 1:
            for part in at_work:
                for configs in _passes(part.todo):
                    record_times(part.folder, train_and_save(part.store, configs, part.folder, device))
        else:
            _train_in_processes(at_work, device, processes)


def _train_on_ranks(trainings: Sequence[Training], device: str | None, share_batches: bool) -> None:
    """Train each dictionary by itself: first those that all ranks share, then each on the next free rank.

    The first rank keeps the folders.
    """
    jobs = _largest_first(trainings)
    shared = [number for number, job in enumerate(jobs) if share_batches and sae_kind(job[2].trainer).shares_batches]
    for number in shared:
        _, name, config = jobs[number]
        if config.batch_size % ranks.count():
            raise InputError(
                f"{name} has batches of {config.batch_size}, which {ranks.count()} ranks cannot share evenly: "
                f"set sae.batch_size to a multiple of {ranks.count()}, or leave out share_batches"
            )
    with _prepared(trainings) if ranks.is_first() else nullcontext():
        ranks.barrier()
        times: dict[int, dict[str, float]] = {}

        def train_one(number: int) -> None:
            part, name, config = jobs[number]
            with saving(part.folder):
                times[number] = train_and_save(part.store, {name: config}, part.folder, device)

        with rank_tensors.connected(device or usual_device()) if shared else nullcontext():
            for number in shared:
                train_one(number)
        for number in ranks.share(sorted(set(range(len(jobs))) - set(shared))):
            train_one(number)
        for other in reversed(ranks.gather(list(times.items()))):  # the first rank's, of those that all have
            for number, seconds in other if ranks.is_first() else ():
                record_times(jobs[number][0].folder, seconds)
    ranks.barrier()


@contextmanager
def _prepared(trainings: Sequence[Training]) -> Iterator[list[Training]]:
    """Those that have something to do, with locks and folders for their checkpoints while the body runs."""
    at_work = [part for part in trainings if part.todo or folders.read_mark(part.checkpoints, str(CHECKPOINTS))]
    with ExitStack() as stack:
        for part in at_work:
            stack.enter_context(hold(part.folder / "checkpoints.lock", part.folder))
            stack.enter_context(saving(part.folder))
            for name in part.todo:
                artifacts.check_replaceable(part.folder / name, KIND)
            folders.work_in(part.checkpoints, str(CHECKPOINTS), {})
        yield at_work
        for part in at_work:
            folders.remove(part.checkpoints, str(CHECKPOINTS))


def _passes(configs: Mapping[str, SAEConfig]) -> list[dict[str, SAEConfig]]:
    """Configurations that share their batches, together."""
    passes: dict[tuple[int, int, int], dict[str, SAEConfig]] = {}
    for name, config in configs.items():
        passes.setdefault((config.steps, config.batch_size, config.seed), {})[name] = config
    return list(passes.values())


def _largest_first(trainings: Sequence[Training]) -> list[tuple[Training, str, SAEConfig]]:
    """Each dictionary that is not there, with its name, those first that take longest."""
    jobs = [(part, name, config) for part in trainings for name, config in part.todo.items()]
    return sorted(jobs, key=lambda job: -job[2].n_features * job[2].batch_size * job[2].steps)


def _train_in_processes(trainings: Sequence[Training], device: str | None, processes: int) -> None:
    """Train each dictionary by itself, the largest first; a process that is done takes the next."""
    jobs = _largest_first(trainings)
    calls = [(part.store.folder, {name: config}, part.folder, device) for part, name, config in jobs]
    with tqdm(desc=f"training {len(jobs)} dictionaries", total=len(jobs)) as bar:
        for number, seconds in in_processes(_train_of_folder, calls, processes):
            record_times(jobs[number][0].folder, seconds)
            bar.update()


def _train_of_folder(
    store: Path, configs: Mapping[str, SAEConfig], folder: Path, device: str | None
) -> dict[str, float]:
    """`train_and_save` in a process of its own, which opens the store by itself."""
    with steady():
        return train_and_save(ActivationStore.opened(store), configs, folder, device, quiet=True)
