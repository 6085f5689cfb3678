"""The results of a study as text, for the end of a run."""

import json
import math
import shutil
from functools import partial

import pandas as pd

from interp.control.cost_intervals import CANNOT_TELL, FAILS, HOLDS
from interp.control.sweeps import monotone
from interp.features.grades import label_counts
from interp.pages.verdicts import verdicts
from interp.plots.blocks import intervals
from interp.plots.names import RANKING
from interp.store.claim import tally
from interp.study.beside_popular import beside_popular
from interp.study.glance import from_elsewhere, highlights
from interp.study.headline import headline, weak_concepts
from interp.study.study import Study
from recmodels.errors import for_terminal
from recmodels.wording import cut, signed, wrapped

LONGEST = 18  # characters of a concept's name, so that a table fits 80 columns
INNER = 4.0  # values between which a share should rise with its feature, and which have a column


@for_terminal
def summary(study: Study) -> str:
    """The lines that end a run: quality of the model and the dictionary, top features, and what steering did."""
    numbers, first = highlights(study), headline(study)
    example = _literal(study.table("concepts")["concept"][0]) if first else "0"
    return "\n".join(
        [
            "",
            *map(_wrap, _recommender(study)),
            *map(_wrap, study.notes),
            _wrap(
                f"The dictionary: {numbers.n_features} features, {numbers.l0:.0f} active at a time, explaining "
                f"{signed(numbers.explained_variance, '.1%')} of the variance; through its reconstruction NDCG@10 is "
                f"{numbers.reconstructed}."
            ),
            *([_wrap(f"It was imported from {from_elsewhere(study)}")] if from_elsewhere(study) else []),
            *map(_wrap, _too_dense(study)),
            _wrap(f"Features with a label that holds on unseen users: {label_counts(study.table('labels'))}."),
            "",
            *([*map(_wrap, first.sentences), "", *_concepts(study)] if first else []),
            f"{study.folder / 'report.html'}:",
            _wrap(f"  the paper's tables and figures; {tally(verdicts(study))}."),
            f"{study.folder / 'dashboard.html'}:",
            "  every feature. In Python:",
            f"  study = interp.open({_literal(str(study.folder))}); study.features[{example}]",
            *map(_wrap, _warning(study)),
        ]
    )


def _concepts(study: Study) -> list[str]:
    """The top feature of each concept, and what steering it did."""
    weak, concepts = weak_concepts(study), study.table("concepts")
    steering = study.table("steering").query("method == 'set'")
    unseen = study.table("evidence").query("source == 'features'").set_index("concept")["unseen_items"]
    turned = _columns(steering["value"].dropna().unique().tolist())
    number = partial(signed, form=".3f")
    width = min(LONGEST, max(map(len, ["concept", *concepts["concept"]])))
    return [
        "Top feature of each concept (weak: no better than chance on unseen items):",
        f"  {'concept':<{width}}{'feature':>9}{'as the paper':>14}{'unseen items':>14}{'best neuron':>13}",
        *(
            f"  {cut(row.concept, width):<{width}}{row.feature:>9}{number(row.correlation):>14}"
            f"{number(unseen[row.concept]):>14}{number(row.neuron_correlation):>13}"
            f"{'  weak' if row.concept in weak else ''}"
            for row in concepts.itertuples()
        ),
        "",
        "Turning a feature down and up: share of its concept in the top 10 (NDCG@10)",
        f"  {'concept':<{width}}{''.join(f'{_head(value):>15}' for value in turned)}",
        *(_steering_line(rows, turned, width) for _, rows in steering.groupby("target", sort=False)),
        *_rising(steering),
        *map(_wrap, _beside_reranking(study.table("cost_differences"))),
        "",
    ]


def _head(value: float) -> str:
    """What the feature is set to, as the head of a column."""
    return "as is" if math.isnan(value) else signed(value, "+g") if value else "0"


def _literal(text: str) -> str:
    """Text as Python writes it, in double quotes as the documentation does; for a line that people copy."""
    return json.dumps(text, ensure_ascii=False)


def _wrap(line: str) -> str:
    """A sentence on lines that fit the terminal; words stay whole."""
    width = max(shutil.get_terminal_size().columns, 60)
    return wrapped(line, width, rest="  ")


def _recommender(study: Study) -> list[str]:
    """How good the recommender is, beside the most popular items."""
    if beside_popular(study) is None:
        plain = study.table("recommender").set_index("replaced").loc["none", list(RANKING)]
        return [f"The recommender: {_each(plain, '{:.3f}')} on {study.provenance.test_users}."]
    rows = study.table("most_popular").query("part == 'test'").set_index("measure")

    def means(side: str) -> str:
        return _each(rows[side].map("{:.3f}".format) + rows[f"{side}_se"].map(" ± {:.3f}".format))

    return [
        f"The recommender: {means('recommender')} on {study.provenance.test_users} (± standard error).",
        f"The most popular items: {means('most_popular')}.",
        f"Difference: {_each(pd.Series(intervals(rows, 'difference', signs=True), rows.index))} (95% intervals).",
        *_warning(study),
    ]


def _each(values: pd.Series, form: str = "{}") -> str:
    """Measures of lists by their names, on a line."""
    return ", ".join(f"{name} {form.format(values[key])}" for key, name in RANKING.items())


def _warning(study: Study) -> list[str]:
    """What must not be missed of a recommender that is not better than the most popular items."""
    beside = beside_popular(study)
    return [f"WARNING: {beside.warning}"] if beside and beside.warning else []


def _too_dense(study: Study) -> list[str]:
    """A warning if no dictionary was as sparse as the configuration asks for."""
    table, limit = study.table("dictionaries"), study.record["config"]["max_l0"]
    dictionary = table[table["chosen"]].iloc[0]
    if dictionary["val_l0"] <= limit:
        return []
    return [f"No dictionary has at most {limit:g} features active on held-out users (max_l0): this is the sparsest."]


def _rising(steering: pd.DataFrame) -> list[str]:
    """For how many targets the share rises throughout, if the values allow to tell."""
    low, high = steering["value"].min(), steering["value"].max()
    if not low <= -INNER < INNER <= high:
        return []
    rising = monotone(steering, -INNER, INNER)
    return [f"  rising throughout from {signed(-INNER)} to {INNER:g} for {int(rising.sum())} of {len(rising)}"]


def _beside_reranking(cost_differences: pd.DataFrame) -> list[str]:
    """For which targets the top feature costs no more than re-ranking, where both reach a share."""
    pair = cost_differences.query("method == 'set' and other == 'boost' and times == 1").dropna(subset=["difference"])
    words = {HOLDS: "no dearer for", FAILS: "dearer for", CANNOT_TELL: "cannot tell for"}
    parts = [
        f"{word} {', '.join(targets)}"
        for name, word in words.items()
        if (targets := pair.loc[pair["verdict"] == name, "target"].tolist())
    ]
    return [f"NDCG@10 beside re-ranking to the same shares (95% intervals): {'; '.join(parts)}."] if parts else []


def _columns(values: list[float]) -> list[float]:
    """The values with a column: the lowest and the highest of those from −4 to 4, or of all, 0, and NaN for as is."""
    inner = sorted(value for value in values if abs(value) <= INNER) or sorted(values)
    some = dict.fromkeys([inner[0], *(value for value in inner if value == 0), inner[-1]])
    return [*(value for value in some if value <= 0), math.nan, *(value for value in some if value > 0)]


def _steering_line(rows: pd.DataFrame, turned: list[float], width: int) -> str:
    def cell(value: float) -> str:
        at = rows[rows["value"].isna()] if math.isnan(value) else rows[rows["value"] == value]
        return "" if at.empty else f"{at['share'].item():.2f} ({at['ndcg@10'].item():.3f})"

    cells = "".join(f"{cell(value):>15}" for value in turned)
    return f"  {cut(rows['target'].iloc[0], width):<{width}}{cells}".rstrip()
