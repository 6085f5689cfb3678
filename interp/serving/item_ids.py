"""From item ids to the tokens of an exported recommender."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from recmodels.errors import InputError, quote
from recmodels.scalars import as_number

PAD = 0


@dataclass(frozen=True)
class ItemIds:
    """The items that a recommender knows, and how it reads histories of them.

    Attributes:
        ids: the id of each item; its place here is its code, its token is one more.
        max_history: how many of a history's last items are read.
        suffix: tokens after every history, such as BERT4Rec's [MASK].
        full_width: whether every history is padded to `max_history`; otherwise to the longest.
    """

    ids: Sequence[Any]
    max_history: int
    suffix: tuple[int, ...] = ()
    full_width: bool = False

    @cached_property
    def _codes(self) -> dict[Any, int]:
        return {item: code for code, item in enumerate(self.ids)}

    def codes(self, user: Any, history: Any, skip_unknown: bool) -> list[int]:
        """Codes of one history.

        Args:
            user: whose, for the message.
            history: a list of item ids, oldest first.
            skip_unknown: leave out items that the recommender does not know, instead of an error.

        Raises:
            InputError: not a list, or no known item in it; or an unknown one that is not to be left out.
        """
        whose = f"the history of user {quote(user)}"
        if isinstance(history, str | bytes | Mapping) or not hasattr(history, "__iter__"):
            raise InputError(f"{whose} is {quote(history)}: give a list of item ids, oldest first")
        history = list(history)
        codes = [self._code(item) for item in history]
        unknown = [item for item, code in zip(history, codes, strict=True) if code is None]
        if unknown and not skip_unknown:
            n = "an item that is" if len(unknown) == 1 else f"{len(unknown)} items that are"
            raise InputError(
                f"{whose} has {n} unknown to this recommender, such as {quote(unknown[0])}: leave such items out, pass "
                f"skip_unknown=True, or write ids as this recommender does, such as {quote(self.ids[0])}"
            )
        known = [code for code in codes if code is not None]
        if not known:
            raise InputError(f"{whose} has no item that this recommender knows: give at least one")
        return known

    def tokens(self, codes: list[list[int]]) -> Tensor:
        """What the program reads: int64 [b, s], padded on the left."""
        width = self.max_history if self.full_width else min(max(map(len, codes)), self.max_history)
        rows = [[code + 1 for code in row[-self.max_history :]] for row in codes]
        return torch.tensor([[PAD] * (width - len(row)) + row + list(self.suffix) for row in rows])

    def _code(self, item: Any) -> int | None:
        """The code of an id, which may be a whole float or text in another of Unicode's forms; None if unknown."""
        if isinstance(item, str):
            code = self._codes.get(item)
            return self._codes.get(unicodedata.normalize("NFC", item.strip())) if code is None else code
        number = as_number(item)
        return None if number is None else self._codes.get(number)
