"""A study at a glance: the numbers that its pages, its report and its summary state about it."""

from dataclasses import dataclass
from html import escape

from interp.features.grades import label_counts
from interp.study.beside_popular import beside_popular
from interp.study.headline import headline, weak_concepts
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError
from recmodels.wording import counted, signed, with_interval

BOUNDS = ["ndcg@10_low", "ndcg@10_high"]
CHANGE = ["ndcg@10_change", "ndcg@10_change_low", "ndcg@10_change_high"]
NDCG = ["ndcg@10", *BOUNDS, *CHANGE]
TOP = 8  # concepts whose top feature is listed


@dataclass(frozen=True)
class Highlights:
    """The most important numbers of a study, not rounded.

    Attributes:
        model: display name of the recommender's kind, such as "GPTRec".
        n_items: items that the recommender knows.
        n_features: features of the dictionary.
        n_concepts: concepts.
        l0: features that are active at a step, on average.
        explained_variance: share of the activations' variance that the dictionary explains.
        ndcg: NDCG@10 on the test users.
        ndcg_reconstructed: the same, with activations replaced by the dictionary's reconstruction.
        ndcg_change: how much that is more, paired by user, with its 95% bounds; NaN from a release without them.
        ndcg_bounds, ndcg_reconstructed_bounds: 95% bounds over the test users of the two; NaN likewise.
        sae_correlation: mean over concepts of the best correlation with a feature.
        neuron_correlation: the same with a neuron.
    """

    model: str
    n_items: int
    n_features: int
    n_concepts: int
    l0: float
    explained_variance: float
    ndcg: float
    ndcg_reconstructed: float
    ndcg_change: tuple[float, float, float]
    ndcg_bounds: tuple[float, float]
    ndcg_reconstructed_bounds: tuple[float, float]
    sae_correlation: float
    neuron_correlation: float

    @property
    def reconstructed(self) -> str:
        """NDCG@10 through the reconstruction as text: "0.127, change +0.002 [−0.010, +0.015]"."""
        change, low, high = self.ndcg_change
        beside = f", change {with_interval(change, low, high, '+.3f')}" if change == change else ""
        return f"{self.ndcg_reconstructed:.3f}{beside}"


def highlights(study: StudyParts) -> Highlights:
    """The numbers of a study at a glance.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    dictionary = study.table("dictionary").iloc[0]
    ndcg = study.table("recommender").set_index("replaced").reindex(columns=NDCG)
    plain, reconstructed = ndcg.loc["none"], ndcg.loc["all"]
    return Highlights(
        model=study.provenance.title,
        n_items=len(study.items),
        n_features=len(study.table("features")),
        n_concepts=len(study.table("concepts")),
        l0=dictionary["l0"],
        explained_variance=dictionary["explained_variance"],
        ndcg=plain["ndcg@10"],
        ndcg_reconstructed=reconstructed["ndcg@10"],
        ndcg_change=tuple(reconstructed[CHANGE]),
        ndcg_bounds=tuple(plain[BOUNDS]),
        ndcg_reconstructed_bounds=tuple(reconstructed[BOUNDS]),
        sae_correlation=dictionary["sae_mean_top_correlation"],
        neuron_correlation=dictionary["neuron_mean_top_correlation"],
    )


def from_elsewhere(study: StudyParts) -> str:
    """Where an imported dictionary comes from, and whether it fits its activations; empty for one of the study's own.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    if not study.config.get("dictionary"):
        return ""
    source = study.sae.provenance.source
    if study.table("dictionary")["explained_variance"].iloc[0] > 0:
        return source
    return (
        f"{source}. WARNING: it explains less of the activations than their mean does: was it trained on this "
        f"recommender, at {study.site}, and on activations as they are (see normalise)?"
    )


def facts(study: StudyParts) -> list[tuple[str, str]]:
    """Names and texts for Jupyter and the terminal; only the folder if the study's tables cannot be read."""
    folder = ("folder", str(study.folder))
    if study.other is not None:  # whose tables would have to be computed
        name = f"{study.other.config.name}, {counted(study.other.n_features, 'feature')} at {study.site}"
        return [("dictionary", f"{name}; not the run's own: its tables are computed when they are asked for"), folder]
    try:
        return [*_quality(study), folder]
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


def _quality(study: StudyParts) -> list[tuple[str, str]]:
    numbers, beside = highlights(study), beside_popular(study)
    first = headline(study)
    return [
        *([("WARNING", beside.warning)] if beside and beside.warning else []),
        *(("note", line) for line in study.notes),
        ("recommender", f"{numbers.model}, {counted(numbers.n_items, 'item')}"),
        (
            "NDCG@10",
            f"{with_interval(numbers.ndcg, *numbers.ndcg_bounds, '.3f')} on test users; through the dictionary's "
            f"reconstruction {numbers.reconstructed}",
        ),
        *([("beside most popular", beside.comparison)] if beside and not beside.warning else []),
        (
            "dictionary",
            f"{counted(numbers.n_features, 'feature')} at {study.site}, {numbers.l0:.0f} active at a step, "
            f"{signed(numbers.explained_variance, '.1%')} of the variance explained",
        ),
        ("labels", label_counts(study.table("labels"))),
        *([("imported", from_elsewhere(study))] if from_elsewhere(study) else []),
        *([*first.facts, ("top features", _top_features(study))] if first else []),
    ]


def _top_features(study: StudyParts) -> str:
    """The best aligned concepts that are above chance, each with its top feature."""
    concepts = study.table("concepts").sort_values("correlation", ascending=False)
    concepts = concepts[~concepts["concept"].isin(weak_concepts(study))]
    top = [f"{row.concept} {row.feature} ({signed(row.correlation, '.2f')})" for row in concepts.head(TOP).itertuples()]
    return (", ".join(top) or "none above chance") + (", …" if len(concepts) > TOP else "")
