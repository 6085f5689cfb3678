"""Beyond the paper, in the report: what features do, exposure of the long tail, explanations and receipts."""

import numpy as np
import pandas as pd

from interp import plots
from interp.study.blocks import Block, Column, Source, exhibit, figure, table
from interp.store.claim import signed

SCORES = {
    "rank_correlation": "Rank correlation of correlations and effects, over concepts",
    "top_matches": "The most raised concept is the best-correlated one",
}
TAIL = "long_tail_share@10"
SHOWN = {
    TAIL: "Long tail",
    "ndcg@10": "NDCG@10",
    "coverage@10": "Coverage@10",
    "overlap": "Overlap",
    "gini@10": "Gini index",
    "mean_popularity@10": "Mean popularity",
}
IN_RECEIPTS = ("ndcg@10", "coverage@10", TAIL, "overlap")


def exhibits(source: Source) -> list[Block]:
    """All of them; exposure only where popular and unpopular items can be told apart."""
    exposed = [exposure(source)] if len(source["popularity"]) else []
    return [causes(source), explanations(source), *exposed, receipts(source)]


def causes(source: Source) -> Block:
    """What features correlate with beside what they do."""
    top = source["concepts"]
    steered = top[top["feature"].isin(source["causal"]["feature"])]
    scores = source["causal_agreement"]
    shown = [
        figure(plots.concept_heatmap(source["alignment"], steered), "What they say: correlation", half=True),
        figure(plots.causal_heatmap(source["causal"], steered), "What they do: change of the share", half=True),
    ]
    if len(scores):
        columns = [
            Column("name", "Over all active features", None),
            Column("value", "Measured"),
            Column("chance", "By chance"),
            Column("p", "p", 4),
            Column("features", "Features", 0),
            Column("users", "Users", 0),
        ]
        shown.append(table(scores.assign(name=scores["score"].map(SCORES)), columns))
        columns = [
            Column("concept", "Concept", None),
            Column("rank_correlation", "Rank correlation over features"),
            Column("feature", "Top feature", 0),
            Column("effect", "Its effect"),
            Column("place", "Place among all effects", 0),
        ]
        shown.append(table(source["causal_concepts"], columns, "Concept by concept"))
    return exhibit(
        source,
        "",
        "Do features do what they say?",
        "Rows are the concepts’ top features. Left, their correlations; right, what each does to the share of every "
        "concept in the top 10: half the difference between turning it up and down by its 99th percentile at the last "
        "step. By chance: with the effects of another feature.",
        ["concepts", "alignment", "causal", "causal_agreement", "causal_concepts"],
        *shown,
    )


def explanations(source: Source) -> Block:
    """Attributions beside measured ablations."""
    summary = source["explanation_agreement"]
    named = summary.assign(name=["All" if pd.isna(place) else f"{place:.0f}" for place in summary["place"]])
    columns = [
        Column("name", "Place of the feature", None),
        Column("pairs", "Pairs", 0),
        Column("agree", "Signs agree"),
        Column("gradient_agrees", "of plain gradients"),
        Column("correlation", "Correlation"),
        Column("attribution", "Mean size, attribution"),
        Column("ablation", "Mean size, ablation"),
    ]
    return exhibit(
        source,
        "",
        "Why this item: are attributions right?",
        "The largest attributions (activation × gradient of the score above the mean item’s, the gradient averaged "
        "while the feature is turned down to 0) for test users’ first items, beside how far the score drops when the "
        "feature is set to 0 at all steps.",
        ["explanations", "explanation_agreement"],
        figure(plots.attributions_beside_ablations(source["explanations"])),
        table(named, columns, strong=[0]),
    )


def exposure(source: Source) -> Block:
    """Steers to the long tail, and their price."""
    rows = source["popularity"]
    rows = rows[rows["measure"].isin(SHOWN)]
    shown = rows.assign(text=_intervals(rows, "after", signs=False))
    wide = shown.pivot(index="strength", columns="measure", values="text").rename_axis(columns=None)
    wide.insert(0, "strength", [signed(strength) for strength in wide.index])
    columns = [Column("strength", "Strength", None), *(Column(key, name, None) for key, name in SHOWN.items())]
    return exhibit(
        source,
        "",
        "Exposure: from popular items to the long tail",
        "The ten features that tell users of popular from users of unpopular items best are moved towards the latter "
        "at the last step, the best by so many standard deviations, which is the strength. Changes, and below what "
        "is reached, with 95% intervals over test users.",
        ["popularity"],
        *(figure(plots.exposure_trade_off(rows, key, SHOWN[key]), half=True) for key in ("ndcg@10", "coverage@10")),
        table(wide, columns),
    )


def receipts(source: Source) -> Block:
    """What the standard steer of each target changes."""
    rows = source["receipts"]
    own = (rows["measure"] == "share") & (rows["concept"] == rows["target"])
    kept = rows[rows["measure"].isin(IN_RECEIPTS) | own]
    texts = _intervals(kept, "change", signs=True), _intervals(kept, "after", signs=False)
    shown = kept.assign(text=np.where(kept["measure"] == "overlap", texts[1], texts[0]))
    keys = ["target", "feature", "value"]
    wide = shown.pivot(index=keys, columns="measure", values="text").loc[
        pd.MultiIndex.from_frame(kept[keys].drop_duplicates())
    ]
    columns = [
        Column("target", "Concept", None),
        Column("feature", "Feature", 0),
        Column("value", "Set to", 2),
        Column("share", "Share of it", None),
        *(Column(key, SHOWN[key], None) for key in IN_RECEIPTS),
    ]
    return exhibit(
        source,
        "",
        "Receipts: what a standard steer changes",
        "Each steered feature is set to its own 99th percentile at the last step, the reconstruction error kept. "
        "Changes in the top 10, and overlap with the lists before, with 95% intervals over test users.",
        ["receipts"],
        table(wide.reset_index(), columns),
    )


def _intervals(rows: pd.DataFrame, column: str, signs: bool) -> list[str]:
    """A number and its bounds, as text: the numbers of one cell have the same digits."""
    texts = []
    for value, low, high in rows[[column, f"{column}_low", f"{column}_high"]].itertuples(index=False):
        form = f"{'+' if signs else ''}.{1 if abs(value) >= 10 else 3}f"
        texts.append("–" if pd.isna(value) else f"{signed(value, form)} [{signed(low, form)}, {signed(high, form)}]")
    return texts
