"""Correlations of features beside their effects."""

from interp import plots
from interp.plots.blocks import Block, Column, exhibit, figure, table
from interp.store.analysis import about_concepts
from interp.study.study import Study

SCORES = {
    "rank_correlation": "Rank correlation of correlations and effects, over concepts",
    "top_matches": "The most raised concept is the best-correlated one",
}


@about_concepts
def causes(study: Study) -> Block:
    """Correlations of features beside their effects."""
    top = study.table("concepts")
    steered = top[top["feature"].isin(study.table("causal")["feature"])]
    scores = study.table("causal_agreement")
    blocks = [
        figure(plots.concept_heatmap(study.table("alignment"), steered), "Correlation", half=True),
        figure(plots.causal_heatmap(study.table("causal"), steered), "Effect: change of the share", half=True),
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
        blocks.append(table(scores.assign(name=scores["score"].map(SCORES)), columns))
        columns = [
            Column("concept", "Concept", None),
            Column("rank_correlation", "Rank correlation over features"),
            Column("feature", "Top feature", 0),
            Column("effect", "Its effect"),
            Column("place", "Place among all effects", 0),
        ]
        blocks.append(table(study.table("causal_concepts"), columns, "Concept by concept"))
    return exhibit(
        "",
        "Do features do what their correlations say?",
        "Rows are the concepts’ top features. Left: their correlations with each concept. Right: their effects on each "
        "concept’s share of the top 10, which are half the difference between turning the feature up and down by its "
        "99th percentile at the last step. By chance: with the effects of another feature.",
        ["concepts", "alignment", "causal", "causal_agreement", "causal_concepts"],
        *blocks,
    )
