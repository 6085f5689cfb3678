"""Section 8 of the report: steering."""

import pandas as pd

from interp import plots
from interp.plots.steering_plots import METRICS
from interp.study.blocks import Block, Column, Source, exhibit, figure, table
from interp.analyses.alignment.exhibits import numbered
from interp.store.claim import signed

KNOWN = "the paper’s mean correlation of probes is 0.7, of features 0.438 (MovieLens-20M)"


def lists(source: Source) -> Block:
    """Figure 7: two users' lists before and after."""
    rows = source["lists"]
    items = source.study.items.loc[rows["item"]]
    rows = rows.assign(title=items["title"].to_numpy(), concepts=[list(names) for names in items["concepts"]])
    target, feature = rows["target"].iat[0], int(rows["feature"].iat[0])
    users = [_user(group, target) for _, group in rows.groupby("direction", sort=False)]
    return exhibit(
        source,
        "Figure 7",
        f"Two users’ lists with {target} turned up and down",
        f"Top 10 before and after feature {feature} is set at the last step: for the user with least {target} in the "
        f"list, and for the one with most. Filled label: the item is {target}. “New”: not in the list before.",
        ["lists", "items"],
        {"kind": "lists", "target": target, "users": users},
    )


def shares(source: Source) -> Block:
    """Figure 9a: shares against the value set."""
    drawn = []
    for target, group in _method(source["shares"], "replace").groupby("target", sort=False):
        feature = int(group["feature"].iat[0])
        drawn.append(figure(plots.changed_concepts(group, target), f"{target}: feature {feature}", half=True))
    return exhibit(
        source,
        f"{numbered(source, 'sweep')}(a)",
        "What steering one feature does to the lists",
        "Shares in the top 10 of the concepts that change most, as one feature is set to a value at the last step and "
        "the layer is replaced by its reconstruction, as in the paper. Thick: the feature’s own concept.",
        ["shares"],
        *drawn,
    )


def quality(source: Source) -> Block:
    """Figure 9b to 9d: quality against the value set."""
    rows = _method(source["steering"], "replace")
    drawn = [
        figure(plots.quality_curves(rows, measure), f"({letter}) {name}", half=True)
        for letter, (measure, name) in zip("bcd", METRICS.items(), strict=True)
    ]
    return exhibit(
        source,
        f"{numbered(source, 'sweep')}(b–d)",
        "What it costs",
        "Quality and diversity of the lists for the same settings, one line per feature. Dashed: without steering.",
        ["steering"],
        *drawn,
    )


def probes(source: Source) -> Block:
    """Figure 10 and section 8.2.3: probes beside features."""
    rows = source["steering"][source["steering"]["method"].isin(["add", "probe"])]
    both = source["probes"].merge(source["concepts"][["concept", "correlation"]], on="concept")
    both = both.sort_values("correlation", ascending=False)
    mean = both.drop(columns="concept").mean().to_frame().T.assign(concept="Mean")
    columns = [
        Column("concept", "Concept", None),
        Column("correlation", "Top feature"),
        Column("correlation_decision", "Probe’s decision value"),
        Column("correlation_probability", "Probe’s probability"),
        Column("auc", "Probe’s ROC AUC"),
    ]
    return exhibit(
        source,
        "Figure 10",
        "Features beside supervised probes",
        "Share of the target concept as a direction of unit length (among normalised activations) is added at the last "
        f"step: solid, the SAE feature’s; dashed, the probe’s. Below, correlations with the concepts; {KNOWN}.",
        ["steering", "probes", "concepts"],
        figure(plots.direction_curves(rows)),
        table(pd.concat([both, mean], ignore_index=True), columns, strong=[len(both)]),
    )


def kept_error(source: Source) -> Block:
    """Beyond the paper: steering that keeps the reconstruction error."""
    rows = _method(source["steering"], "set")
    return exhibit(
        source,
        "",
        "Steering that keeps the reconstruction error",
        "The same sweep without replacing the layer: only the feature’s own contribution changes, as with `rec.steer`.",
        ["steering"],
        figure(plots.share_curves(rows), "Share of the concept", half=True),
        figure(plots.quality_curves(rows), "NDCG@10", half=True),
    )


def _method(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    return rows[rows["method"] == method]


def _user(rows: pd.DataFrame, target: str) -> Block:
    before = set(rows.loc[rows["value"].isna(), "item"])
    columns = []
    for value, group in rows.groupby("value", sort=False, dropna=False):
        columns.append(
            {
                "name": "as it is" if pd.isna(value) else f"set to {signed(value)}",
                "items": [
                    {
                        "title": row.title,
                        "concepts": row.concepts,
                        "has": target in row.concepts,
                        "new": row.item not in before,
                    }
                    for row in group.sort_values("rank").itertuples()
                ],
            }
        )
    return {"user": str(rows["user"].iat[0]), "direction": rows["direction"].iat[0], "columns": columns}
