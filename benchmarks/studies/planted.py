"""How many of 40 planted concepts dictionaries recover, over their size and their active features.

    python benchmarks/studies/planted.py artifacts/planted-40 artifacts/reference/planted-40

makes a study of synthetic data with 40 concepts, trains more dictionaries in it, and writes their scorecard. A concept
is recovered by a dictionary if one of its features tells the steps with the concept from the others with an AUC of 0.9
or more, on test users. What is there already is not made again.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import interp
from interp.pages.scorecard_page import write_page
from interp.presets import PRESETS
from recmodels.console import say
from recmodels.datasets.planted import PlantedConfig, load

CONCEPTS = 40
# Trainer, features, sparsity (l1 or k).
DICTIONARIES = (
    *(("batch_top_k", n_features, k) for n_features in (64, 128, 256, 512) for k in (4, 8, 16)),
    ("top_k", 256, 16),
    ("jump_relu", 256, 16),
    ("matryoshka", 256, 16),
    ("p_anneal", 256, 0.4),
    ("unsquared", 256, 0.4),
)
SHOWN = [
    "dictionary",
    "l0",
    "explained_variance",
    "dead",
    "unseen_items",
    "probe_1",
    "probe_layer",
    "recovery",
    "minutes",
]


def main() -> None:
    """Make the study, train, score and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("study", type=Path)
    options.add_argument("to", type=Path)
    options.add_argument("--steps", type=int, default=2000, help="of each training")
    asked = options.parse_args()
    config = replace(PRESETS["planted"][1], out=asked.study, baselines="none")
    study = interp.run(config, load(PlantedConfig(concepts=CONCEPTS)))
    base = replace(interp.SAEConfig(), batch_size=512, steps=asked.steps, warmup_steps=asked.steps // 4)
    base = replace(base, sparsity_warmup_steps=asked.steps // 3)
    configs = [
        replace(base, trainer=trainer, n_features=n_features).with_sparsity(sparsity)
        for trainer, n_features, sparsity in DICTIONARIES
    ]
    home = study.folder / "dictionaries" / study.site
    interp.train(study.activations("sae"), {sae.name: sae for sae in configs}, home)
    table = interp.scorecard(study)
    say(table[SHOWN].round(3).to_string(index=False))
    asked.to.mkdir(parents=True, exist_ok=True)
    shutil.copy(write_page(table, study.folder)[0], asked.to)


if __name__ == "__main__":
    main()
