"""Whether labels hold on items that they were not learnt from.

A feature that detects one popular film is active at steps of its genre, its decade and its series, so any of these may
seem to be its label. On other items the label then fails. So labels are learnt again on one half of the items, from
training users, and scored on the other half, on unseen users, in turn and for several pairs of halves. A detector of
one film passes on at most the half of them that does not hold the film while the label is learnt.

A label that is a single film cannot hold on others; it is a kind of its own, and says so.
"""

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.concepts.item_folds import item_halves, popularity_deciles
from interp.features.item_activity import ItemCounts, of_items
from interp.features.labels import SEED, choose, score
from interp.features.predicates import ITEM, Predicates
from recmodels.progress import tqdm

REPEATS = 10  # pairs of halves


def label_halves(items: pd.Index, concepts: Concepts, steps: pd.Series) -> np.ndarray:
    """Pairs of halves of some items, balanced by concept and popularity: bool [repeat, item], True for the first half.

    Args:
        items: which.
        concepts: what they have.
        steps: how many steps each has, by item id; items may lack.
    """
    deciles = popularity_deciles(steps.reindex(items, fill_value=0).to_numpy())
    return item_halves(concepts.labels(items), deciles, REPEATS, np.random.default_rng(SEED))


def share_of_halves(single: Predicates, item_counts: ItemCounts, halves: np.ndarray) -> np.ndarray:
    """The share of halves of the items on which each feature has a label that holds on the other half: float [f].

    Args:
        single: the predicates on items.
        item_counts: when features are active.
        halves: bool [repeat, item], True for the first half of the items of `single`
            (`interp.concepts.item_folds.item_halves`).
    """
    general = single.select(np.flatnonzero(single.kinds != ITEM))
    passes = np.zeros(item_counts.unseen.active.shape[0])
    folds = [half for first in halves for half in (first, ~first)]
    for half in tqdm(folds, desc="labelling on halves of the items", unit="half"):
        labels = choose(item_counts.training.only(general.items[half]), general, item_counts.unseen.items)
        passes += hold_on(general.items[~half], labels.fits, item_counts)
    return passes / max(len(folds), 1)


def hold_on(items: pd.Index, fits: np.ndarray, item_counts: ItemCounts) -> np.ndarray:
    """Whether labels [f, v] pass on the steps of these items alone, on unseen users: bool [f]."""
    unseen = item_counts.unseen
    hard = of_items(item_counts.hard, unseen.items.isin(items))
    return score(fits, unseen.only(items), hard)["labelled"].to_numpy()
