"""A trained module of another program as a recommender of this one.

Axes: b histories, s steps, d width, v items.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from torch import Tensor, nn

from recmodels.adapters.adapted_blocks import AdaptedBlocks
from recmodels.adapters.adapted_tokens import AdaptedConfig
from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.registry import ADAPTERS
from recmodels.adapters.taps import AdapterScorer, Tap, add_tap, checked, through
from recmodels.config import site_names
from recmodels.errors import InputError
from recmodels.model_parts import RecommenderConfig, RecommenderOutput


class AdaptedRecommender(AdaptedBlocks):
    """A recommender around a foreign module. `wrap` makes it.

    Args:
        config: its size; without an adapter, the network is built from `config.settings`.
        adapter: the adapter with the trained module.
    """

    def __init__(self, config: AdaptedConfig, adapter: Adapter | None = None) -> None:
        super().__init__(config)
        self.adapter = adapter or ADAPTERS.find(config.adapter).build(json.loads(config.settings))
        self.module = self.adapter.module
        self.columns = tuple(self.adapter.columns)
        self.scorer: Any = AdapterScorer(self.adapter.score)
        self.taps = nn.Module()
        self._passes: dict[int, tuple[Batch, list[str]]] = {}  # by thread: what it reads, and the sites that ran
        paths = self.adapter.site_paths()
        self._check_distinct(paths)
        ordered = [name for name in site_names(self.adapter.blocks()) if name in paths or name == "final"]
        self._sites = {name: f"taps.{name}" for name in ordered}
        self._hooked = [name for name in ordered if name in paths]
        for name in ordered:
            tap = add_tap(self.taps, name)
            if name in paths:
                self.module.get_submodule(paths[name]).register_forward_hook(self._hook(tap, name))
        self.post_init()

    @classmethod
    def fewest_weights(cls, config: RecommenderConfig) -> int:
        """How many weights a model of this configuration has at least: one for each item."""
        return config.n_items

    def __deepcopy__(self, memo: dict[int, Any]) -> "AdaptedRecommender":
        """A copy with its own module, adapter and hooks."""
        config: Any = copy.deepcopy(self.config)
        model = type(self)(config, copy.deepcopy(self.adapter, memo))
        return model.train(self.training)

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

    @property
    def has_steps(self) -> bool:
        """Whether there is a hidden state for each step, or one for each history."""
        return self.adapter.has_steps

    def output_weights(self) -> Tensor:
        """[v, d] weights of every item's score; where scores are not linear, what the adapter says of a small change.

        Raises:
            InputError: it says nothing.
        """
        if type(self.adapter).weights is Adapter.weights:
            raise InputError(
                f"{type(self.adapter).__name__} does not score items by weights: what steers by them, such as the "
                f"steer of least collateral, needs `weights`, the effect of a small change of the hidden state"
            )
        return self.adapter.weights()

    @property
    def has_linear_scores(self) -> bool:
        """Whether scores are linear in the hidden state at "final", with `output_weights` and `output_bias`."""
        return self.adapter.linear

    @property
    def reads_item_embeddings(self) -> bool:
        """Whether the site "embedding" gives `item_embeddings`, as measured when the module was wrapped."""
        return self.config.item_inputs

    def output_bias(self) -> Tensor | None:
        """[v] what is added to every item's score, or None."""
        return self.adapter.bias()

    def score_hidden(self, hidden: Tensor) -> Tensor:
        """[..., d] hidden states at "final" to [..., v] scores."""
        return self.scorer(hidden)

    def encode(self, input_ids: Tensor) -> Tensor:
        """Hidden states at "final": tokens to [b, s, d], or [b, 1, d] for a module without steps.

        Raises:
            InputError: a site's module does not run once, or something does not have the shape that the adapter says.
        """
        batch = self.batch(input_ids)
        with self._reading(batch) as met:
            hidden = self.adapter.run(batch)
        if met != self._hooked:
            raise InputError(self._misplaced(met))
        hidden = checked(hidden, batch, f"{type(self.adapter).__name__}.run")
        return self.taps.get_submodule("final")(batch.steps(hidden))

    def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> RecommenderOutput:
        """Scores of every item as the next one.

        Raises:
            InputError: labels were given: an adapted recommender is not trained here.
        """
        if labels is not None:
            raise InputError("an adapted recommender is not trained here: train it in the program that it comes from")
        return RecommenderOutput(scores=self.score_hidden(self.encode(input_ids)[:, -1]))

    @contextmanager
    def _reading(self, batch: Batch) -> Iterator[list[str]]:
        """A pass of this thread, in which the taps are read and written; gives the sites in the order they ran."""
        met: list[str] = []
        self._passes[get_ident()] = batch, met
        try:
            yield met
        finally:
            del self._passes[get_ident()]

    def _hook(self, tap: Tap, name: str) -> Any:
        """A hook that passes a module's hidden states at our steps through a tap, while a batch is read."""
        sequence_first = self._is_sequence_first(name)
        where = f"site {name} of {type(self.adapter).__name__}"

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            batch, met = self._passes.get(get_ident(), (None, []))
            if batch is None:
                return None
            met.append(name)
            if met.count(name) > 1:
                raise InputError(f"{where} runs twice in one pass: name a module that runs once")
            return through(tap, batch, output, where, sequence_first)

        return hook

    def _check_distinct(self, paths: dict[str, str]) -> None:
        for name, path in paths.items():
            same = next(other for other in paths if paths[other] == path)
            if same != name:
                raise InputError(
                    f"sites {name} and {same} of {type(self.adapter).__name__} are one module, {path}: name one of them"
                )

    def _misplaced(self, met: list[str]) -> str:
        """What is wrong with the order in which the sites' modules ran."""
        of = type(self.adapter).__name__
        absent = next((name for name in self._hooked if name not in met), None)
        if absent is not None:
            return f"site {absent} of {of} is never run: name a module that `run` calls by itself, not by its parts"
        name, first = next(pair for pair in zip(self._hooked, met, strict=True) if pair[0] != pair[1])
        return f"sites of {of} run in another order, {first} before {name}: name the modules in that order"
