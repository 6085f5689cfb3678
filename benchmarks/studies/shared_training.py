"""Recommenders that ranks train together, against one rank, where dropout and hidden items are drawn.

    python -m benchmarks.studies.shared_training [--ranks 2] [--seeds 5]

trains GPTRec and BERT4Rec on planted data with each seed, once in one process and once under torchrun with shared
batches, and prints NDCG@10 of the held-out users at the best epoch: means over seeds with 95% intervals (Student's t),
and the paired difference, as trainings of one seed have the same initial weights and the same batches. Every process
has one thread. Seconds are those of all trainings of a model; they mean something only where as many processors as
ranks are free. Without dropout nothing is drawn, and only rounding differs, which Adam enlarges step by step.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from recmodels import ranks
from recmodels.config import TrainingConfig
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.ranking import evaluate
from recmodels.recommender import Recommender
from recmodels.splits import paper_split
from recmodels.training import fit, validation_prefixes

DATA = PlantedConfig(users=800, items=200, concepts=8, mean_length=24, drift=0.05)
CONFIG = TrainingConfig(
    max_history=32,
    hidden_size=32,
    num_hidden_layers=2,
    windows="all",
    learning_rate=3e-3,
    batch_size=32,
    max_epochs=60,
)
VARIANTS = {
    "GPTRec": CONFIG,
    "BERT4Rec": replace(CONFIG, model="bert4rec"),
    "GPTRec without dropout": replace(CONFIG, dropout=0.0),
}


def main(words: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="train into this folder; for itself")
    options = parser.parse_args(words)
    if options.folder:
        with ranks.joined():
            train(options.folder, options.seeds)
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; torch {torch.__version__}")
    print(f"| model | one rank | {options.ranks} ranks | difference | seconds | processor seconds of a rank |")
    print("|---|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as home:
        alone, shared = Path(home, "1"), Path(home, "several")
        launch(alone, 1, options.seeds)
        launch(shared, options.ranks, options.seeds)
        for name in VARIANTS:
            one, several = ndcg(alone / name, options.seeds), ndcg(shared / name, options.seeds)
            cells = [interval(one), interval(several), interval(several - one)]
            times = [json.loads((folder / name / "times.json").read_text()) for folder in (alone, shared)]
            cells += [f"{times[0][place]:.0f} → {times[1][place]:.0f}" for place in (0, 1)]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def launch(folder: Path, size: int, seeds: int) -> None:
    """Train in one process, or under torchrun."""
    command = [sys.executable]
    if size > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
    command += ["-m", "benchmarks.studies.shared_training", "--folder", str(folder), "--seeds", str(seeds)]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def train(folder: Path, seeds: int) -> None:
    """Train every variant with every seed; ranks, if there are several, share batches."""
    torch.set_num_threads(1)
    split = paper_split(load(DATA).interactions)
    for name, config in VARIANTS.items():
        start, used = time.perf_counter(), time.process_time()
        for seed in range(seeds):
            own, place = replace(config, seed=seed), folder / name / str(seed)
            fit(split.recommender, split.validation, own, place, split.vocabulary, share_batches=True)
        used = max(ranks.gather(time.process_time() - used))
        if ranks.is_first():
            (folder / name / "times.json").write_text(json.dumps([time.perf_counter() - start, used]))


def ndcg(folder: Path, seeds: int) -> np.ndarray:
    """NDCG@10 of the held-out users, by which training stopped: [seed]."""
    split = paper_split(load(DATA).interactions)
    values = []
    for seed in range(seeds):
        recommender = Recommender.load(folder / str(seed))
        train, held_out = recommender.histories(split.recommender), recommender.histories(split.validation)
        prefixes = validation_prefixes(held_out, CONFIG.validation_items, train)
        values.append(evaluate(recommender.score, prefixes, np.arange(len(recommender.vocabulary)))["ndcg@10"])
    return np.array(values)


def interval(values: np.ndarray) -> str:
    """The mean and its 95% interval."""
    half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return f"{values.mean():.4f} ± {half:.4f}".replace("-", "−")


if __name__ == "__main__":
    main()
