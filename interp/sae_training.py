"""Training sparse autoencoders on an activation store, several in one pass, with resume after a kill."""

import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tqdm.auto import tqdm

from interp.activations import ActivationStore
from interp.config import SAEConfig
from interp.sae import KIND, Provenance, SparseAutoencoder
from interp.trainers import build_trainer
from recmodels import artifacts
from recmodels.errors import InputError

SAVE_EVERY = 500  # steps between two checkpoints


def train(
    store: ActivationStore,
    configs: Mapping[str, SAEConfig],
    folder: Path,
    device: str | None = None,
) -> dict[str, SparseAutoencoder]:
    """Train one dictionary per configuration, all on the same batches, and write each to `folder/<name>`.

    Batches are drawn i.i.d. with replacement from the store, normalised by its mean and standard deviation
    (docs/paper.md, 3 and 4). A batch depends only on the seed and the step, so that an interrupted
    run, taken up again from `folder/checkpoints`, ends in the same weights. Dictionaries that `folder`
    already holds are only loaded.

    Args:
        store: the activations.
        configs: name → configuration; they share steps, batch size and seed.
        folder: where the dictionaries are written.
        device: where to train; by default a GPU if there is one.

    Raises:
        InputError: no configuration, or configurations that cannot share batches.
    """
    if not configs:
        raise InputError("no dictionaries to train: give at least one configuration")
    shared = {(c.steps, c.batch_size, c.seed) for c in configs.values()}
    if len(shared) > 1:
        raise InputError("dictionaries trained together share steps, batch_size and seed: train others apart")
    ((steps, batch_size, seed),) = shared
    provenance = Provenance(store.recommender, store.site, store.fingerprint)
    missing = {
        name: config
        for name, config in configs.items()
        if not artifacts.is_current(folder / name, KIND, SparseAutoencoder.inputs(config, provenance))
    }
    for name, trainer in _train(store, missing, folder, steps, batch_size, seed, device).items():
        dictionary = trainer.ae.cpu()
        SparseAutoencoder(dictionary, store.mean, store.std, configs[name], provenance).save(folder / name)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return {name: SparseAutoencoder.load(folder / name) for name in configs}


def _train(
    store: ActivationStore,
    configs: Mapping[str, SAEConfig],
    folder: Path,
    steps: int,
    batch_size: int,
    seed: int,
    device: str | None,
) -> dict[str, Any]:
    """The trainers of these configurations after their last step."""
    if not configs:
        return {}
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dim = store.activations.shape[1]
    trainers = {name: build_trainer(config, dim, store.site, device) for name, config in configs.items()}
    task = {"store": store.fingerprint, **{name: asdict(config) for name, config in configs.items()}}
    checkpoint = folder / "checkpoints" / f"{artifacts.json_sha256(task)[:16]}.safetensors"
    first = _restore(trainers, checkpoint) if checkpoint.is_file() else 0
    bar = tqdm(desc=f"training {len(trainers)} dictionaries", total=steps, initial=first, leave=False)
    for step in range(first, steps):
        rows = np.random.default_rng([seed, step]).integers(len(store), size=batch_size)
        # Sorted rows read the memory map in order; their order within a batch changes nothing.
        batch = torch.from_numpy(store.activations[np.sort(rows)])
        batch = (batch.to(device) - store.mean) / store.std
        for trainer in trainers.values():
            trainer.update(step, batch)
        bar.update()
        if (step + 1) % SAVE_EVERY == 0 and step + 1 < steps:
            _save(trainers, checkpoint, step + 1)
    bar.close()

    return trainers


def _state(trainer: Any) -> dict[str, torch.Tensor]:
    """Everything a trainer changes while it trains, as references to its own tensors."""
    state = {f"ae.{name}": tensor for name, tensor in trainer.ae.state_dict().items()}
    state |= {f"own.{name}": value for name, value in vars(trainer).items() if isinstance(value, torch.Tensor)}
    for index, slots in trainer.optimizer.state_dict()["state"].items():
        state |= {f"adam.{index}.{name}": tensor for name, tensor in slots.items()}
    return state


def _save(trainers: dict[str, Any], path: Path, step: int) -> None:
    tensors = {
        f"{name}/{key}": tensor.detach().cpu().contiguous()
        for name, trainer in trainers.items()
        for key, tensor in _state(trainer).items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors | {"step": torch.tensor(step)}, partial)
    partial.replace(path)


def _restore(trainers: dict[str, Any], path: Path) -> int:
    """Put checkpointed tensors back into fresh trainers and return the step to go on with."""
    tensors = load_file(path)
    step = int(tensors.pop("step"))
    for name, trainer in trainers.items():
        mine = {key.removeprefix(f"{name}/"): t for key, t in tensors.items() if key.startswith(f"{name}/")}
        trainer.ae.load_state_dict({k.removeprefix("ae."): t for k, t in mine.items() if k.startswith("ae.")})
        for key, tensor in mine.items():
            if key.startswith("own."):
                setattr(trainer, key.removeprefix("own."), tensor.to(trainer.device))
        slots: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in mine.items():
            if key.startswith("adam."):
                _, index, slot = key.split(".")
                slots.setdefault(int(index), {})[slot] = tensor
        groups = trainer.optimizer.state_dict()["param_groups"]
        trainer.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        with warnings.catch_warnings():
            # torch wants optimizer.step() before scheduler.step(); here the steps were taken earlier.
            warnings.simplefilter("ignore")
            for _ in range(step):
                trainer.scheduler.step()
    return step
