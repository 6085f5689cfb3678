"""One dictionary on several ranks that share every batch, beside one rank with whole batches, on identical inputs.

    python -m benchmarks.shared_batches [--ranks 2] [--features 2048] [--width 64] [--steps 60] [--repeats 3]

Every process has one thread. Seconds are those of the optimiser's steps, medians of interleaved repeats; the largest
difference is of any weight or threshold. It needs as many processors as ranks that nothing else uses.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from interp.activations.activation_store import ActivationStore
from interp.activations.training import train
from interp.activations.training_times import training_times
from interp.config import SAEConfig
from interp.sae.autoencoder import SparseAutoencoder
from recmodels import ranks

KINDS = ("unsquared", "gated", "top_k", "batch_top_k", "matryoshka")
ROWS, BATCH = 50_000, 1024


class MemoryStore(ActivationStore):
    """A store whose activations lie in memory."""

    fingerprint = "drawn"


def main(words: list[str] | None = None) -> int:
    """Print the table; the exit status is 1 if a weight differs by more than 1e-4."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("ranks", 2), ("features", 2048), ("width", 64), ("steps", 60), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", type=Path, help="train into this folder; for itself")
    options = parser.parse_args(words)
    if options.folder:
        with ranks.joined():
            learn(options.folder, options.features, options.width, options.steps)
        return 0
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; torch {torch.__version__}")
    print(f"| trainer | one rank, ms a step | {options.ranks} ranks | faster by | largest difference |")
    print("|---|--:|--:|--:|--:|", flush=True)
    seconds: dict[tuple[int, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as home:
        for _ in range(options.repeats):
            for size in (1, options.ranks):
                folder = Path(tempfile.mkdtemp(dir=home)) / str(size)
                launch(folder, size, options)
                for name, value in training_times(folder).items():
                    seconds.setdefault((size, name), []).append(value / options.steps)
                if size == 1:
                    alone = folder
        worst = {name: difference(alone / name, folder / name) for name in KINDS}
    for name in KINDS:
        one, several = (1000 * statistics.median(seconds[size, name]) for size in (1, options.ranks))
        print(f"| {name} | {one:.1f} | {several:.1f} | {one / several:.2f} | {worst[name]:.1e} |", flush=True)
    return int(max(worst.values()) > 1e-4)


def launch(folder: Path, size: int, options: argparse.Namespace) -> None:
    """Train in one process, or under torchrun."""
    command = [sys.executable]
    if size > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
    command += ["-m", "benchmarks.shared_batches", "--folder", str(folder)]
    command += [word for name in ("features", "width", "steps") for word in (f"--{name}", str(getattr(options, name)))]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True)


def learn(folder: Path, features: int, width: int, steps: int) -> None:
    """Train a dictionary of each kind; ranks, if there are several, share batches."""
    torch.set_num_threads(1)
    x = np.random.default_rng(0).standard_normal((ROWS, width)).astype(np.float32)
    store = MemoryStore(folder, x, None, "blocks.0", "drawn", float(x.mean()), float(x.std()))
    config = SAEConfig(n_features=features, steps=steps, batch_size=BATCH, warmup_steps=5, sparsity_warmup_steps=10)
    for name in KINDS:  # one at a time, so that its seconds are its own
        train(store, {name: replace(config, trainer=name)}, folder, share_batches=True)


def difference(one: Path, other: Path) -> float:
    """The largest difference of a weight or threshold of two dictionaries."""
    a, b = (SparseAutoencoder.load(folder).dictionary.state_dict() for folder in (one, other))
    return max(float((a[key] - b[key]).abs().max()) for key in a)


if __name__ == "__main__":
    sys.exit(main())
