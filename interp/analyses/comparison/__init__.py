"""All dictionaries side by side."""

from interp.activations.evaluation import COLUMNS
from interp.analyses.comparison import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

MEASURES = "rmse:float explained_variance:float l0:float dead:float "
MEASURES += "mean_top_correlation:float ndcg@10:float hit_rate@10:float coverage@10:float"
RUNS = f"{MEASURES} " + " ".join(f"std_{column}" for column in MEASURES.split())
RUNS += " ndcg@10_change:float ndcg@10_change_low:float ndcg@10_change_high:float"

ANALYSIS = Analysis(
    "comparison",
    "All dictionaries side by side",
    compute=tables.comparison,
    tables=(
        Table(
            "dictionaries",
            "every dictionary, on held-out users of the SAE part and on test users",
            f"{COLUMNS} chosen:bool sparse:bool",
        ),
        Table(
            "l1",
            "the grid of L1 weights, over seeds (paper Table 1, Figure 3)",
            f"sparsity:float runs:int {RUNS}",
        ),
        Table(
            "sizes",
            "the grid of sizes, over seeds (Figure 3)",
            f"n_features:int runs:int {RUNS}",
        ),
        Table(
            "trade_off",
            "all trainers: alignment and ranking against sparsity",
            f"trainer:text n_features:int sparsity:float runs:int {RUNS}",
        ),
        Table(
            "sites",
            "the same dictionary at other places of the recommender",
            f"site:text neurons:float {MEASURES}",
        ),
    ),
    exhibits=(
        Exhibit("5", exhibits.places),
        Exhibit("6", exhibits.reconstruction),
        Exhibit("7.1.2", exhibits.settings),
        Exhibit("beyond", exhibits.trade_off),
    ),
    claims=(
        claims.first_block,
        claims.similar_blocks,
        claims.reconstruction,
        claims.stronger_penalty,
        claims.best_between,
        claims.stable_sizes,
        claims.sparse_is_aligned,
    ),
)
