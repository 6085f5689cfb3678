"""How fast top-k dictionaries train here and with other libraries: one, and a grid of 8.

All start from the same weights, whose reconstruction of a batch is compared first, and learn from the same batches at
the same rate with Adam. `trainSAE` of dictionary_learning computes what we do, and must end where we do; the others
have other losses and limits of the gradient, so that the share of the variance that each explains after these few steps
is told, not judged. `trainSAE` loops over trainers; of SAELens the public step of its trainer is
taken; sparsify's trainer reads activations only from a language model, so its step is written out
(benchmarks/peers/train_sae.py).
"""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.dictionaries import CONFIG, WIDTH, batches
from benchmarks.peer import Missing, Peer, peer
from benchmarks.timing import Row, Way, checked, compare, left_out
from interp.config import SAEConfig
from interp.sae.trainers import build_trainer

# What a row is called → library of the script, environment.
LIBRARIES = {
    "dictionary_learning.trainSAE": ("dictionary_learning", "dictionary-learning"),
    "SAELens": ("saelens", "saelens"),
    "sparsify": ("sparsify", "sparsify"),
}
LARGEST = 1e-4  # difference of a reconstruction by the same weights
SAME = 1e-3  # difference of the explained variance from that of the same computation


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """All rows: one dictionary, and eight."""
    torch.set_num_threads(1)
    config = replace(CONFIG, trainer="top_k", warmup_steps=0, steps=1000, learning_rate=1e-3)
    if small:
        config = replace(config, n_features=128, batch_size=128)
    source = batches(config)
    data = torch.stack([next(source) for _ in range(10 if small else 20)])
    return [row for count in (1, 8) for row in side_by_side(config, data, count, repeats if count == 1 else 1)]


def side_by_side(config: SAEConfig, data: torch.Tensor, count: int, repeats: int) -> list[Row]:
    """Train `count` dictionaries on batches [s, b, d], each way from the start."""
    names = "a dictionary" if count == 1 else f"{count} dictionaries"
    work = f"{len(data)} steps of {names}, top_k, {config.n_features} features, batches of {config.batch_size}"
    explained = 0.0

    def ours() -> None:
        nonlocal explained
        trainers = [build_trainer(config, WIDTH) for _ in range(count)]
        for step, batch in enumerate(data):
            for trainer in trainers:
                trainer.update(step, batch)
        explained = share_explained(trainers[0].ae, data[-1])

    ways: dict[str, Way] = {"ours": ours}
    peers: dict[str, Peer] = {}
    missing: list[Row] = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        path = Path(name) / "inputs.npz"
        write_inputs(path, config, data)
        for label, (library, environment) in LIBRARIES.items():
            try:
                process = peer(environment, "train_sae.py", library, path, count)
                ways[label] = peers[label] = stack.enter_context(process)
            except Missing as reason:
                missing.append(left_out(work, label, str(reason)))
        result = compare(work, ways, repeats)
    result = checked(result, "ours", bool(np.isfinite(explained)), explained=explained)
    for label, process in peers.items():
        apart, theirs = process.answer["apart"], process.answer["explained"]
        ok = apart <= LARGEST and (LIBRARIES[label][0] != "dictionary_learning" or abs(explained - theirs) <= SAME)
        result = checked(result, label, ok, explained=theirs, same_weights_reconstruct_to=apart)
    return [*result, *missing]


@torch.no_grad()
def write_inputs(path: Path, config: SAEConfig, data: torch.Tensor) -> None:
    """What a peer starts from."""
    ae = build_trainer(config, WIDTH).ae
    np.savez(
        path,
        batches=data.numpy(),
        encoder=ae.encoder.weight.numpy(),
        decoder=ae.decoder.weight.T.numpy(),
        reconstruction=ae(data[0]).numpy(),
        k=config.k,
        lr=config.learning_rate,
        steps=config.steps,
        seed=config.seed,
    )


@torch.no_grad()
def share_explained(ae: torch.nn.Module, x: torch.Tensor) -> float:
    """Share of the variance of activations [b, d] that a dictionary explains."""
    return float(1 - (x - ae(x)).square().sum() / (x - x.mean(0)).square().sum())
