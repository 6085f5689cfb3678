"""Sections 5, 6 and 7.1.2 of the report: places, penalties, sizes; and the trade-off beyond the paper."""

from typing import Any

import pandas as pd

from interp.analyses.comparison.figures import setting_curve, site_bars, trade_off_curves
from interp.analyses.comparison.tables import CHANGE
from interp.paper import is_the_papers, paper_table
from interp.plots.blocks import Block, Column, exhibit, figure, intervals, missing, paper_name, table
from interp.presets import L1, SIZES
from interp.sae_config import SAEConfig
from interp.sae_registry import sae_kind
from interp.store.analysis import about_concepts
from interp.study.study import Study

SEEDS = 5  # runs of every point in the paper
MEASURES = (
    ("rmse", "RMSE", 3),
    ("explained_variance", "Explained variance", 3),
    ("l0", "L0", 1),
    ("ndcg@10", "NDCG@10", 3),
    ("hit_rate@10", "HitRate@10", 3),
    ("coverage@10", "Coverage@10", 3),
)
CHANGE_COLUMN = Column("change", "Change of NDCG@10", None)
PAPER = ("ml-20m", "gptrec")


@about_concepts
def places(study: Study) -> Block:
    """Section 5: the same dictionary at other places."""
    columns = [Column("site", "Site", None), Column("neurons", "Neurons"), Column("mean_top_correlation", "SAE")]
    blocks: list[Block] = [table(study.table("sites"), [*columns, *_columns()])]
    if len(study.table("sites")) > 1:
        blocks.insert(0, figure(site_bars(study.table("sites"))))
    else:
        blocks.append(missing("--grid.sites blocks.1 blocks.2"))
    return exhibit(
        "Section 5",
        "Where the recommender is read",
        "Mean top correlation of neurons and of SAE features, for the configured dictionary trained at other places. "
        "The paper reads the first block and says that other layers are similar.",
        ["sites"],
        *blocks,
    )


def reconstruction(study: Study) -> Block:
    """Table 1: what the strength of the penalty does."""
    paper, setting = paper_table("table1"), setting_name(study)
    results = study.table("l1")
    columns = [Column("setting", setting, None), Column("runs", "Runs", 0)]
    if is_the_papers(study, *PAPER):
        results = results.merge(paper, on="sparsity", how="left", suffixes=("", "_paper"))
        for key, name, digits in MEASURES:
            columns += [Column(key, name, digits), Column(f"{key}_paper", "paper", digits, paper=True)]
    else:
        columns += _columns()
    columns.append(CHANGE_COLUMN)
    blocks = [table(_with_names(results), columns)]
    if not is_the_papers(study, *PAPER):
        blocks.append(
            table(
                _with_names(paper),
                [Column("setting", "λ", None), *_columns(True)],
                f"The paper’s, {paper_name(*PAPER)}",
            )
        )
    if not has_penalties(study):
        blocks.append(missing(_flag("l1", L1)))
    return exhibit(
        "Table 1",
        "What the reconstruction costs",
        f"For each {setting}: error and explained variance of normalised test activations, active features per step, "
        "and ranking metrics with the site’s output replaced by its reconstruction at all steps; means over runs. "
        "First row: the recommender as it is. Change: of NDCG@10 from it, paired by user, with its 95% interval.",
        ["l1"],
        *blocks,
    )


@about_concepts
def settings(study: Study) -> Block:
    """Figure 3: mean top correlation against penalty and size."""
    blocks = []
    if has_penalties(study):
        blocks.append(figure(setting_curve(study.table("l1"), "sparsity", setting_name(study)), "(a)", half=True))
    else:
        blocks.append(missing(_flag("l1", L1)))
    if len(study.table("sizes")) > 1:
        curves = setting_curve(study.table("sizes"), "n_features", "features of the dictionary")
        blocks.append(figure(curves, "(b)", half=True))
    else:
        blocks.append(missing(_flag("n-features", SIZES)))
    spread = [
        Column("mean_top_correlation", "Mean top correlation"),
        Column("std_mean_top_correlation", "Std over runs"),
    ]
    sizes = [Column("n_features", "Features", 0), Column("runs", "Runs", 0), *spread, *_columns()[:3]]
    penalties = [Column("setting", setting_name(study), None), Column("runs", "Runs", 0), *spread]
    by_penalty = _with_names(study.table("l1")[study.table("l1")["sparsity"].notna()])
    blocks += [
        table(by_penalty, penalties, f"The same by {setting_name(study)} as numbers"),
        table(study.table("sizes"), sizes, "The same by size as numbers"),
    ]
    return exhibit(
        "Figure 3",
        "Interpretability against the dictionary’s settings",
        f"Mean top correlation against (a) {setting_name(study)}, for {study.config['sae']['n_features']} features, "
        f"and (b) the size, for {setting_name(study)} = {_sparsity(study):g}. Bars: standard deviation over runs.",
        ["l1", "sizes"],
        *blocks,
    )


@about_concepts
def trade_off(study: Study) -> Block:
    """Beyond the paper: all trainers against sparsity."""
    rows = study.table("trade_off")
    rows = rows[rows["n_features"] == study.config["sae"]["n_features"]]
    plain = study.table("l1").iloc[0]["ndcg@10"]
    neurons = study.table("dictionary")["neuron_mean_top_correlation"].iloc[0]
    curves = (
        (trade_off_curves(rows, "mean_top_correlation", "mean top correlation", neurons, "neurons"), "(a)"),
        (trade_off_curves(rows, "ndcg@10", "NDCG@10 through the reconstruction", plain, "original"), "(b)"),
    )
    blocks = [figure(value, title, half=True) for value, title in curves]
    if rows["trainer"].nunique() < 2:
        blocks.append(missing("--grid.trade-off top_k:8,16,32,64"))
    columns = [Column("trainer", "Trainer", None), Column("setting", "Setting", None), Column("runs", "Runs", 0)]
    columns += [Column("mean_top_correlation", "Mean top correlation"), *_columns(), CHANGE_COLUMN]
    blocks.append(table(_with_names(rows), columns, "The same as numbers"))
    return exhibit(
        "",
        "What sparsity costs, by kind of dictionary",
        f"(a) Mean top correlation and (b) NDCG@10 through the reconstruction against active features per step, for "
        f"dictionaries of {study.config['sae']['n_features']} features. Bars: (a) standard deviation over runs; (b) "
        "95% interval over the test users of the change from the original, paired by user.",
        ["trade_off", "l1", "dictionary"],
        *blocks,
    )


def grid_note(study: Study) -> str:
    """A sentence that says which of the paper's grid points this study lacks."""
    lacks = []
    for name, values, grid in (
        ("λ", study.table("l1")["sparsity"].dropna(), L1),
        ("sizes", study.table("sizes")["n_features"], SIZES),
    ):
        absent = sorted(set(grid) - set(values))
        if name == "λ" and sae_kind(study.config["sae"]["trainer"]).sparsity != "l1":
            lacks.append(f"no λ grid ({study.config['sae']['trainer']} has no λ)")
        elif absent:
            lacks.append(
                f"{len(absent)} of {len(grid)} {name} are missing ({', '.join(f'{value:g}' for value in absent)})"
            )
    grids = pd.concat([study.table("l1").dropna(subset="sparsity"), study.table("sizes")])
    low, high = int(grids["runs"].min()), int(grids["runs"].max())
    if low < SEEDS:
        lacks.append(f"points are means over {low if low == high else f'{low} to {high}'} instead of {SEEDS} runs")
    if not lacks:
        return f"The grids of λ and sizes are the paper’s, with {SEEDS} runs of each point."
    return f"The paper’s grids are reduced here: {'; '.join(lacks)}."


def has_penalties(study: Study) -> bool:
    """Whether more than one strength of the penalty was run."""
    return study.table("l1")["sparsity"].nunique() > 1


def setting_name(study: Study) -> str:
    """What decides the configured dictionary's sparsity: λ, k or a setting of its kind's own."""
    return sae_kind(study.config["sae"]["trainer"]).symbol


def _sparsity(study: Study) -> float:
    return SAEConfig(**study.config["sae"]).sparsity


def _columns(paper: bool = False) -> list[Column]:
    return [Column(key, name, digits, paper) for key, name, digits in MEASURES]


def _with_names(rows: pd.DataFrame) -> pd.DataFrame:
    """The same with what each setting is called, and its change of NDCG@10 as text (none of a release without it)."""
    names = ["Original" if pd.isna(value) else f"{value:g}" for value in rows["sparsity"]]
    change = intervals(rows.reindex(columns=CHANGE), CHANGE[0], signs=True)
    return rows.assign(setting=names, change=change)


def _flag(name: str, values: Any) -> str:
    return f"--grid.{name} {' '.join(f'{value:g}' for value in values)} --grid.seeds {SEEDS}"
