"""Beyond the paper: what more of a concept costs, by steering and by what one would do without it."""

import pandas as pd

from interp import plots
from interp.plots.blocks import Block, Column, exhibit, figure, intervals, table
from interp.plots.cost_plots import METHODS
from interp.study.study import Study

COSTS = [
    Column("target", "Concept", None),
    Column("method", "Method", None),
    Column("cost", "Change of NDCG@10"),
    Column("cost_low", "from"),
    Column("cost_high", "to"),
    Column("ratio", "Ratio to boost", 2),
    Column("ratio_low", "from", 2),
    Column("ratio_high", "to", 2),
]
DIFFERENCES = [
    Column("target", "Concept", None),
    Column("method", "Method", None),
    Column("other", "Against", None),
    Column("levels", "Shares that both reach", 0),
    Column("cost", "Change of NDCG@10"),
    Column("other_cost", "Change by the other"),
    Column("gap", "Cheaper by", None),
    Column("verdict", "No dearer?", None),
]


def equal_share(study: Study) -> Block:
    """Curves of share and quality, and all methods at equal share."""
    sweeps = pd.concat([study.table("steering"), study.table("baselines")], ignore_index=True)
    curves = [
        figure(plots.cost_curves(rows), str(target), half=True) for target, rows in sweeps.groupby("target", sort=False)
    ]
    rows = study.table("equal_share")
    return exhibit(
        "",
        "What more of a concept costs, beside what one would do without a dictionary",
        "NDCG@10 against the share of the concept in the top 10, dose by dose. Feature: the top feature is set to a "
        "value at the last step with the reconstruction error kept; replaced: with the layer replaced, as in the "
        "paper. Profile: the 20 features that differ most between steps with and without the concept are raised in "
        "proportion, the error kept. Directions are of unit length among normalised activations and are added at the "
        "last step: the feature’s, a linear probe’s, that between the means of steps with and without the concept, "
        "the best correlated neuron’s, and random ones (means over three). Least collateral: at most 20 features, "
        "learnt on users of the dictionary’s part, whose move of the scores is closest to raising the concept’s items "
        "and leaving others alone; by user: each user gets an amount, most where the recommender’s own expected NDCG "
        "suffers least (no held-out item is used). Last state: each user’s last hidden state is moved by the user’s "
        "own least squares, as far as one boost for all says, or by user as above. Boost: the scores of the concept’s "
        "items are raised alike, the model is left alone; of 100: among each user’s best 100 items, as where the rest "
        "was cut off before ranking; by user: with the same rule as above. In the "
        "table, all at equal shares: parts of the rise from the unsteered lists to the largest share of the paper’s "
        "replacement. Each method is read where its share first gets there, whatever its NDCG; –: it does not. "
        "Features and neurons are those that fit best on test users, as in the paper; profiles, probes and means are "
        "learnt from others.",
        ["steering", "baselines", "equal_share", "steering_cost", "cost_differences"],
        *curves,
        table(
            study.table("steering_cost").assign(method=lambda t: t["method"].map(lambda m: METHODS[m][0])),
            COSTS,
            "Mean change of NDCG@10 over 40, 60 and 80% of the rise, and its ratio to that of boost, with 95% "
            "intervals over users who are drawn alike for all methods",
        ),
        table(
            _differences(study.table("cost_differences")),
            DIFFERENCES,
            "Is the method no dearer? The difference of the two changes (of the other: so many times), above 0 where "
            "the method is cheaper, with 95% intervals over users who are drawn alike for both; cannot tell: spans 0",
        ),
        table(_by_method(rows, "ndcg@10"), _columns()),
        table(_by_method(rows, "change"), _columns(), "The same as change relative to the unsteered NDCG@10"),
        table(_by_method(rows, "value"), _columns(), "The doses that this takes"),
    )


def _differences(rows: pd.DataFrame) -> pd.DataFrame:
    names = {key: name for key, (name, _, _) in METHODS.items()}
    times = ["" if times == 1 else f"{times:g} × " for times in rows["times"]]
    return rows.assign(
        method=rows["method"].map(names),
        other=times + rows["other"].map(names),
        gap=intervals(
            rows.assign(gap=rows["difference"], gap_low=rows["low"], gap_high=rows["high"]), "gap", signs=True
        ),
    )


def _by_method(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row per target and share, a column per method."""
    keys = ["target", "part"]
    wide = rows.set_index([*keys, "method"])[column].unstack("method").reindex(columns=list(METHODS))
    return rows[[*keys, "share"]].drop_duplicates().merge(wide.reset_index(), on=keys)


def _columns() -> list[Column]:
    return [
        Column("target", "Concept", None),
        Column("part", "Part of the rise", 1),
        Column("share", "Share"),
        *(Column(method, name[0].upper() + name[1:]) for method, (name, _, _) in METHODS.items()),
    ]
