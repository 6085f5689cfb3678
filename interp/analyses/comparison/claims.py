"""Claims about settings of dictionaries and places in the recommender (paper sections 5, 6 and 7.1.2)."""

import numpy as np
import pandas as pd

from interp.analyses.comparison.tables import CHANGE
from interp.sae_config import SAEConfig
from interp.sae_registry import sae_kind
from interp.store.analysis import about_concepts
from interp.store.claim import BEYOND, NO_HITS, Claim, drop
from recmodels.wording import counted, signed, with_interval

MAX_LOSS = 0.05  # of NDCG@10; the paper loses 0.002 of 0.100
TREMBLE = 0.02  # of NDCG@10, from one λ to the next, that counts as no change
SPREAD = 0.10
SMALL = 256  # features of a dictionary that the paper calls too small
SIMILAR = 0.20
MIN_KEPT = 0.90
MEASURE = "mean_top_correlation"


@about_concepts
def first_block(sites_table: pd.DataFrame) -> Claim:
    """Section 5, from the table `sites`."""
    statement = "The first transformer block has slightly better interpretability than the later ones."
    criterion = "Holds if block 0 has the largest mean top correlation of all blocks."
    blocks = _blocks(sites_table)
    if len(blocks) < 2 or "blocks.0" not in blocks.index:
        return Claim("5", statement, criterion, "Dictionaries of one block only.", None, ("sites",))
    return Claim("5", statement, criterion, _listed(blocks), bool(blocks.idxmax() == "blocks.0"), ("sites",))


@about_concepts
def similar_blocks(sites_table: pd.DataFrame) -> Claim:
    """Section 5, from the table `sites`."""
    statement = "Selecting other layers leads to similar results."
    criterion = f"Holds if the worst block's mean top correlation is at most {SIMILAR:.0%} below the best's."
    blocks = _blocks(sites_table)
    if len(blocks) < 2:
        return Claim("5", statement, criterion, "Dictionaries of one block only.", None, ("sites",))
    below = drop(blocks.max(), blocks.min())
    result = f"{_listed(blocks)} The worst is {below:.0%} below the best."
    return Claim("5", statement, criterion, result, bool(below <= SIMILAR), ("sites",))


def reconstruction(recommender_table: pd.DataFrame, dictionaries_table: pd.DataFrame) -> Claim:
    """Section 6, from the tables `recommender` and `dictionaries`."""
    statement = "At the λ of choice, replacing the layer by its reconstruction hardly changes the recommendations."
    criterion = f"Holds if NDCG@10 loses at most {MAX_LOSS:.0%} (in the paper it falls from 0.100 to 0.098)."
    tables = ("recommender", "dictionaries")
    rows = recommender_table.set_index("replaced").reindex(columns=["ndcg@10", *CHANGE])
    plain, through_reconstruction = rows.loc[["none", "all"], "ndcg@10"]
    if not plain:
        return Claim("6", statement, criterion, NO_HITS, None, tables)
    dictionary = dictionaries_table[dictionaries_table["chosen"]].iloc[0]
    loss = drop(plain, through_reconstruction)
    difference, low, high = rows.loc["all", list(CHANGE)]
    change = f", by {with_interval(difference, low, high, '+.4f')} for the same users" if low == low else ""
    name = sae_kind(dictionary["trainer"]).symbol
    result = (
        f"At {name} = {dictionary['sparsity']:g}, NDCG@10 is {through_reconstruction:.4f} against {plain:.4f}: "
        f"{signed(-loss, '+.1%')}{change}."
    )
    return Claim("6", statement, criterion, result, bool(loss <= MAX_LOSS), tables)


def stronger_penalty(l1_table: pd.DataFrame, sae_config: SAEConfig) -> Claim:
    """Section 6, from the table `l1`."""
    statement = "The stronger the L1 penalty, the worse the recommendations through the reconstruction."
    criterion = (
        f"Holds if NDCG@10 is lower at the largest λ than at the smallest, and rises by no more than {TREMBLE:.0%} of "
        "the original's from any λ to the next."
    )
    rows, reason = _penalties(l1_table, sae_config)
    if reason:
        return Claim("6", statement, criterion, reason, None, ("l1",))
    values = rows["ndcg@10"].to_numpy()
    plain = l1_table.loc[l1_table["sparsity"].isna(), "ndcg@10"].iloc[0]
    if not plain:
        return Claim("6", statement, criterion, NO_HITS, None, ("l1",))
    rise = np.diff(values).max()
    first, last = rows.iloc[0], rows.iloc[-1]
    result = (
        f"NDCG@10 goes from {first['ndcg@10']:.4f} at λ = {first['sparsity']:g} to {last['ndcg@10']:.4f} at "
        f"λ = {last['sparsity']:g}; the largest rise between neighbours is {max(rise, 0):.4f} (original {plain:.4f})."
    )
    holds = bool(values[-1] < values[0] and rise <= TREMBLE * plain)
    return Claim("6", statement, criterion, result, holds, ("l1",))


@about_concepts
def best_between(l1_table: pd.DataFrame, sae_config: SAEConfig) -> Claim:
    """Section 7.1.2, from the table `l1`."""
    statement = "The mean correlation is lower for very low and for high λ than between them."
    criterion = "Holds if it is lower at the smallest and at the largest λ than at the best λ between them."
    rows, reason = _penalties(l1_table, sae_config)
    if reason:
        return Claim("7.1.2", statement, criterion, reason, None, ("l1",))
    first, last = rows.iloc[0], rows.iloc[-1]
    best = rows.iloc[1:-1].sort_values(MEASURE).iloc[-1]
    rows_by_name = {"the smallest λ": first, "the best between them": best, "the largest": last}
    texts = [f"{row[MEASURE]:.3f} at {name} ({row['sparsity']:g})" for name, row in rows_by_name.items()]
    result = f"It is {', '.join(texts)}; means over {_runs(rows)}."
    holds = bool(first[MEASURE] < best[MEASURE] > last[MEASURE])
    return Claim("7.1.2", statement, criterion, result, holds, ("l1",))


@about_concepts
def stable_sizes(sizes_table: pd.DataFrame) -> Claim:
    """Section 7.1.2, from the table `sizes`."""
    statement = f"For dictionaries of more than {SMALL} features the mean correlation is stable."
    criterion = f"Holds if largest and smallest differ by at most {SPREAD:.0%} of their mean."
    rows = sizes_table[sizes_table["n_features"] > SMALL]
    if len(rows) < 2:
        reason = f"{counted(len(rows), 'size')} above {SMALL} features: two are needed."
        return Claim("7.1.2", statement, criterion, reason, None, ("sizes",))
    values = rows[MEASURE]
    spread = (values.max() - values.min()) / values.mean() if values.max() > values.min() else 0.0
    result = (
        f"From {values.min():.3f} to {values.max():.3f} over {len(rows)} sizes of {rows['n_features'].min()} to "
        f"{rows['n_features'].max()} features ({_runs(rows)}): a spread of {spread:.0%}."
    )
    return Claim("7.1.2", statement, criterion, result, bool(spread <= SPREAD), ("sizes",))


@about_concepts
def sparse_is_aligned(dictionaries_table: pd.DataFrame, sparse_l0: float) -> Claim:
    """Beyond the paper, from the table `dictionaries`."""
    statement = (
        f"A dictionary with at most {sparse_l0:g} features active per step is nearly as interpretable as the "
        "chosen one."
    )
    criterion = (
        f"Holds if the best such dictionary's mean top correlation is at least {MIN_KEPT:.0%} of the chosen one's "
        "(both picked on held-out users)."
    )
    sparse, dictionary = (dictionaries_table[dictionaries_table[flag]].iloc[0] for flag in ("sparse", "chosen"))
    if sparse["val_l0"] > sparse_l0:
        reason = (
            f"No dictionary is that sparse: the sparsest has {sparse['val_l0']:.1f} active features on held-out users."
        )
        return Claim(BEYOND, statement, criterion, reason, None, ("dictionaries",))
    if sparse["chosen"]:
        active = f"{dictionary['val_l0']:.1f} active features on held-out users"
        reason = f"The chosen dictionary is itself that sparse: it has {active}."
        return Claim(BEYOND, statement, criterion, reason, None, ("dictionaries",))
    texts = [
        f"{row['trainer']} with {row['n_features']} features, setting {row['sparsity']:g}: {row[MEASURE]:.3f} at L0 "
        f"{row['l0']:.1f}"
        for row in (sparse, dictionary)
    ]
    holds = bool(sparse[MEASURE] >= MIN_KEPT * dictionary[MEASURE])
    return Claim(BEYOND, statement, criterion, f"{texts[0]}; the chosen one, {texts[1]}.", holds, ("dictionaries",))


def _penalties(l1: pd.DataFrame, sae: SAEConfig) -> tuple[pd.DataFrame, str]:
    """The rows of the grid by λ, and why they are not enough if they are not."""
    rows = l1[l1["sparsity"].notna()].sort_values("sparsity")
    if sae_kind(sae.trainer).sparsity != "l1":
        return rows, f"The trainer {sae.trainer} has no λ."
    return rows, "" if len(rows) >= 3 else f"{counted(len(rows), 'value')} of λ: three are needed."


def _blocks(sites: pd.DataFrame) -> pd.Series:
    table = sites.set_index("site")[MEASURE]
    return table[table.index.str.fullmatch(r"blocks\.\d+")].sort_index()


def _listed(blocks: pd.Series) -> str:
    return "Mean top correlation: " + ", ".join(f"{site} {value:.3f}" for site, value in blocks.items()) + "."


def _runs(rows: pd.DataFrame) -> str:
    low, high = int(rows["runs"].min()), int(rows["runs"].max())
    return counted(low, "run") if low == high else f"{low} to {high} runs"
