"""Histories as the tokens of an adapted recommender: with a plane for each further input of a step.

Axes: b histories, s steps, n further inputs of each step.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.errors import InputError
from recmodels.model import SequentialRecommender
from recmodels.model_parts import RecommenderConfig
from recmodels.sequences import USER, Histories


class AdaptedConfig(RecommenderConfig):
    """Size of an adapted recommender, and how to make its network again.

    Attributes:
        adapter: name of the adapter.
        settings: its settings, as JSON text.
        widths: the width of each site, as JSON text; this and what follows is measured (`recmodels.adapters.checks`).
        causal: whether no step sees later ones; None where the module has no steps.
        item_inputs: whether the site "embedding" gives `Adapter.embeddings`, and so can be given another item's.
    """

    model_type = "adapted"

    adapter: str = ""
    settings: str = "{}"
    widths: str = "{}"
    causal: bool | None = None
    item_inputs: bool = False


class AdaptedTokens(SequentialRecommender):
    """What an adapted recommender reads; the part of it that needs no pass.

    Its tokens are int64 [b, s]; or [b, s, 1 + n] where the module reads further inputs of each step, each a float64
    whose bits are read as a whole number.
    """

    config_class = AdaptedConfig
    adapter: Adapter

    @property
    def extras(self) -> tuple[str, ...]:
        """Names of the further inputs of each step."""
        return (*self.columns, *([USER] if self.adapter.by_user else []))

    def inference_inputs(self, histories: Histories) -> Tensor:
        """The last `max_history` items of each history, and a [MASK] if the module wants one.

        A [MASK] has the further inputs of the item before it.

        Raises:
            InputError: the histories lack a further input.
        """
        most, mask = self.config.max_history, (0, int(self.adapter.mask_step))
        tokens = F.pad(histories.tokens(most), mask, value=self.config.n_items + 1)
        if not self.extras:
            return tokens
        values = dict(self.adapter.extras(histories)) if self.columns else {}
        if self.adapter.by_user:
            if USER not in histories.extras:
                raise InputError("this recommender scores by user: give a mapping from user to item ids, or a table")
            values[USER] = histories.extras[USER]
        wide = replace(histories, extras=values)
        planes = [wide.extra(name, most) for name in self.extras]
        if self.adapter.mask_step:
            planes = [torch.cat([plane, plane[:, -1:]], dim=1) for plane in planes]
        return torch.stack([tokens, *(plane.view(torch.int64) for plane in planes)], dim=2)

    def example_histories(self, lengths: Sequence[int]) -> Histories:
        """Histories of these lengths of any items, with further inputs that `Adapter.example` gives."""
        histories = super().example_histories(lengths)
        values = {name: np.asarray(self.adapter.example(name, len(histories.codes))) for name in self.columns}
        if self.adapter.by_user:
            values[USER] = np.zeros(len(histories.codes))
        return replace(histories, extras=values)

    def step_tokens(self, input_ids: Tensor) -> Tensor:
        """The item token at each step that has hidden states; a module without steps has one, after the last item."""
        tokens = input_ids if input_ids.ndim == 2 else input_ids[..., 0]
        return tokens if self.adapter.has_steps else tokens[:, -1:]

    def checked_tokens(self, tokens: Tensor) -> Tensor:
        """Check tokens and return them.

        Raises:
            InputError: as in the base class, or they lack further inputs.
        """
        if not self.extras:
            return super().checked_tokens(tokens)
        if tokens.ndim != 3 or tokens.shape[2] != 1 + len(self.extras) or tokens.dtype != torch.int64:
            raise InputError(f"this recommender also reads {', '.join(self.extras)}: give histories, not tokens")
        super().checked_tokens(tokens[..., 0])
        return tokens

    def batch(self, input_ids: Tensor) -> Batch:
        """What the adapter reads of tokens."""
        adapter = self.adapter
        width = self.config.max_history + adapter.mask_step if adapter.full_width else None
        tokens = input_ids if input_ids.ndim == 2 else input_ids[..., 0]
        extras = {
            name: input_ids[..., place].contiguous().view(torch.float64)
            for place, name in enumerate(self.extras, start=1)
        }
        return Batch(tokens - 1, self.config.n_items, adapter.side, width, extras, adapter.has_steps)
