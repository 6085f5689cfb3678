"""A trained module of another program as a recommender of this one.

Each site of the adapter is a small module without weights, a tap. A hook on the foreign module passes its hidden states
at our steps through the tap, and writes them back if the tap's output was changed.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.registry import ADAPTERS
from recmodels.config import site_names
from recmodels.errors import InputError
from recmodels.model import RecommenderConfig, RecommenderOutput, SequentialRecommender
from recmodels.sequences import Histories


class AdaptedConfig(RecommenderConfig):
    """Size of an adapted recommender, and how to make its network again.

    Attributes:
        adapter: name of the adapter.
        settings: its settings, as JSON text.
    """

    model_type = "adapted"

    adapter: str = ""
    settings: str = "{}"


class Tap(nn.Module):
    """Gives back what it gets: a place where a trace reads and writes."""

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, s, d] to the same."""
        return hidden


class AdapterScorer(nn.Module):
    """Scores items by an adapter's weights and bias, which stay where they are in its module."""

    def forward(self, hidden: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
        """[..., d] to [..., v]."""
        return F.linear(hidden, weights, bias)


class AdaptedRecommender(SequentialRecommender):
    """A recommender around a foreign module. `wrap` makes it.

    Args:
        config: its size; without an adapter, the network is built from `config.settings`.
        adapter: the adapter with the trained module.
    """

    config_class = AdaptedConfig

    def __init__(self, config: AdaptedConfig, adapter: Adapter | None = None) -> None:
        super().__init__(config)
        self.adapter = adapter or ADAPTERS.find(config.adapter).build(json.loads(config.settings))
        self.module = self.adapter.module
        self.scorer: Any = AdapterScorer()
        self.taps = nn.Module()
        self._batch: Batch | None = None
        paths = self.adapter.site_paths()
        ordered = [name for name in site_names(self.adapter.blocks()) if name in paths or name == "final"]
        self._sites = {name: self._add_tap(name) for name in ordered}
        for name, path in paths.items():
            tap = self.get_submodule(self._sites[name])
            self.module.get_submodule(path).register_forward_hook(self._through(tap))
        self.post_init()

    @property
    def sites(self) -> dict[str, str]:
        """Site name → path of its tap, in the order of a forward pass."""
        return self._sites

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
        return self.scorer(hidden, self.adapter.weights(), self.adapter.bias())

    def inference_inputs(self, histories: Histories) -> Tensor:
        """The last `max_history` items of each history, and a [MASK] if the module wants one."""
        tokens = histories.tokens(self.config.max_history)
        return F.pad(tokens, (0, 1), value=self.config.n_items + 1) if self.adapter.mask_step else tokens

    def encode(self, input_ids: Tensor) -> Tensor:
        """Hidden states at "final": [b, s] tokens to [b, s, d]."""
        width = self.config.max_history + self.adapter.mask_step if self.adapter.full_width else None
        batch = Batch(input_ids - 1, self.config.n_items, self.adapter.side, width)
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

    def _add_tap(self, name: str) -> str:
        """Make the tap of a site, and the modules above it; return its path."""
        parent, path = self.taps, name.split(".")
        for above in path[:-1]:
            if not hasattr(parent, above):
                parent.add_module(above, nn.Module() if above == "blocks" else Tap())
            parent = parent.get_submodule(above)
        if path[-1] not in dict(parent.named_children()):
            parent.add_module(path[-1], Tap())
        return f"taps.{name}"

    def _through(self, tap: nn.Module) -> Any:
        """A hook that passes a module's hidden states at our steps through a tap."""

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            if self._batch is None:
                return None
            hidden = output[0] if isinstance(output, tuple) else output
            steps = self._batch.steps(hidden)
            version = steps._version  # counts edits in place
            changed = tap(steps)
            if changed is steps and steps._version == version:
                return None
            hidden = self._batch.replaced(hidden, changed)
            return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        return hook


def adapted(adapter: Adapter) -> AdaptedRecommender:
    """The recommender around an adapter's module, in evaluation mode."""
    d = adapter.weights().shape[1]
    config = AdaptedConfig(
        n_items=adapter.n_items,
        max_history=adapter.max_history,
        hidden_size=d,
        num_hidden_layers=adapter.blocks(),
        num_attention_heads=1,
        dropout=0.0,
        adapter=adapter.name,
        settings=json.dumps(adapter.settings, sort_keys=True),
    )
    return AdaptedRecommender(config, adapter).eval()
