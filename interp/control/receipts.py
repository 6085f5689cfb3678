"""Receipts: what a steer changed in the lists of many users, and how sure that is.

Axes: n users, k places of a list, v items, c concepts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.concepts.suggestions import unknown_concept
from interp.control.intervals import of_diversity, of_exposure, of_means
from interp.control.popularity import by_code
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import user_overlap, user_shares
from interp.control.user_metrics import item_table, user_metrics, values_of
from interp.model.envoys import RecommenderEnvoy, check_envoy
from interp.steering.edits import Steer
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError, for_terminal
from recmodels.scalars import whole_number
from recmodels.vocabulary import Vocabulary
from recmodels.wording import counted, signed

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
SHOWN = 5  # concepts in the short form, where no target is named


@dataclass(frozen=True)
class Receipt:
    """What a steer changed. It has a display for Jupyter and for a terminal.

    The display has the targets, and every other concept whose share moved beyond its interval.

    Three columns `before`, `after` and `change` come with their bounds, `before_low`, `before_high` and so on.

    Attributes:
        measures: measure, interval ("bootstrap" or "jackknife"), and these nine columns.
        shares: concept, target (whether it was meant to change), and these nine columns.
        users: measure ("overlap" or "change of share"), concept (None for the overlap), quantile, value: the spread
            over users.
        n_users: users.
        k: list length.
        level: confidence level of the bounds.
    """

    measures: pd.DataFrame
    shares: pd.DataFrame
    users: pd.DataFrame
    n_users: int
    k: int
    level: float

    @property
    def moved(self) -> pd.DataFrame:
        """The rows of `shares` whose interval of the change leaves out 0, targets and others, the largest first."""
        beyond = (self.shares["change_low"] > 0) | (self.shares["change_high"] < 0)
        return self.shares[beyond].sort_values("change", key=np.abs, ascending=False, kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists, strings and numbers, None where there is no number: ready for JSON."""
        tables = {name: _records(getattr(self, name)) for name in ("measures", "shares", "users")}
        return {"n_users": self.n_users, "k": self.k, "level": self.level, **tables}

    @property
    def _title(self) -> str:
        users = counted(self.n_users, "user")
        intervals = "no intervals" if self.n_users == 1 else f"{self.level:.0%} intervals over users"
        return f"{users}, top {self.k}, {intervals}"

    def _lines(self) -> list[list[str]]:
        """Label, before, after, change and its interval: the targets, the other concepts that moved, the measures."""
        shares = self.shares[self.shares["target"]]
        if shares.empty:
            shares = self.shares.loc[self.shares["change"].abs().nlargest(SHOWN).index]
        moved = self.moved.drop(shares.index, errors="ignore")
        shares = pd.concat([shares, moved])
        names = [f"share of {concept}" for concept in shares["concept"]]
        sections = [(names, shares), (self.measures["measure"], self.measures)]
        return [
            [
                str(label),
                _number(row.before),
                _number(row.after),
                _number(row.change, "+"),
                _interval(row.change_low, row.change_high),
            ]
            for labels, table in sections
            for label, row in zip(labels, table.itertuples(), strict=True)
        ]

    @for_terminal
    def __repr__(self) -> str:
        lines = [["", "before", "after", "change", "interval"], *self._lines()]
        width = max(len(line[0]) for line in lines)
        body = (f"{line[0]:<{width}}" + "".join(f"{c:>10}" for c in line[1:4]) + f"  {line[4]}" for line in lines)
        return "\n".join([self._title, *body])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(label)}</th>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
            for label, *cells in self._lines()
        )
        head = "".join(f"<th>{name}</th>" for name in ("", "before", "after", "change", "interval of the change"))
        return f"<b>{self._title}</b><table><tr>{head}</tr>{rows}</table>"


def receipt(
    before: np.ndarray,
    after: np.ndarray,
    labels: np.ndarray,
    concepts: Sequence[str],
    popularity: np.ndarray,
    truth: np.ndarray | None = None,
    *,
    targets: Sequence[str] = (),
    head: float = 0.8,
    resampling: Resampling | None = None,
    ids: pd.Index | None = None,
) -> Receipt:
    """What a steer changed, from the same users' lists before and after.

    The intervals show how much these numbers vary between samples of as many similar users; one user has none. Before
    and after are resampled together. Means over users and diversity have bootstrap percentile intervals; coverage and
    the Gini index have jackknife intervals, because a bootstrap sample lists fewer items (`interp.control.intervals`).

    No interval covers the variation between training runs, dictionaries or choices of feature, nor corrects for the
    many comparisons in a table of all concepts.

    Args:
        before: int [n, k] item codes, −1 where a list ran out.
        after: the steered lists of the same users.
        labels: bool [v, c], concepts of every item in code order.
        concepts: names of the columns of `labels`.
        popularity: [v], training interactions of every item in code order.
        truth: int [n], each user's held-out item; without it metrics that need one are left out, such as NDCG.
        targets: the concepts that were meant to change, all if none is named.
        head: share of the interactions that makes the head of the catalogue, the rest being the long tail.
        resampling: how intervals are made, by default 95% ones from 1,000 samples.
        ids: [v] item ids in code order, for metrics of your own (`interp.register_metric`); by default the codes.

    Raises:
        InputError: shapes that do not belong together, an unknown item or concept.
    """
    _check(before, after, labels, concepts, popularity, truth, targets)
    resampling = resampling or Resampling()
    n, k = before.shape
    sides, items = (before, after), item_table(popularity, ids, head)
    means: dict[str, list[np.ndarray]] = {"overlap": [user_overlap(before, lists) for lists in sides]}
    for metric in user_metrics(truth is not None):
        means[f"{metric.name}@{k}"] = [values_of(metric, lists, truth, items) for lists in sides]

    shares = [user_shares(lists, labels) for lists in sides]
    values = [np.column_stack([*(pair[side] for pair in means.values()), shares[side]]) for side in (0, 1)]
    table = of_means(values[0], values[1], resampling)
    exposure, diversity = (
        of_exposure(before, after, len(popularity), resampling),
        of_diversity(before, after, resampling),
    )
    measures = pd.concat([table[: len(means)], exposure, diversity], ignore_index=True)
    measures.insert(0, "measure", [*means, f"coverage@{k}", f"gini@{k}", f"diversity@{k}"])
    measures.insert(1, "interval", ["bootstrap"] * len(means) + ["jackknife"] * 2 + ["bootstrap"])
    table = table[len(means) :].reset_index(drop=True)
    table.insert(0, "concept", list(concepts))
    table.insert(1, "target", [name in targets for name in concepts])
    columns = [list(concepts).index(name) for name in targets or concepts]
    users = _quantiles(means["overlap"][1], (shares[1] - shares[0])[:, columns], [concepts[c] for c in columns])
    return Receipt(measures, table, users, n, k, resampling.level)


def steering_receipt(
    rec: RecommenderEnvoy,
    histories: Any,
    steer: Steer,
    concepts: Concepts,
    popularity: pd.Series,
    k: int = 10,
    *,
    targets: Sequence[str] = (),
    head: float = 0.8,
    resampling: Resampling | None = None,
) -> Receipt:
    """What a steer changes in the lists of these users.

    Args:
        rec: the recommender, with a dictionary at the steer's site.
        histories: users, in any form. The last item of each is held out as the truth, unless one has no other.
        steer: what is done.
        concepts: whose shares are reported.
        popularity: training interactions by item id, such as `study.items["popularity"]`.
        k: list length.
        targets, head, resampling: as in `receipt`.

    Raises:
        InputError: the steer cannot be carried out, or an item lacks concepts or popularity.
    """
    check_envoy(rec)
    inputs, truth = rec.recommender.histories(histories), None
    if (inputs.lengths > 1).all():
        inputs, truth = inputs.split_last()
    k = whole_number("k", k, most=len(rec.recommender.vocabulary))
    lists = steered_lists(rec, inputs, [Steer((), steer.site), steer], k)
    about: dict[str, Any] = {"targets": targets, "head": head, "resampling": resampling}
    return receipt_of_lists(rec.recommender.vocabulary, lists, concepts, popularity, truth, **about)


def receipt_of_lists(
    vocabulary: Vocabulary,
    lists: Sequence[np.ndarray] | np.ndarray,
    concepts: Concepts,
    popularity: pd.Series,
    truth: np.ndarray | None,
    **about: Any,
) -> Receipt:
    """`receipt` of the two lists of each user, before and after, by what is known of a recommender's items."""
    before, after = lists
    labels, counts = concepts.labels(vocabulary.ids), by_code(popularity, vocabulary)
    return receipt(before, after, labels, concepts.names, counts, truth, ids=vocabulary.ids, **about)


def _quantiles(overlap: np.ndarray, changes: np.ndarray, concepts: Sequence[str]) -> pd.DataFrame:
    values = np.quantile(np.column_stack([overlap, changes]), QUANTILES, axis=0)
    return pd.DataFrame(
        {
            "measure": np.repeat(["overlap", *["change of share"] * len(concepts)], len(QUANTILES)),
            "concept": np.repeat(np.array([None, *concepts], dtype=object), len(QUANTILES)),
            "quantile": np.tile(QUANTILES, len(concepts) + 1),
            "value": values.T.ravel(),
        }
    )


def _check(
    before: np.ndarray,
    after: np.ndarray,
    labels: np.ndarray,
    concepts: Sequence[str],
    popularity: np.ndarray,
    truth: np.ndarray | None,
    targets: Sequence[str],
) -> None:
    if before.shape != after.shape or not before.size:
        raise InputError(
            f"lists before are {before.shape}, after {after.shape}: give at least one user, the same users and k twice"
        )
    if truth is not None and truth.shape != before.shape[:1]:
        raise InputError(f"{counted(len(truth), 'true item')} for {counted(len(before), 'user')}: give one for each")
    if labels.shape != (len(popularity), len(concepts)):
        raise InputError(
            f"labels are {labels.shape} for {counted(len(popularity), 'item')} and "
            f"{counted(len(concepts), 'concept')}: give a row per item and a column per concept"
        )
    if max(before.max(), after.max()) >= len(popularity):
        raise InputError(f"a list holds an item beyond the {len(popularity)} with a popularity: give one for each item")
    for name in targets:
        if name not in concepts:
            raise InputError(unknown_concept(name, concepts))


def _interval(low: float, high: float) -> str:
    return "–" if np.isnan(low) else f"[{_number(low, '+')}, {_number(high, '+')}]"


def _number(value: float, sign: str = "") -> str:
    if np.isnan(value):
        return "–"
    return signed(value, f"{sign}.3f" if abs(value) < 10 else f"{sign}.1f")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")
