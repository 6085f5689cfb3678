"""Training sparse autoencoders on an activation store, several in one pass, with resume after a kill."""

import hashlib
import json
import logging
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from scipy import sparse
from tqdm.auto import tqdm

from interp.activations.activation_store import ActivationStore, check_spread
from interp.activations.training_times import record_times
from interp.sae.autoencoder import KIND, Provenance, SparseAutoencoder
from interp.sae.trainers import build_trainer
from interp.sae_config import SAEConfig
from recmodels import artifacts, folders
from recmodels.config_keys import config_key
from recmodels.errors import InputError
from recmodels.files import saving
from recmodels.locks import hold
from recmodels.paths import as_path

log = logging.getLogger(__name__)
CHECKPOINTS = artifacts.Kind("checkpoints of dictionaries")
SAVE_EVERY = 500  # steps between two checkpoints


def train(
    store: ActivationStore,
    configs: Mapping[str, SAEConfig],
    folder: Path | str,
    device: str | None = None,
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

    Raises:
        InputError: no configuration, a setting that makes no sense, activations that are all equal, a training that
            diverged, a folder that holds something else, another process that trains there, or a full disk.
    """
    folder = as_path(folder)
    check_spread(store.mean, store.std)
    if not configs:
        raise InputError("no dictionaries to train: give at least one configuration")
    provenance = Provenance(store.recommender, store.site, store.fingerprint)
    passes: dict[tuple[int, int, int], dict[str, SAEConfig]] = {}
    for name, config in configs.items():
        config.check()
        if not artifacts.is_current(folder / name, KIND, SparseAutoencoder.inputs(config, provenance)):
            passes.setdefault((config.steps, config.batch_size, config.seed), {})[name] = config
    checkpoints = folder / "checkpoints"
    if passes or folders.read_mark(checkpoints, str(CHECKPOINTS)):
        with hold(folder / "checkpoints.lock", folder), saving(folder):
            _train_passes(store, passes, provenance, folder, device)
    return {name: SparseAutoencoder.load(folder / name) for name in configs}


def _train_passes(
    store: ActivationStore,
    passes: Mapping[tuple[int, int, int], Mapping[str, SAEConfig]],
    provenance: Provenance,
    folder: Path,
    device: str | None,
) -> None:
    """Train pass by pass, and write every dictionary at the end of its pass."""
    checkpoints = folder / "checkpoints"
    for configs in passes.values():
        for name in configs:
            artifacts.check_replaceable(folder / name, KIND)
    folders.work_in(checkpoints, str(CHECKPOINTS), {})
    for configs in passes.values():
        trainers, seconds = _train(store, configs, checkpoints, device)
        record_times(folder, seconds)
        for name, trainer in trainers.items():
            dictionary = trainer.ae.cpu()
            if not all(tensor.isfinite().all() for tensor in dictionary.state_dict().values()):
                raise InputError(f"the training of {name} diverged: lower sae.learning_rate")
            SparseAutoencoder(dictionary, store.mean, store.std, configs[name], provenance).save(folder / name)
    folders.remove(checkpoints, str(CHECKPOINTS))


def _train(
    store: ActivationStore, configs: Mapping[str, SAEConfig], checkpoints: Path, device: str | None
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
    checkpoint = checkpoints / f"{artifacts.json_sha256(task)[:16]}.safetensors"
    first = _resume(trainers, checkpoint)
    seconds = dict.fromkeys(trainers, 0.0)
    bar = tqdm(desc=f"training {len(trainers)} dictionaries", total=shared.steps, initial=first, leave=False)
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
            _save(trainers, checkpoint, step + 1)
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


def _tensors(trainer: Any) -> dict[str, torch.Tensor]:
    """Every tensor that a trainer changes while it trains, as references to its own."""
    state = {f"ae/{name}": tensor for name, tensor in trainer.ae.state_dict().items()}
    state |= {f"own/{name}": value for name, value in vars(trainer).items() if isinstance(value, torch.Tensor)}
    optimizer = getattr(trainer, "optimizer", None)  # a trainer from another package may have none
    for index, slots in optimizer.state_dict()["state"].items() if optimizer else ():
        state |= {f"adam/{index}.{name}": tensor for name, tensor in slots.items()}
    return state


def _numbers(trainer: Any) -> dict[str, Any]:
    """Everything else that it may change: counters, and the coefficients of p_anneal with their history."""
    plain = (int, float, list, type(None))
    return {name: value for name, value in vars(trainer).items() if isinstance(value, plain)}


def _device(trainer: Any) -> torch.device:
    return next(trainer.ae.parameters()).device


def _save(trainers: dict[str, Any], path: Path, step: int) -> None:
    tensors = {
        f"{name}/{key}": tensor.detach().cpu().contiguous()
        for name, trainer in trainers.items()
        for key, tensor in _tensors(trainer).items()
    }
    numbers = {name: _numbers(trainer) for name, trainer in trainers.items()}
    about = {"step": json.dumps(step), "numbers": json.dumps(numbers)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    save_file(tensors, partial, metadata=about | {"sha256": _checksum(tensors, about)})
    partial.replace(path)


def _checksum(tensors: dict[str, torch.Tensor], about: Mapping[str, str]) -> str:
    """SHA-256 of all that a checkpoint holds."""
    digest = hashlib.sha256(json.dumps([about["step"], about["numbers"]]).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _resume(trainers: dict[str, Any], path: Path) -> int:
    """`_restore`, or step 0 if there is no checkpoint or it is damaged; the log then says so in one line."""
    folders.refuse_link(path)
    if not path.exists():
        return 0
    try:
        return _restore(trainers, path)
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as damage:
        log.warning("%s is damaged (%s): the training begins again", path, damage)
        path.unlink()
        return 0


def _restore(trainers: dict[str, Any], path: Path) -> int:
    """Load a checkpoint into fresh trainers and return the step to resume at."""
    with safe_open(path, "pt") as file:
        about = file.metadata() or {}
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    if about.get("sha256") != _checksum(tensors, about):
        raise ValueError("its checksum differs")
    # The checkpoint is valid from here on: trainers are restored completely, or not at all.
    step, numbers = json.loads(about["step"]), json.loads(about["numbers"])
    state: dict[str, dict[str, dict[str, torch.Tensor]]] = {}
    for key, tensor in tensors.items():
        name, kind, rest = key.rsplit("/", 2)
        state.setdefault(name, {}).setdefault(kind, {})[rest] = tensor
    for name, trainer in trainers.items():
        trainer.ae.load_state_dict(state[name]["ae"])
        vars(trainer).update(numbers[name])
        vars(trainer).update({key: tensor.to(_device(trainer)) for key, tensor in state[name].get("own", {}).items()})
        slots: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in state[name].get("adam", {}).items():
            index, slot = key.split(".")
            slots.setdefault(int(index), {})[slot] = tensor
        if hasattr(trainer, "optimizer"):
            groups = trainer.optimizer.state_dict()["param_groups"]
            trainer.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        with warnings.catch_warnings():
            # torch wants optimizer.step() before scheduler.step(); here the steps were taken earlier.
            warnings.simplefilter("ignore")
            for _ in range(step if hasattr(trainer, "scheduler") else 0):
                trainer.scheduler.step()
    return step
