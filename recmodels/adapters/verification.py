"""Compares a recommender's scores with those of the program that trained it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from recmodels.adapters.expected import ExpectedScores, expected_scores, histories_of_records
from recmodels.adapters.origin import Coverage, Origin
from recmodels.adapters.transforms import explanation
from recmodels.errors import InputError, quote
from recmodels.ranking import Score
from recmodels.recommender import Recommender
from recmodels.scalars import as_number
from recmodels.sequences import Histories
from recmodels.steady import steady
from recmodels.tolerance import RELATIVE, is_close

_BATCH = 64
OTHERS = "the model has other weights or items than the one that gave the expected scores"


def verified(recommender: Recommender, expected: Any, score: Score | None = None) -> Recommender:
    """The recommender, whose origin says on how many histories its scores are those of another program.

    Args:
        recommender: the recommender.
        expected: scores of the other program, in a form that `recmodels.adapters.expected.expected_scores` reads.
        score: what gives the scores that are compared; by default the recommender.

    Raises:
        InputError: a score differs; or the expected ones cannot be read, or prove nothing because they are all equal or
            fit shifted item ids, too.
    """
    records = expected_scores(expected, recommender.vocabulary)
    histories = histories_of_records(records, recommender.vocabulary)
    comparison = _Comparison(recommender, records, histories, score or recommender.score)
    comparison.check()
    model = recommender.model
    origin = recommender.origin or Origin(model.config.model_type)
    return replace(
        recommender,
        origin=replace(
            origin, verified=comparison.n_histories, difference=comparison.difference, coverage=comparison.coverage
        ),
    )


class _Comparison:
    """Expected scores beside the recommender's.

    Args:
        recommender: the recommender.
        records: the expected scores.
        histories: of the records.
        score: what gives the recommender's scores.
    """

    def __init__(self, recommender: Recommender, records: list[ExpectedScores], histories: Histories, score: Score):
        self.records, self.histories, self.score = records, histories, score
        self.n_items = len(recommender.vocabulary)
        self.items = [item for record in records for item in record.scores.keys()]  # noqa: SIM118 - it may be a Series
        self.rows = np.repeat(np.arange(len(records)), [len(record.scores) for record in records])
        self.codes = recommender.vocabulary.encode(self.items).astype(np.int64)
        cells = [value for record in records for value in dict(record.scores).values()]
        self.values = np.array([self._number(place, cell) for place, cell in enumerate(cells)])
        self._leave_out_masked()
        self.scores = self._scores(0)
        self.difference = float(np.abs(self.scores - self.values).max())

    def check(self) -> None:
        """Refuse other scores, and scores that prove nothing.

        Raises:
            InputError: as `verified`.
        """
        if not self._is_telling:
            raise InputError(
                f"the expected scores prove nothing, as {'there is one' if len(self.values) == 1 else 'all are equal'}"
                f": give those of more items, as the other program's own prediction gives them"
            )
        bad = ~self._fits(self.scores)
        if bad.any():
            place = int(bad.argmax())
            why = OTHERS
            for shift in (1, -1):
                if self.n_items > 1 and self._fits(self._scores(shift)).all():
                    why = "they fit item ids that are shifted by one: correct the order of the item ids"
            if why is OTHERS:
                why = self._explanation(bad) or OTHERS
            raise InputError(
                f"item {quote(self.items[place])} has the score {self.scores[place]:.6g} after "
                f"{quote(self._key(place))}, where {self.values[place]:.6g} was expected: {why}"
            )
        if self.n_items > 1 and any(self._fits(self._scores(shift)).all() for shift in (1, -1)):
            raise InputError(
                "the expected scores would also fit item ids that are shifted by one, so they prove nothing: give "
                "those of more items"
            )

    @property
    def coverage(self) -> Coverage:
        """What the expected scores cover."""
        lengths, items = np.unique(self.histories.lengths[self.rows]), np.unique(self.codes)
        return Coverage(int(lengths[0]), int(lengths[-1]), len(lengths), len(self.codes), len(items), self.n_items)

    @property
    def n_histories(self) -> int:
        """How many histories have a score that is compared."""
        return len(np.unique(self.rows))

    @property
    def _is_telling(self) -> bool:
        return bool(np.ptp(self.values) > RELATIVE * np.abs(self.values).max())

    def _fits(self, scores: np.ndarray) -> np.ndarray:
        return is_close(torch.from_numpy(scores), torch.from_numpy(self.values)).numpy()

    def _leave_out_masked(self) -> None:
        """Compare no score of -inf, which a program gives to the items of a history that it does not repeat.

        Raises:
            InputError: an item is masked that its history does not have, or all are.
        """
        masked = np.isneginf(self.values)
        if not masked.any():
            return
        strangers = masked & ~self._seen
        if strangers.any():
            place = int(strangers.argmax())
            raise InputError(
                f"the expected score of item {quote(self.items[place])} after {quote(self._key(place))} is -inf, which "
                f"only an item of the history may have: leave the item out, or correct the order of the item ids"
            )
        if masked.all():
            raise InputError("the expected scores are all -inf: give those of items that the histories do not have")
        self._keep(~masked)

    @property
    def _seen(self) -> np.ndarray:
        """Whether an item is one of its history: bool [expected score]."""
        n = self.n_items
        in_history = np.repeat(np.arange(len(self.histories)), self.histories.lengths) * n + self.histories.codes
        return np.isin(self.rows * n + self.codes, in_history)

    def _keep(self, kept: np.ndarray) -> None:
        self.items = [item for item, keep in zip(self.items, kept.tolist(), strict=True) if keep]
        self.rows, self.codes, self.values = self.rows[kept], self.codes[kept], self.values[kept]

    def _explanation(self, bad: np.ndarray) -> str | None:
        """What is known of scores like these, and what to do."""
        if (self._seen | ~bad).all() and np.ptp(self.values[bad]) == 0:
            return "all items of the histories have this score, so they are masked: write -inf, or leave them out"
        return explanation(self.scores, self.values, self.rows, self.codes)

    @steady()
    def _scores(self, shift: int) -> np.ndarray:
        """Scores if each item had the code after its own: float64 [expected score]."""
        codes = (self.histories.codes + shift) % self.n_items
        shifted = replace(self.histories, codes=codes.astype(np.int32))
        scores = torch.cat([self.score(batch).cpu() for batch in shifted.batches(_BATCH)]).double().numpy()
        return scores[self.rows, (self.codes + shift) % self.n_items]

    def _number(self, place: int, cell: Any) -> float:
        number = as_number(cell)
        number = pd.to_numeric(cell, errors="coerce") if number is None and isinstance(cell, str) else number
        if number is None or not (np.isfinite(float(number)) or np.isneginf(float(number))):
            raise InputError(
                f"the expected score of item {quote(self.items[place])} after {quote(self._key(place))} is "
                f"{quote(cell)}: give a finite number (-inf for an item of the history that is masked), or leave it out"
            )
        return float(number)

    def _key(self, place: int) -> Any:
        record = self.records[self.rows[place]]
        return tuple(record.history) if record.user is None else record.user
