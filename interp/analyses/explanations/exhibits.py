"""Attributions beside measured ablations."""

import pandas as pd

from interp.analyses.explanations.figures import attributions_beside_ablations
from interp.plots.blocks import Block, Column, exhibit, figure, table
from interp.study.study import Study


def explanations(study: Study) -> Block:
    """Attributions beside measured ablations."""
    summary = study.table("explanation_agreement")
    rows = summary.assign(name=["All" if pd.isna(place) else f"{place:.0f}" for place in summary["place"]])
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
        "",
        "Why this item: are attributions right?",
        "The largest attributions for test users’ first items, beside the drop of the score when the feature is set "
        "to 0 at all steps. An attribution is activation × gradient of the score above the mean item’s; the gradient "
        "is averaged while the feature goes down to 0.",
        ["explanations", "explanation_agreement"],
        figure(attributions_beside_ablations(study.table("explanations"))),
        table(rows, columns, strong=[0]),
    )
