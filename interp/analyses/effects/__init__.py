"""What features do to scores."""

from interp.activations.evaluation import NDCG_BOUNDS
from interp.analyses.effects import tables
from interp.store.analysis import Analysis, Table

ANALYSIS = Analysis(
    "effects",
    "What features do to scores",
    compute=tables.effects,
    tables=(
        Table(
            "recommender",
            "ranking metrics on the test part, also with the site reconstructed",
            "replaced:text ndcg@10:float hit_rate@10:float coverage@10:float diversity@10:float " + NDCG_BOUNDS,
        ),
        Table(
            "effects",
            "items whose scores rise and fall, through the layers and on the direct path",
        ),
        Table(
            "item_effects",
            "per item: the features that raise and lower its score most when they are turned up",
        ),
    ),
    version=3,
)
