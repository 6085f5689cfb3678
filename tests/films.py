"""A planted world whose items and concepts are called as MovieLens's are: what README, docs and notebooks speak of."""

from dataclasses import replace

import pandas as pd
from small import TRAINING

from interp.config import StudyConfig
from interp.sae_config import SAEConfig
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.interactions import Dataset

GENRES = ["Horror", "Comedy", "Sci-Fi", "Drama", "Action", "Children's", "Romance", "Western"]
# What the prose says of films: ids of MovieLens, so that its horror films are of the planted Horror.
HORROR = [200, 219, 183]
NAMED = {1, 71, 95, 588}

# A study of them takes seconds.
CONFIG = StudyConfig(
    training=replace(TRAINING, max_epochs=3),
    sae=SAEConfig(n_features=32, steps=200, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100),
    steered=("Horror",),
    values=(-4.0, 0.0, 4.0),
)


def films():
    """Concepts as genres, and ids from 1 to 600 of which the ones in `HORROR` have the first genre."""
    planted = load(PlantedConfig(users=300, items=120, concepts=8, mean_length=20, drift=0.05))
    items = planted.items
    names = {concept: GENRES[int(concept[-2:])] for concept in sorted({c for row in items["concepts"] for c in row})}
    first = items.index[[row[0] == "concept-00" for row in items["concepts"]]][: len(HORROR)]
    others = iter(sorted(set(range(1, 600)) - set(HORROR), key=lambda number: (number not in NAMED, number)))
    ids = dict(zip(first, HORROR, strict=True))
    ids |= {item: next(others) for item in items.index if item not in ids}
    return Dataset(
        "ml-100k",
        planted.interactions.assign(item=planted.interactions["item"].map(ids)),
        pd.DataFrame(
            {
                "title": items["title"].to_numpy(),
                "genres": [tuple(names[concept] for concept in row) for row in items["concepts"]],
            },
            index=pd.Index([ids[item] for item in items.index], name="item"),
        ),
        "genres",
    )
