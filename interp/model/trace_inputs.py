"""What a trace reads: histories as tokens, items and users.

Axes: b users, s steps.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from interp.steering.ambient import in_force
from recmodels.errors import InputError, quote
from recmodels.lists import user_index
from recmodels.recommender import Recommender
from recmodels.sequences import PAD, Histories, as_histories
from recmodels.steady import steady


class TraceInputs:
    """Reads the histories of a trace; a part of `RecommenderEnvoy`."""

    recommender: Recommender
    lock: Any
    interleaver: Any
    # A trace asks several times for the tokens of the same histories. Forgotten after the pass, as arrays can change.
    _latest: tuple[Histories, Tensor] | None = None

    def item_grid(self, histories: Any) -> np.ndarray:
        """Item ids at the steps of a trace of these histories: object [b, s].

        None where there is no item: at padding, and at BERT4Rec's last step, the [MASK].
        """
        tokens = self._step_tokens(histories)
        ids = np.array([None, *self.recommender.vocabulary.ids.tolist()], dtype=object)
        return ids[torch.where(self._is_item(tokens), tokens, 0).numpy()]

    def item_steps(self, histories: Any) -> Tensor:
        """Which steps of a trace of these histories hold an item: bool [b, s]."""
        return self._is_item(self._step_tokens(histories))

    @steady()
    def _tokens(self, histories: Any) -> Tensor:
        model, vocabulary = self.recommender.model, self.recommender.vocabulary
        if isinstance(histories, Tensor):
            return model.checked_tokens(histories)
        latest = self._latest
        if latest is not None and latest[0] is histories:
            return latest[1]
        rows = as_histories(histories, vocabulary)
        tokens = model.inference_inputs(rows)
        self._latest = rows, tokens
        return tokens

    def _step_tokens(self, histories: Any) -> Tensor:
        return self.recommender.model.step_tokens(self._tokens(histories))

    def _users(self) -> pd.Index:
        """Labels of the users of the current forward pass; the users of tokens are row numbers."""
        labels = []
        for (batch, *_), _ in self.interleaver.batcher.invokes:
            rows = isinstance(batch, Tensor)
            users = pd.RangeIndex(len(batch)) if rows else self.recommender.histories(batch).users
            self._check_named(batch, len(users))
            labels.append(users)
        return user_index([label for index in labels for label in index])

    def _is_item(self, tokens: Tensor) -> Tensor:
        return (tokens > PAD) & (tokens <= len(self.recommender.vocabulary))

    def _check_named(self, histories: Any, n: int) -> None:
        """Refuse values by user for histories without users, because a row number may also be the id of a user."""
        if not isinstance(histories, list | tuple | np.ndarray | Tensor):
            return
        for force in in_force(self.lock):
            strangers = force.steer.users.difference(range(n))
            if strangers:
                raise InputError(
                    f"these {n} histories name no users and are known by their row, from 0, and this steer has a value "
                    f"for user {quote(next(iter(strangers)))}: give a mapping from user to history"
                )
