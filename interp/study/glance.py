"""What a study shows of itself: quality, dictionary and top concepts, at a glance."""

from html import escape

from interp.plots.names import MODELS
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError

TOP = 8  # concepts that are shown


def facts(study: StudyParts) -> list[tuple[str, str]]:
    """Names and what is to be said of them; only the folder where the study's tables cannot be read."""
    folder = ("folder", str(study.folder))
    try:
        return [*_found(study), folder]
    except InputError:
        return [folder]


def as_text(study: StudyParts) -> str:
    """A study in a terminal."""
    rows = facts(study)
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"study {study.name}", *(f"  {name:<{width}}  {text}" for name, text in rows)])


def as_html(study: StudyParts) -> str:
    """A study in Jupyter."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in facts(study)
    )
    return f"<b>Study {escape(study.name)}</b><table>{rows}</table>"


def _found(study: StudyParts) -> list[tuple[str, str]]:
    metrics, dictionary = study.table("recommender").set_index("replaced"), study.table("dictionary").iloc[0]
    concepts = study.table("concepts").sort_values("correlation", ascending=False)
    model = study.record["config"]["training"]["model"]
    top = (f"{row.concept} {row.feature} ({row.correlation:.2f})" for row in concepts.head(TOP).itertuples())
    return [
        ("recommender", f"{MODELS.get(model, model)}, {len(study.items):,} items"),
        (
            "NDCG@10",
            f"{metrics.at['none', 'ndcg@10']:.3f} on test users, {metrics.at['all', 'ndcg@10']:.3f} through the "
            f"dictionary's reconstruction",
        ),
        (
            "dictionary",
            f"{study.sae.n_features} features at {study.site}, {dictionary['l0']:.0f} active at a step, "
            f"{dictionary['explained_variance']:.1%} of the variance explained",
        ),
        (
            "concepts",
            f"{len(concepts)}; mean top correlation {dictionary['sae_mean_top_correlation']:.3f}, of neurons "
            f"{dictionary['neuron_mean_top_correlation']:.3f}",
        ),
        ("top features", ", ".join(top) + (", …" if len(concepts) > TOP else "")),
    ]
