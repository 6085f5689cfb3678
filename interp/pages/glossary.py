"""What the terms of the pages mean: the one list, from which pages make their tooltips and their list of words."""

from interp.features.families import ALIKE
from interp.features.labels import F1, HARD, LIFT, SUPPORT

Term = tuple[str, str, bool]
"""Name, meaning, and whether it is about concepts (a study may have none)."""

GLOSSARY: dict[str, Term] = {
    "step": ("Step", "A position in a user’s history, counted from 0: one item that the user took.", False),
    "activation": ("Activation", "How strongly a feature is on at one step of one history; 0 is off.", False),
    "number": ("Feature", "The feature’s number in the dictionary. Numbers have no order.", False),
    "label": (
        "Label",
        "A property of items that predicts whether the feature is high (above the median of its activations). It was "
        f"tested on users, and on items, that it was not chosen on; it needs F1 {F1:g}, lift {LIFT:g}, {HARD:.2f} "
        f"against hard negatives and {SUPPORT} steps.",
        False,
    ),
    "grade": (
        "Grade",
        "What a name rests on. Tested: a label that held on unseen users and items. Correlated only (≈): the concept "
        "that it follows above chance. Unlabelled: neither.",
        False,
    ),
    "concept": ("Best concept", "The concept with which the feature’s activation correlates most.", True),
    "correlation": (
        "Correlation",
        "Pearson’s, between the feature’s activation and whether the item at that step has its best concept.",
        True,
    ),
    "unseen_items": (
        "Unseen items",
        "The feature is chosen on half of the items and measured on the other half, because a feature that detects one "
        "popular item correlates with every concept of that item. Above chance: larger than with concepts that were "
        "shuffled among equally popular items (false discovery rate 5%). Otherwise the concept is marked weak.",
        True,
    ),
    "auc": (
        "AUC",
        "The chance that the feature is higher on a step with the concept than on one without; 0.5 is a coin.",
        True,
    ),
    "sensitivity": ("Sensitivity", "The share of the steps with the concept at which the feature is on.", True),
    "effect": (
        "Causal effect",
        "How the best concept’s share of the top 10 changes when the feature is turned up by its own 99th percentile "
        "at the last step, in percentage points: half the difference between turning it up and down.",
        True,
    ),
    "density": ("Density", "The share of all steps at which the feature is on.", False),
    "max": ("Maximum", "The feature’s largest activation on the test users.", False),
    "p_top100": (
        "p_top100",
        "Of the 100 histories that light the feature up most, the share of its activation that falls on items with its "
        "best concept. Not shown where fewer than 100 histories light it.",
        True,
    ),
    "example": ("Strongest item", "The item at which the feature is highest in its strongest history.", False),
    "precision": ("Precision", "Of the steps that the label predicts, the share at which the feature is high.", False),
    "recall": ("Recall", "Of the steps at which the feature is high, the share that the label predicts.", False),
    "lift": ("Lift", "How often the label is right, as a multiple of chance.", False),
    "hard_precision": (
        "Precision, hard negatives",
        "Precision where as many steps that look alike, but at which it is not high, stand beside the high ones.",
        False,
    ),
    "turned": (
        "Turned up",
        "The feature’s 99th percentile is added to its activation at each user’s last step, and the list made with it.",
        False,
    ),
    "interval": (
        "Interval",
        "95%, over users who are drawn again: how much the number would vary with as many other users. It leaves out "
        "that another training run would give other features.",
        False,
    ),
    "ndcg@10": (
        "NDCG@10",
        "Whether the item that a user took next is in the top 10, and how high; 1 is best.",
        False,
    ),
    "hit_rate@10": ("HitRate@10", "The share of users whose next item is in the top 10.", False),
    "coverage@10": ("Coverage@10", "The share of all items that are in at least one list.", False),
    "long_tail_share@10": (
        "Long tail",
        "The share of the list that is not among the most popular items, which together have 80% of the interactions.",
        False,
    ),
    "mean_popularity@10": ("Mean popularity", "Training interactions of the items in a list, on average.", False),
    "gini@10": ("Gini index", "How unevenly lists share items out: 0 is even, 1 is one item in all lists.", False),
    "diversity@10": ("Diversity@10", "How little the lists of two users have in common; 1 is nothing.", False),
    "overlap": ("Overlap", "The share of the list before that is still in the list.", False),
    "boost": (
        "Re-ranking",
        "Raising, or lowering, the scores of all items with the concept by one amount, so that the concept gets the "
        "same share of the lists: what services do without a dictionary.",
        True,
    ),
    "family": (
        "Near-duplicates",
        f"Features whose directions have a cosine of at least {ALIKE:g} and whose activations correlate by at least "
        f"{ALIKE:g}, every two of them. The map shows a family as one point, named after the member with the best "
        "evidence.",
        False,
    ),
    "cluster": (
        "Cluster",
        "Points that lie together on the map (HDBSCAN). It has a name only if more of its points have that name than "
        "chance would give (Fisher’s exact test, false discovery rate 5%); a family counts once.",
        False,
    ),
    "neuron": (
        "Neuron",
        "One number of the recommender’s inner state, as it is: what there is without a dictionary.",
        True,
    ),
    "item_embeddings": (
        "Item embeddings",
        "What the recommender knows of an item without its history: a dictionary of the vectors that it has for items.",
        True,
    ),
    "null": (
        "Meaningless concepts",
        "Each item has the concepts of another item that is about as popular; what is measured on them is chance.",
        True,
    ),
    "standard_error": ("±", "The standard error: how much the number would vary with as many other users.", False),
    "through": (
        "NDCG@10 through the features",
        "NDCG@10 where the recommender’s inner state is replaced by what the features make of it, at all steps.",
        False,
    ),
    "site": (
        "Read at",
        "The place in the recommender whose inner state the dictionary splits; blocks.0: after its first block.",
        False,
    ),
    "l0": ("L0", "How many features are on at a step, on average.", False),
    "explained_variance": (
        "Explained variance",
        "How much of the recommender’s inner state the features account for.",
        False,
    ),
}


def meaning(name: str) -> str:
    """What a term means, by its name on a page, in whatever case, also as a plural; empty if it is not among them."""
    return next((_BY_NAME[key] for key in (name.casefold(), name.casefold().removesuffix("s")) if key in _BY_NAME), "")


_BY_NAME = {name.casefold(): text for name, text, _ in GLOSSARY.values()}
