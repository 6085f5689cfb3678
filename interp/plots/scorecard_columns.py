"""The columns of the scorecard: what each is called, what it means, and where it comes from."""

from dataclasses import dataclass
from typing import Literal

from interp.store.analysis import Table


@dataclass(frozen=True)
class Score:
    """A column of the scorecard.

    Attributes:
        key: its name in the table.
        group: the head above it on the page.
        head: its own head.
        about: what it means, in a sentence or two, with its source.
        better: whether "more" or "less" is better; empty where neither is.
        digits: decimal places on the page.
    """

    key: str
    group: str
    head: str
    about: str
    better: Literal["more", "less", ""] = "more"
    digits: int = 3


SIZE, ALIGNMENT, PROBING = "Size", "Alignment with concepts", "Sparse probing"
STABILITY, REDUNDANCY, ABSORPTION = "Same for another seed", "Redundancy", "Absorption"
ABLATION, RANKING, PLANTED, COST = "Selective ablation", "Ranking kept", "Planted", "Cost"

SCORES = (
    Score("l0", SIZE, "L0", "Features that are active at a step, on average (test users).", "", 1),
    Score("explained_variance", SIZE, "Explained variance", "Share of the layer's variance that is reconstructed."),
    Score(
        "dead",
        SIZE,
        "Dead",
        "Share of features that are active at no training step.",
        "less",
    ),
    Score("dense", SIZE, "Dense", "Share of features that are active at more than 10% of the training steps.", "less"),
    Score(
        "unseen_items",
        ALIGNMENT,
        "Unseen items",
        "Mean over concepts of the correlation of a feature that is chosen on half of the items and measured on the "
        "other half.",
    ),
    Score("unseen_items_low", ALIGNMENT, "from", "Lower end of its 95% interval, from resampling test users.", ""),
    Score("unseen_items_high", ALIGNMENT, "to", "Upper end of that interval.", ""),
    Score(
        "passed",
        ALIGNMENT,
        "Above chance",
        "Share of concepts with a feature above chance on unseen items, at a false discovery rate of 5%. Chance is "
        "what concepts give that are permuted over items of like popularity.",
        "more",
        2,
    ),
    Score(
        "unseen_both",
        ALIGNMENT,
        "Unseen items and users",
        "The same, with the feature chosen on held-out users as well, and measured on test users.",
    ),
    Score(
        "as_paper",
        ALIGNMENT,
        "As the paper",
        "Mean over concepts of the largest correlation with any feature, chosen and measured on the same steps. It "
        "grows with the number of features: read it beside its null.",
        "",
    ),
    Score(
        "null",
        ALIGNMENT,
        "Its null",
        "The same search with concepts permuted over items of like popularity: what it finds for concepts that mean "
        "nothing.",
        "",
    ),
    *(
        Score(
            f"probe_{k}",
            PROBING,
            f"{k} feature{'s' * (k > 1)}",
            f"Mean over concepts of the correlation of the concept with the probability that a logistic regression on "
            f"its best {k} feature{'s' * (k > 1)} gives. They are chosen and fitted on training users and half of the "
            "items, and measured on test users and the other half (Gurnee et al. 2023, SAEBench).",
        )
        for k in (1, 2, 5)
    ),
    Score(
        "probe_layer",
        PROBING,
        "Full layer",
        "The same for a logistic regression on all neurons of the layer: what a linear reader can know.",
        "",
    ),
    Score(
        "stable_directions",
        STABILITY,
        "Directions",
        "Mean cosine of the directions with those of the same dictionary trained from another seed, matched one to one "
        "(Hungarian method; Paulo and Belrose 2025). Blank without another seed in the run. Many directions in few "
        "dimensions match by chance: random directions show how well.",
    ),
    Score(
        "stable_activations",
        STABILITY,
        "Activations",
        "The same for the correlation of activations on test steps.",
    ),
    Score(
        "alike_directions",
        REDUNDANCY,
        "Like directions",
        "Share of live features with another one whose direction has a cosine of 0.9 or more with theirs.",
        "less",
    ),
    Score(
        "alike_activations",
        REDUNDANCY,
        "Like activations",
        "Share of live features with another one whose activation correlates by 0.9 or more.",
        "less",
    ),
    Score(
        "features_per_concept",
        REDUNDANCY,
        "Features per concept",
        "How many features a linear fit of a concept needs until one more raises its correlation on unseen items by "
        "less than 0.03, mean over concepts (feature splitting: Chanin et al. 2024).",
        "less",
        1,
    ),
    Score(
        "absorption",
        ABSORPTION,
        "Absorbed",
        "For concepts inside others, such as Animation inside Children's: share of steps with both where the features "
        "for the outer concept are silent and one other feature writes its direction instead (Chanin et al. 2024). "
        "Blank if the data have no such concepts.",
        "less",
    ),
    Score(
        "ablation_own",
        ABLATION,
        "Own probe drops",
        "How much the correlation of a concept's probe drops when the concept's five features are ablated, mean over "
        "concepts (after SAEBench's targeted probe perturbation).",
    ),
    Score("ablation_others", ABLATION, "Others drop", "How much those of all other concepts drop, on average.", "less"),
    Score("ndcg", RANKING, "NDCG@10", "Of the recommender itself, on test users.", ""),
    Score("ndcg_all", RANKING, "… all steps", "NDCG@10 with the layer replaced by its reconstruction at all steps."),
    Score("ndcg_last", RANKING, "… last step", "The same at the last step only."),
    Score("overlap_all", RANKING, "Overlap, all steps", "Share of each top 10 that stays when all steps are replaced."),
    Score("overlap_last", RANKING, "Overlap, last step", "The same for the last step only."),
    Score(
        "kl_all",
        RANKING,
        "KL, all steps",
        "Kullback-Leibler divergence in nats of the softmax of all scores from that of the recommender itself.",
        "less",
    ),
    Score("kl_last", RANKING, "KL, last step", "The same for the last step only.", "less"),
    Score(
        "recovery",
        PLANTED,
        "Recovery",
        "Share of the planted concepts that have a feature with an AUC of 0.9 or more. Only for planted data.",
        "more",
        2,
    ),
    Score(
        "minutes",
        COST,
        "Minutes",
        "Time to train, beside others. Blank for dictionaries of earlier releases.",
        "less",
        1,
    ),
)
# What each row is about.
ABOUT = "run:text site:text dictionary:text kind:text n_features:int seed:int"
TABLE = Table("scorecard", "how good a dictionary is", f"{ABOUT} {' '.join(f'{score.key}:float' for score in SCORES)}")
