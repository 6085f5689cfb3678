"""A trained module of another program as a recommender of this one.

Axes: b histories, s steps, d width, n further inputs of each step, v items.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.registry import ADAPTERS
from recmodels.adapters.taps import AdapterScorer, Tap, add_tap, through
from recmodels.config import site_names
from recmodels.errors import InputError
from recmodels.model import RecommenderConfig, RecommenderOutput, SequentialRecommender
from recmodels.sequences import USER, Histories
from recmodels.steady import steady


class AdaptedConfig(RecommenderConfig):
    """Size of an adapted recommender, and how to make its network again.

    Attributes:
        adapter: name of the adapter.
        settings: its settings, as JSON text.
        widths: the width of each site, as JSON text.
    """

    model_type = "adapted"

    adapter: str = ""
    settings: str = "{}"
    widths: str = "{}"


class AdaptedRecommender(SequentialRecommender):
    """A recommender around a foreign module. `wrap` makes it.

    Its tokens are int64 [b, s]; or [b, s, 1 + n] where the module reads further inputs of each step, each a float64
    whose bits are read as a whole number.

    Args:
        config: its size; without an adapter, the network is built from `config.settings`.
        adapter: the adapter with the trained module.
    """

    config_class = AdaptedConfig

    def __init__(self, config: AdaptedConfig, adapter: Adapter | None = None) -> None:
        super().__init__(config)
        self.adapter = adapter or ADAPTERS.find(config.adapter).build(json.loads(config.settings))
        self.module = self.adapter.module
        self.columns = tuple(self.adapter.columns)
        self.scorer: Any = AdapterScorer(self.adapter.score)
        self.taps = nn.Module()
        self._batch: Batch | None = None
        paths = self.adapter.site_paths()
        ordered = [name for name in site_names(self.adapter.blocks()) if name in paths or name == "final"]
        self._sites = {name: f"taps.{name}" for name in ordered}
        for name in ordered:
            tap = add_tap(self.taps, name)
            if name in paths:
                self.module.get_submodule(paths[name]).register_forward_hook(self._hook(tap, name))
        self.post_init()

    @classmethod
    def fewest_weights(cls, config: RecommenderConfig) -> int:
        """How many weights a model of this configuration has at least: one for each item."""
        return config.n_items

    @classmethod
    def from_tensors(cls, config: RecommenderConfig, tensors: dict[str, Tensor]) -> "AdaptedRecommender":
        """The model of a configuration with these weights.

        The module is built as its program builds it, so that what it keeps beside its weights is there, too.
        """
        assert isinstance(config, AdaptedConfig)
        with torch.random.fork_rng():
            model = cls(config)
        model.load_state_dict(tensors, strict=False)  # a tensor with two names was saved under one of them
        return model

    def _init_weights(self, module: nn.Module) -> None:
        """Draw nothing: all weights are trained."""

    @property
    def sites(self) -> dict[str, str]:
        """Site name → path of its tap, in the order of a forward pass."""
        return self._sites

    def width(self, site: str) -> int:
        """d of a site, as measured when the module was wrapped."""
        return json.loads(self.config.widths)[site]

    @property
    def n_tokens(self) -> int:
        """Padding, items, and a [MASK] if the module has one."""
        return 1 + self.config.n_items + self.adapter.mask_step

    def item_embeddings(self) -> Tensor:
        """[v, d of the embedding] input vector of every item."""
        return self.adapter.embeddings()

    def output_weights(self) -> Tensor:
        """[v, d] weights of every item's score."""
        return self.adapter.weights()

    def score_hidden(self, hidden: Tensor) -> Tensor:
        """[..., d] hidden states at "final" to [..., v] scores."""
        return self.scorer(hidden)

    # Tokens

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

    def _read(self, input_ids: Tensor) -> Batch:
        adapter = self.adapter
        width = self.config.max_history + adapter.mask_step if adapter.full_width else None
        tokens = input_ids if input_ids.ndim == 2 else input_ids[..., 0]
        extras = {
            name: input_ids[..., place].contiguous().view(torch.float64)
            for place, name in enumerate(self.extras, start=1)
        }
        return Batch(tokens - 1, self.config.n_items, adapter.side, width, extras, adapter.has_steps)

    # Passes

    def encode(self, input_ids: Tensor) -> Tensor:
        """Hidden states at "final": tokens to [b, s, d], or [b, 1, d] for a module without steps."""
        batch = self._read(input_ids)
        with self._reading(batch):
            hidden = batch.steps(self.adapter.run(batch))
        return self.taps.get_submodule("final")(hidden)

    def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> RecommenderOutput:
        """Scores of every item as the next one.

        Raises:
            InputError: labels were given: an adapted recommender is not trained here.
        """
        if labels is not None:
            raise InputError("an adapted recommender is not trained here: train it in the program that it comes from")
        return RecommenderOutput(scores=self.score_hidden(self.encode(input_ids)[:, -1]))

    @contextmanager
    def _reading(self, batch: Batch) -> Iterator[None]:
        self._batch = batch
        try:
            yield
        finally:
            self._batch = None

    def _hook(self, tap: Tap, name: str) -> Any:
        """A hook that passes a module's hidden states at our steps through a tap, while a batch is read."""
        kind = ".".join("*" if part.isdigit() else part for part in name.split("."))
        sequence_first = not {kind, name}.isdisjoint(self.adapter.sequence_first)

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            return None if self._batch is None else through(tap, self._batch, output, sequence_first)

        return hook


def adapted(adapter: Adapter) -> AdaptedRecommender:
    """The recommender around an adapter's module, in evaluation mode."""
    config = AdaptedConfig(
        n_items=adapter.n_items,
        max_history=adapter.max_history,
        num_hidden_layers=adapter.blocks(),
        num_attention_heads=1,
        dropout=0.0,
        adapter=adapter.name,
        settings=json.dumps(adapter.settings, sort_keys=True),
    )
    model = AdaptedRecommender(config, adapter).eval()
    widths = _widths(model)
    config.widths, config.hidden_size = json.dumps(widths), widths["final"]
    return model


@steady()
@torch.no_grad()
def _widths(model: AdaptedRecommender) -> dict[str, int]:
    """The width of each site: that of its tap's output in a pass over two example histories."""
    widths: dict[str, int] = {}
    hooks = [
        model.get_submodule(path).register_forward_hook(
            lambda *call, name=name: widths.update({name: call[-1].shape[-1]})
        )
        for name, path in model.sites.items()
    ]
    try:
        lengths = [min(n, model.config.max_history) for n in (1, 3)]
        model(model.inference_inputs(model.example_histories(lengths)).to(model.device))
    finally:
        for hook in hooks:
            hook.remove()
    return widths
