"""How many of 40 planted concepts dictionaries recover, over their size and their active features.

    python benchmarks/studies/planted.py artifacts/planted-40 artifacts/reference/planted-40

makes a study of synthetic data with 40 concepts, trains more dictionaries in it, and writes their scorecard. A concept
is recovered by a dictionary if one of its features tells the steps with the concept from the others with an AUC of 0.9
or more, on test users. What is there already is not made again.
"""

from dataclasses import replace

from scorecard import arguments, score

import interp
from interp.presets import PRESETS
from recmodels.datasets.planted import PlantedConfig, load

CONCEPTS = 40
# Trainer, features, sparsity (l1 or k), seed.
DICTIONARIES = (
    *(("batch_top_k", n_features, k, 0) for n_features in (64, 128, 256, 512) for k in (4, 8, 16)),
    ("top_k", 256, 16, 0),
    ("jump_relu", 256, 16, 0),
    ("matryoshka", 256, 16, 0),
    ("p_anneal", 256, 0.4, 0),
    ("unsquared", 256, 0.4, 0),
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
    asked = arguments(__doc__, steps=2000)
    config = replace(PRESETS["planted"][1], out=asked.study, baselines="none")
    study = interp.run(config, load(PlantedConfig(concepts=CONCEPTS)))
    print(score(study, DICTIONARIES, asked.steps, asked.to)[SHOWN].round(3).to_string(index=False))


if __name__ == "__main__":
    main()
