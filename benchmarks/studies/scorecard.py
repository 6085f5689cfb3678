"""Train fourteen dictionaries in a finished study and compare them, with four baselines: the reference scorecard.

    python benchmarks/studies/scorecard.py artifacts/ml-1m artifacts/reference/ml-1m --steps 2000

Two of them are second seeds of others, so that stability is measured. Dictionaries and rows that are there already are
not made again. Scoring takes a core about 20 seconds for each.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

import interp
from interp.pages.scorecard_page import as_text, write_page
from interp.study.study import Study

# Trainer, features, sparsity (l1 or k), seed: about 16 active features of 64 neurons' activations, and about 80.
DICTIONARIES = (
    ("unsquared", 512, 0.12, 0),
    ("batch_top_k", 512, 16, 0),
    ("p_anneal", 512, 0.4, 0),
    ("jump_relu", 512, 16, 0),
    ("matryoshka", 512, 16, 0),
    ("batch_top_k", 1024, 16, 0),
    ("batch_top_k", 512, 80, 0),
    ("top_k", 512, 16, 0),
    ("batch_top_k", 256, 16, 0),
    ("gated", 512, 0.4, 0),
    ("standard", 512, 4.0, 0),
    ("unsquared", 512, 0.5, 0),
    ("batch_top_k", 512, 16, 1),
    ("unsquared", 512, 0.12, 1),
)


def main() -> None:
    """Train, score and print; the page is written into the study, the table to the other folder as well."""
    asked = arguments(__doc__, steps=4000)
    print(as_text(score(interp.open(asked.study), DICTIONARIES, asked.steps, asked.to)))


def arguments(description: str | None, steps: int) -> argparse.Namespace:
    """The study, the folder that gets the table, and how many steps each training has."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("study", type=Path)
    options.add_argument("to", type=Path)
    options.add_argument("--steps", type=int, default=steps, help="of each training")
    return options.parse_args()


def score(study: Study, dictionaries: Sequence[tuple[str, int, float, int]], steps: int, to: Path) -> pd.DataFrame:
    """Train dictionaries in a study, score all that it has, and write the scorecard into the study and a folder.

    Args:
        study: a finished study.
        dictionaries: of each the trainer, features, sparsity and seed.
        steps: of each training.
        to: the folder that gets the table.
    """
    base = replace(interp.SAEConfig(), batch_size=512, steps=steps, sparsity_warmup_steps=steps // 3)
    base = replace(base, warmup_steps=steps // 4)
    configs = [
        replace(base, trainer=trainer, n_features=n_features, seed=seed).with_sparsity(sparsity)
        for trainer, n_features, sparsity, seed in dictionaries
    ]
    home = study.folder / "dictionaries" / study.site
    interp.train(study.activations("sae"), {sae.name: sae for sae in configs}, home)
    table = interp.scorecard(study)
    to.mkdir(parents=True, exist_ok=True)
    shutil.copy(write_page(table, study.folder)[0], to)
    return table


if __name__ == "__main__":
    main()
