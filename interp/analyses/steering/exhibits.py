"""Section 8 of the report: steering."""

import pandas as pd

from interp import plots
from interp.paper import number_of
from interp.plots.blocks import Block, Column, exhibit, figure, table
from interp.plots.steering_plots import METRICS
from interp.study.study import Study

NOTE = "the paper’s mean correlation of probes is 0.7, of features 0.438 (MovieLens-20M)"


def shares(study: Study) -> Block:
    """Figure 9a: shares against the value set."""
    figures = []
    for target, group in _method(study.table("shares"), "replace").groupby("target", sort=False):
        feature = int(group["feature"].iat[0])
        figures.append(figure(plots.changed_concepts(group, target), f"{target}: feature {feature}", half=True))
    return exhibit(
        f"{number_of('sweep', study.name, study.model)}(a)",
        "What steering one feature does to the lists",
        "One feature is set to a value at the last step, and the layer is replaced by its reconstruction, as in the "
        "paper. The lines are the shares in the top 10 of the concepts that change most. Thick: the feature’s own "
        "concept.",
        ["shares"],
        *figures,
    )


def quality(study: Study) -> Block:
    """Figure 9b to 9d: quality against the value set."""
    rows = _method(study.table("steering"), "replace")
    figures = [
        figure(plots.quality_curves(rows, measure), f"({letter}) {name}", half=True)
        for letter, (measure, name) in zip("bcd", METRICS.items(), strict=True)
    ]
    return exhibit(
        f"{number_of('sweep', study.name, study.model)}(b–d)",
        "What steering costs",
        "Quality and diversity of the lists for the same settings, one line per feature. Dashed: without steering.",
        ["steering"],
        *figures,
    )


def probes(study: Study) -> Block:
    """Figure 10 and section 8.2.3: probes beside features."""
    rows = study.table("steering")[study.table("steering")["method"].isin(["add", "probe"])]
    scores = study.table("probes").merge(study.table("concepts")[["concept", "correlation"]], on="concept")
    scores = scores.sort_values("correlation", ascending=False)
    mean = scores.drop(columns="concept").mean().to_frame().T.assign(concept="Mean")
    columns = [
        Column("concept", "Concept", None),
        Column("correlation", "Top feature"),
        Column("correlation_decision", "Probe’s decision value"),
        Column("correlation_probability", "Probe’s probability"),
        Column("auc", "Probe’s ROC AUC"),
        Column("correlation_decision_unseen_items", "Decision value, unseen items"),
        Column("correlation_probability_unseen_items", "Probability, unseen items"),
        Column("auc_unseen_items", "ROC AUC, unseen items"),
    ]
    return exhibit(
        "Figure 10",
        "Features beside supervised probes",
        "A direction of unit length (in normalised activations) is added at the last step; the lines are the share "
        "of the target concept. Solid: the SAE feature’s direction; dashed: the probe’s. Below: correlations with "
        f"the concepts; {NOTE}. On unseen items: the probe is fitted on half of the items and measured on the other "
        "half, in turn.",
        ["steering", "probes", "concepts"],
        figure(plots.direction_curves(rows)),
        table(pd.concat([scores, mean], ignore_index=True), columns, strong=[len(scores)]),
    )


def kept_error(study: Study) -> Block:
    """Beyond the paper: steering that keeps the reconstruction error."""
    rows = _method(study.table("steering"), "set")
    return exhibit(
        "",
        "Steering that keeps the reconstruction error",
        "The same sweep without replacing the layer: only the feature’s own contribution changes, as with `rec.steer`.",
        ["steering"],
        figure(plots.share_curves(rows), "Share of the concept", half=True),
        figure(plots.quality_curves(rows), "NDCG@10", half=True),
    )


def _method(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    return rows[rows["method"] == method]
