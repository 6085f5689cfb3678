"""Training sparse autoencoders on an activation store, several in one pass, with resume after a kill."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from interp.activations import checkpoints
from interp.activations.activation_store import ActivationStore, check_spread, check_store
from interp.activations.training_times import record_times
from interp.activations.worker_pool import in_processes
from interp.config import SAEConfig
from interp.sae.autoencoder import KIND, Provenance, SparseAutoencoder
from interp.sae.trainers import build_trainer
from recmodels import artifacts, folders, ranks
from recmodels.config_keys import config_key
from recmodels.errors import InputError
from recmodels.files import saving
from recmodels.locks import hold
from recmodels.paths import as_path
from recmodels.progress import tqdm
from recmodels.steady import steady

CHECKPOINTS = artifacts.Kind("checkpoints of dictionaries")
SAVE_EVERY = 500  # steps between two checkpoints


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

    Raises:
        InputError: no configuration, a setting that makes no sense, activations that are all equal, a training that
            diverged, a folder that holds something else, another process that trains there, a process that was killed,
            or a full disk.
    """
    check_store(store)
    return train_all([Training(store, configs, as_path(folder))], device, processes)[0]


def train_all(
    trainings: Sequence[Training], device: str | None = None, processes: int = 1
) -> list[dict[str, SparseAutoencoder]]:
    """`train` of several stores at once, so that no process waits while another trains the last one of a store."""
    for training in trainings:
        training.check()
    if ranks.count() > 1:
        _train_on_ranks(trainings, device)
    else:
        _train_here(trainings, device, processes)
    return [{name: SparseAutoencoder.load(part.folder / name) for name in part.configs} for part in trainings]


def _train_here(trainings: Sequence[Training], device: str | None, processes: int) -> None:
    with _prepared(trainings) as at_work:
        if processes == 1:
            for part in at_work:
                for configs in _passes(part.todo):
                    record_times(part.folder, _train_and_save(part.store, configs, part.folder, device))
        else:
            _train_in_processes(at_work, device, processes)


def _train_on_ranks(trainings: Sequence[Training], device: str | None) -> None:
    """Train each dictionary by itself on the next free rank; the first rank keeps the folders."""
    jobs = _largest_first(trainings)
    with _prepared(trainings) if ranks.is_first() else nullcontext():
        ranks.barrier()
        times: dict[int, dict[str, float]] = {}
        for number in ranks.share(range(len(jobs))):
            part, name, config = jobs[number]
            with saving(part.folder):
                times[number] = _train_and_save(part.store, {name: config}, part.folder, device)
        for other in ranks.gather(list(times.items())):
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
    """`_train_and_save` in a process of its own, which opens the store by itself."""
    with steady():
        return _train_and_save(ActivationStore.opened(store), configs, folder, device, quiet=True)


def _train_and_save(
    store: ActivationStore, configs: Mapping[str, SAEConfig], folder: Path, device: str | None, quiet: bool = False
) -> dict[str, float]:
    """Train configurations that share their batches, write their dictionaries, and return the seconds of each."""
    trainers, seconds = _train(store, configs, folder / "checkpoints", device, quiet)
    provenance = Training(store, configs, folder).provenance
    for name, trainer in trainers.items():
        dictionary = trainer.ae.cpu()
        if not all(tensor.isfinite().all() for tensor in dictionary.state_dict().values()):
            raise InputError(f"the training of {name} diverged: lower sae.learning_rate")
        SparseAutoencoder(dictionary, store.mean, store.std, configs[name], provenance).save(folder / name)
    return seconds


def _train(
    store: ActivationStore, configs: Mapping[str, SAEConfig], folder: Path, device: str | None, quiet: bool
) -> tuple[dict[str, Any], dict[str, float]]:
    """The trainers of configurations that share their batches, after their last step, and the seconds that each took.

    Of a run that was resumed, the seconds of the steps that are not timed follow from those that are.
    """
    shared = next(iter(configs.values()))
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dim = store.activations.shape[1]
    trainers = {name: build_trainer(config, dim, device) for name, config in configs.items()}
    means = _item_means(store, trainers)
    task = {"store": store.fingerprint, **{name: config_key(config.complete()) for name, config in configs.items()}}
    checkpoint = folder / f"{artifacts.json_sha256(task)[:16]}.safetensors"
    first = checkpoints.resume(trainers, checkpoint)
    seconds = dict.fromkeys(trainers, 0.0)
    text = f"training {len(trainers)} dictionaries"
    bar = tqdm(desc=text, total=shared.steps, initial=first, disable=quiet or None)
    for step in range(first, shared.steps):
        rows = np.random.default_rng([shared.seed, step]).integers(len(store), size=shared.batch_size)
        # Sorted rows read the memory map in order; their order within a batch changes nothing.
        batch = torch.from_numpy(store.activations[np.sort(rows)])
        batch = (batch.to(device) - store.mean) / store.std
        for name, trainer in trainers.items():
            start = time.perf_counter()
            if means is not None and getattr(trainer, "reads_item_means", False):
                of_items = torch.from_numpy(means[0][means[1][np.sort(rows)]]).to(device)
                trainer.update(step, batch, (of_items - store.mean) / store.std)
            else:
                trainer.update(step, batch)
            seconds[name] += time.perf_counter() - start
        bar.update()
        if (step + 1) % SAVE_EVERY == 0 and step + 1 < shared.steps:
            checkpoints.save(trainers, checkpoint, step + 1)
    bar.close()
    return trainers, {name: total * shared.steps / (shared.steps - first) for name, total in seconds.items()}


def _item_means(store: ActivationStore, trainers: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean activations of each item, float32 [i, d], and the item of each row, int [n], if a trainer reads them."""
    if store.rows is None or not any(getattr(trainer, "reads_item_means", False) for trainer in trainers.values()):
        return None
    codes, items = pd.factorize(store.rows["item"])
    total, size = np.zeros((len(items), store.activations.shape[1])), 65536
    for start in range(0, len(store), size):
        part = codes[start : start + size]
        indicator = sparse.csr_array((np.ones(len(part)), (part, np.arange(len(part)))), (len(items), len(part)))
        total += indicator @ store.activations[start : start + size]
    return (total / np.bincount(codes)[:, None]).astype(np.float32), codes
