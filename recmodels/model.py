"""What recommenders share: one embedding per item, tied to the scores, around a backbone. The base of your own, too.

Axes: b histories, s steps, d hidden size, v items.
"""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from recmodels.initial import Watched, keep_loaded_weights
from recmodels.losses import MOST_ITEMS, Objective, full
from recmodels.model_parts import RecommenderConfig, RecommenderOutput, TiedScorer, paths_of_sites
from recmodels.sequences import PAD, Histories
from recmodels.token_form import check_tokens

IGNORE = -100  # the label of a step that has nothing to predict
GROUP = 32  # rows that are encoded together in training
ROWS = 128  # of a pass of `scored_after`


class SequentialRecommender(PreTrainedModel, metaclass=Watched):
    """Base of the recommenders: reads left-padded tokens, scores every item as the next one.

    A subclass builds a backbone, says where its sites are, and implements the two methods below that raise. It calls
    `self.post_init()` at the end of its `__init__`, and `recmodels.recommender.register` makes it known. Weights that
    were loaded before `post_init` stay as they are; transformers draws the new ones. By default the model learns to
    predict each step's next item, so its steps must not see later ones. Padding must not matter: a history has the
    same scores in a wide batch as alone.
    """

    config_class = RecommenderConfig
    base_model_prefix = ""
    main_input_name = "input_ids"

    site_paths: ClassVar[dict[str, str]]
    """Where each kind of site of `site_names` is: a module's dotted path, with * for the number of the block. No two
    sites are the same module. A model without attention, for example, leaves that kind out; "blocks.*" is always
    there."""

    columns: tuple[str, ...] = ()
    """Further columns of a table of histories that the model reads; see `recmodels.adapters`."""

    def __init__(self, config: RecommenderConfig) -> None:
        super().__init__(config)
        self.scorer = TiedScorer()
        self.objective: Objective = full  # what training minimises

    def post_init(self) -> None:
        """Draw the initial weights; loaded weights stay as they are (`recmodels.initial`)."""
        keep_loaded_weights(self)
        super().post_init()

    @classmethod
    def fewest_weights(cls, config: RecommenderConfig) -> int:
        """How many weights a model of this configuration has at least."""
        return config.n_items * config.hidden_size

    @classmethod
    def from_tensors(cls, config: RecommenderConfig, tensors: dict[str, Tensor]) -> Self:
        """The model of a configuration with these weights, whose names and shapes were checked.

        It is built as its program builds it, so that what it keeps beside its weights is there, too. transformers'
        `from_pretrained` does the same after it has prepared the names of weights of all its models.
        """
        with torch.random.fork_rng():
            model = cls(config)
        model.load_state_dict(tensors, strict=False)  # a tensor with two names was saved under one of them
        return model

    @property
    def sites(self) -> dict[str, str]:
        """Where activations can be read and changed: name → dotted path of a module whose output is [b, s, d].

        In the order of a forward pass, which is that of `recmodels.config.site_names`.
        """
        return dict(paths_of_sites(self.config.num_hidden_layers, tuple(self.site_paths.items())))

    def width(self, site: str) -> int:
        """d of a site; here the same at each."""
        return self.config.hidden_size

    @property
    def has_steps(self) -> bool:
        """Whether there is a hidden state for each step, or one for each history."""
        return True

    @property
    def default_site(self) -> str:
        """Where a dictionary reads by default: the first block, or "final" where there is none."""
        return next((name for name in self.sites if name.count(".") == 1), "final")

    def get_input_embeddings(self) -> nn.Embedding:
        """The token embeddings; row 0 is padding, row code + 1 is an item."""
        raise NotImplementedError

    def encode(self, input_ids: Tensor) -> Tensor:
        """Last hidden states of left-padded tokens: [b, s] to [b, s, d]."""
        raise NotImplementedError

    def item_embeddings(self) -> Tensor:
        """[v, d] input embedding of every item, in code order."""
        return self.get_input_embeddings().weight[1 : 1 + self.config.n_items]

    def output_weights(self) -> Tensor:
        """[v, d] how each item's score changes with the hidden state at "final"; here the embeddings of items."""
        return self.item_embeddings()

    def output_bias(self) -> Tensor | None:
        """[v] what is added to each item's score; here nothing."""
        return None

    @property
    def has_linear_scores(self) -> bool:
        """Whether scores are linear in the hidden state at "final", with `output_weights` and `output_bias`.

        Here they are, unless a subclass scores in its own way without saying which weights that has.
        """
        base, here = SequentialRecommender, type(self)
        return here.score_hidden is base.score_hidden or here.output_weights is not base.output_weights

    @property
    def has_usual_loss(self) -> bool:
        """Whether `forward` minimises `objective`, and not a loss of a subclass's own."""
        return type(self).forward is SequentialRecommender.forward

    @property
    def reads_item_embeddings(self) -> bool:
        """Whether the site "embedding" gives `item_embeddings` at steps of items."""
        return "embedding" in self.sites

    def score_hidden(self, hidden: Tensor) -> Tensor:
        """[..., d] hidden states at "final" to [..., v] scores of every item."""
        return self.scorer(hidden, self.item_embeddings())

    @property
    def n_tokens(self) -> int:
        """How many tokens the model knows, padding included."""
        return len(self.get_input_embeddings().weight)

    def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> RecommenderOutput:
        """Score every item as the next one, or, given labels, return the training loss.

        Args:
            input_ids: int64 [b, s] left-padded tokens.
            labels: int64 [b, s] item codes to predict at each step, `IGNORE` where there is none.
        """
        if labels is None:
            return RecommenderOutput(scores=self.score_hidden(self.encode(input_ids)[:, -1]))
        hidden, targets = [], []
        for rows, width in self.by_length(input_ids):
            has_label = labels[rows, -width:] != IGNORE
            hidden.append(self.encode(input_ids[rows, -width:])[has_label])
            targets.append(labels[rows, -width:][has_label])
        return RecommenderOutput(loss=self.objective(self, torch.cat(hidden), torch.cat(targets)))

    def by_length(self, input_ids: Tensor) -> list[tuple[Tensor, int]]:
        """Rows of left-padded tokens, those of like length together, and how wide the longest of each group is.

        As padding does not matter, groups give what all rows give at once. A processor saves the padding; another
        device is better used by all rows together. So are many items: each group has a gradient as large as the table
        of embeddings.
        """
        lengths = (input_ids != PAD).sum(dim=1)
        saves = input_ids.device.type == "cpu" and self.config.n_items <= MOST_ITEMS
        size = GROUP if saves else len(lengths)
        return [(rows, int(lengths[rows].max())) for rows in lengths.argsort().split(size)]

    def scored_after(self, block: int, input_ids: Tensor, hidden: Tensor, last: Tensor) -> Tensor:
        """What the scorer reads for many values of the last step's hidden state.

        Here each value takes a row of a pass through the whole model; a subclass may override this with a faster way.

        Args:
            block: number of the block whose output is given.
            input_ids: tokens of b histories.
            hidden: [b, s, d] the block's output; its last step is not used.
            last: [b, e, d] what the last step's output is instead, e times.

        Returns:
            [b, e, d of "final"]; `score_hidden` turns it into the scores that `forward` gives for each value, up to
            rounding.
        """
        outputs, b = [], len(hidden)
        for values in last.split(max(1, ROWS // b), dim=1):
            e = values.shape[1]
            before = hidden[:, :-1].repeat_interleave(e, dim=0)
            states = torch.cat([before, values.reshape(b * e, 1, -1)], dim=1)
            encoded = self.encode_after(block, input_ids.repeat_interleave(e, dim=0), states)
            outputs.append(encoded[:, -1].view(b, e, -1))
        return torch.cat(outputs, dim=1)

    def encode_after(self, block: int, input_ids: Tensor, hidden: Tensor) -> Tensor:
        """What `encode` gives if a block's output is `hidden` [b, s, d]."""
        module = self.get_submodule(self.sites[f"blocks.{block}"])
        hook = module.register_forward_hook(lambda *_: hidden)
        try:
            return self.encode(input_ids)
        finally:
            hook.remove()

    def inference_inputs(self, histories: Histories) -> Tensor:
        """Tokens from which `forward` predicts each history's next item: int64 [b, s].

        Here the last `max_history` items of each history.
        """
        return histories.tokens(self.config.max_history)

    def example_histories(self, lengths: Sequence[int]) -> Histories:
        """Histories of these lengths of any items, to look at shapes with."""
        offsets = np.cumsum([0, *lengths])
        codes = np.arange(offsets[-1], dtype=np.int32) % self.config.n_items
        return Histories(pd.RangeIndex(len(lengths)), codes, offsets)

    def step_tokens(self, input_ids: Tensor) -> Tensor:
        """The token at each step that has hidden states: int64 [b, s]; here what `inference_inputs` gives."""
        return input_ids

    def checked_tokens(self, tokens: Tensor) -> Tensor:
        """Check tokens and return them: int64 [b, s], padding on the left.

        Raises:
            InputError: another shape or type, a token that no item has, padding elsewhere, or too many steps.
        """
        longest = self.inference_inputs(self.example_histories([self.config.max_history]))
        return check_tokens(tokens, self.n_tokens, longest.shape[1])

    def training_batch(self, histories: Histories) -> dict[str, Tensor]:
        """`input_ids` and `labels` of a training step on these windows; each has at least two items.

        Here all but the last item as input, all but the first as labels.
        """
        tokens = histories.tokens(self.config.max_history + 1)
        inputs, following = tokens[:, :-1], tokens[:, 1:]
        labels = torch.where(inputs != PAD, following - 1, IGNORE)
        return {"input_ids": inputs, "labels": labels}
