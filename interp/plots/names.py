"""Display names, the same on every page and in every figure."""

# Kinds of recommenders.
MODELS = {"gptrec": "GPTRec", "bert4rec": "BERT4Rec"}
# What the bands of a feature's histories are called, and what they are.
BANDS = {
    "strongest": ("Strongest", "the histories with its highest peaks"),
    "middle": ("Middle", "around the median of all histories in which it is ever on"),
    "weak": ("Weak", "around their 10th percentile"),
}
# Numbers of a feature, as the heads of columns.
SCORES = {
    "correlation": "Correlation",
    "auc": "AUC",
    "sensitivity": "Sensitivity",
    "effect": "Causal effect",
    "density": "Density",
    "max": "Maximum",
    "p_top100": "p_top100",
}
# Kinds of labels.
KINDS = {
    "all": "All",
    "concept": "Concept",
    "both": "Two at once",
    "decade": "Decade",
    "year": "Year",
    "language": "Language",
    "artist": "Artist",
    "franchise": "Series",
    "item": "One item",
    "word": "Word of the title",
}
# Items that speak for a label, and against it.
EXAMPLES = {"hit": "Right", "false alarm": "Predicted, not active", "missed": "Active, not predicted"}
# Measures of lists, of which every report of a recommender speaks.
RANKING = {"ndcg@10": "NDCG@10", "hit_rate@10": "HitRate@10", "coverage@10": "Coverage@10"}
# Measures of a receipt.
MEASURES = {
    "long_tail_share@10": "Long tail",
    "ndcg@10": "NDCG@10",
    "coverage@10": "Coverage@10",
    "overlap": "Overlap",
    "gini@10": "Gini index",
    "mean_popularity@10": "Mean popularity",
}


def in_text(name: str) -> str:
    """A name inside a sentence or a list: in small letters, unless it is an abbreviation."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]
