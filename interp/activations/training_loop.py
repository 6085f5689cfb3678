"""The steps of training dictionaries that share their batches; ranks that are together share every batch."""

import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from interp.activations import checkpoints
from interp.activations.activation_store import ActivationStore
from interp.config import SAEConfig
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae.trainers import build_trainer
from recmodels import artifacts, rank_tensors, ranks
from recmodels.config_keys import config_key
from recmodels.devices import usual_device
from recmodels.errors import InputError
from recmodels.progress import tqdm

SAVE_EVERY = 500  # steps between two checkpoints


def train_and_save(
    store: ActivationStore, configs: Mapping[str, SAEConfig], folder: Path, device: str | None, quiet: bool = False
) -> dict[str, float]:
    """Train configurations that share their batches, write their dictionaries, and return the seconds of each.

    Ranks that are here together (`recmodels.ranks`) share every batch, and the first writes.

    Args:
        store: the activations.
        configs: name → configuration, all with the same steps, batch size and seed.
        folder: where the dictionaries are written, each to `folder/<name>`; checkpoints lie in `folder/checkpoints`.
        device: where to train; by default a GPU if there is one.
        quiet: whether no bar is drawn.

    Raises:
        InputError: the training diverged.
    """
    trainers, seconds = _train(store, configs, folder / "checkpoints", device or usual_device(), quiet)
    provenance = Provenance(store.recommender, store.site, store.fingerprint)
    for name, trainer in trainers.items():
        dictionary = trainer.ae.cpu()
        if not all(tensor.isfinite().all() for tensor in dictionary.state_dict().values()):
            raise InputError(f"the training of {name} diverged: lower sae.learning_rate")
        if ranks.is_first():
            SparseAutoencoder(dictionary, store.mean, store.std, configs[name], provenance).save(folder / name)
    return seconds


def _train(
    store: ActivationStore, configs: Mapping[str, SAEConfig], folder: Path, device: str, quiet: bool
) -> tuple[dict[str, Any], dict[str, float]]:
    """The trainers of configurations that share their batches, after their last step, and the seconds that each took.

    Of a run that was resumed, the seconds of the steps that are not timed follow from those that are.
    """
    shared = next(iter(configs.values()))
    dim = store.activations.shape[1]
    trainers = {name: build_trainer(config, dim, device) for name, config in configs.items()}
    means = _item_means(store, trainers)
    task = {"store": store.fingerprint, **{name: config_key(config.complete()) for name, config in configs.items()}}
    checkpoint = folder / f"{artifacts.json_sha256(task)[:16]}.safetensors"
    with ranks.first_before_others():
        first = checkpoints.resume(trainers, checkpoint)
    ranks.agree("another checkpoint", str(first))
    if ranks.count() > 1:
        for trainer in trainers.values():
            rank_tensors.average_gradients(trainer.ae)
    seconds = dict.fromkeys(trainers, 0.0)
    text = f"training {len(trainers)} dictionaries"
    bar = tqdm(desc=text, total=shared.steps, initial=first, disable=quiet or None)
    for step in range(first, shared.steps):
        # Sorted rows read the memory map in order; their order within a batch changes nothing.
        rows = np.sort(np.random.default_rng([shared.seed, step]).integers(len(store), size=shared.batch_size))
        # Of the first batch trainers take medians and the like: each rank takes that step by itself.
        with rank_tensors.shared_batch(rows) if step else nullcontext(rows) as own:
            batch = (torch.from_numpy(store.activations[own]).to(device) - store.mean) / store.std
            for name, trainer in trainers.items():
                start = time.perf_counter()
                if means is not None and getattr(trainer, "reads_item_means", False):
                    of_items = torch.from_numpy(means[0][means[1][own]]).to(device)
                    trainer.update(step, batch, (of_items - store.mean) / store.std)
                else:
                    trainer.update(step, batch)
                seconds[name] += time.perf_counter() - start
        bar.update()
        if (step + 1) % SAVE_EVERY == 0 and step + 1 < shared.steps:
            if ranks.is_first():
                checkpoints.save(trainers, checkpoint, step + 1)
            ranks.barrier()
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
