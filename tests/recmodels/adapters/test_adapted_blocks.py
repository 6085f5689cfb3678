"""Going on from a block: what comes before it runs once for each history, and the states are those of a whole pass."""

import pytest
import torch
from torch import nn

from recmodels.adapters import wrap
from recmodels.adapters.shortcut import axes_of, rows_of
from recmodels.model import SequentialRecommender
from tests.recmodels.adapters.zoo import IDS, LONGEST, ZOO, Layer, RightPadded, Transformer, V

VALUES = 8
WITH_BLOCKS = [name for name, member in ZOO.items() if "blocks.0" in member.sites]


def ran(model, block, run):
    """How many rows a block's own code read while `run` ran, and what `run` gave."""
    module = model.module.get_submodule(model.adapter.site_paths()[f"blocks.{block}"])
    axis, counts, forward = int(bool(model.adapter.sequence_first)), [], module.forward

    def counted(hidden, *others):
        counts.append(hidden.shape[axis])
        return forward(hidden, *others)

    module.forward = counted
    try:
        return run(), sum(counts)
    finally:
        del module.forward


def example(model, block):
    tokens = model.inference_inputs(model.example_histories([2, LONGEST, 4]))
    generator = torch.Generator().manual_seed(block)
    shape = (3, model.step_tokens(tokens).shape[1], model.width(f"blocks.{block}"))
    return tokens, torch.randn(shape, generator=generator), torch.randn(3, VALUES, shape[2], generator=generator)


@torch.no_grad()
@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_blocks_run_once_for_all_values(name):
    model = ZOO[name].build().model
    for block in range(model.adapter.blocks()):
        tokens, hidden, last = example(model, block)
        model.scored_after(block, tokens, hidden, last)  # the first call measures
        fast, rows = ran(model, 0, lambda: model.scored_after(block, tokens, hidden, last))  # noqa: B023
        assert rows == 3
        states = torch.cat([hidden[:, :-1].repeat_interleave(VALUES, dim=0), last.flatten(0, 1)[:, None]], dim=1)
        slow = SequentialRecommender.encode_after(model, block, tokens.repeat_interleave(VALUES, dim=0), states)
        torch.testing.assert_close(fast.flatten(0, 1), slow[:, -1], rtol=1e-5, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_blocks_run_once_for_a_history_that_is_there_several_times(name):
    model = ZOO[name].build().model
    tokens, *_ = example(model, 0)
    order = torch.tensor([2, 0, 0, 1, 2, 2, 0])
    hidden = torch.randn(7, model.step_tokens(tokens).shape[1], model.width("blocks.0"))
    model.encode_after(0, tokens[order], hidden)
    fast, rows = ran(model, 0, lambda: model.encode_after(0, tokens[order], hidden))
    assert rows == 3
    slow = SequentialRecommender.encode_after(model, 0, tokens[order], hidden)
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-6)
    # Of histories that are all different, nothing is gained by a pass before.
    _, rows = ran(model, 0, lambda: model.encode_after(0, tokens, hidden[:3]))
    assert rows == 3


def test_gradients_reach_the_values():
    model = ZOO["zoo-right"].build().model.requires_grad_(False)
    tokens, hidden, last = example(model, 0)
    last.requires_grad_()
    model.scored_after(0, tokens, hidden, last).square().sum().backward()
    fast, last.grad = last.grad, None
    SequentialRecommender.scored_after(model, 0, tokens, hidden, last).square().sum().backward()
    torch.testing.assert_close(last.grad, fast)


class Leaving(Layer):
    """Leaves what it read where the next block finds it, beside its output."""

    def forward(self, hidden, padding=None):
        self.note[:] = [hidden]
        return super().forward(hidden, padding)


class Reading(Layer):
    """Adds what the block before left."""

    def forward(self, hidden, padding=None):
        return super().forward(hidden + self.note[0], padding)


class Leaky(Transformer):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Leaving(), Reading()])
        self.layers[0].note = self.layers[1].note = []


@torch.no_grad()
def test_a_module_whose_blocks_pass_something_beside_their_output_runs_whole():
    torch.manual_seed(0)
    model = wrap(RightPadded(Leaky(), V, LONGEST), IDS).model
    tokens, hidden, last = example(model, 0)
    fast, rows = ran(model, 0, lambda: model.scored_after(0, tokens, hidden, last))
    assert rows >= 3 * VALUES
    torch.testing.assert_close(fast, SequentialRecommender.scored_after(model, 0, tokens, hidden, last))
    # From the second block on, nothing more is left beside.
    fast, rows = ran(model, 0, lambda: model.scored_after(1, tokens, hidden, last))
    torch.testing.assert_close(fast, SequentialRecommender.scored_after(model, 1, tokens, hidden, last))
    assert rows == 3


def test_parts_of_an_output_that_cannot_be_selected_back():
    two, rows = torch.arange(6.0).view(2, 3), torch.tensor([0, 0, 1])
    wide = two[rows]
    assert axes_of((two, None, two.T), (wide, None, wide.T), 2, rows) == [0, None, 1]
    assert axes_of((two, torch.ones(4)), (wide, torch.ones(4)), 2, rows) == [0, None]
    assert axes_of(two, two.new_zeros(3, 4), 2, rows) is None  # two axes differ
    assert axes_of((two, object()), (wide, object()), 2, rows) is None
    assert axes_of((two, 2), (wide, 3), 2, rows) is None
    assert axes_of((two, two), (wide,), 2, rows) is None
    selected = rows_of((two, None, two.T), [0, None, 1], rows)
    assert selected[1] is None
    assert torch.equal(selected[0], wide)
    assert torch.equal(selected[2], wide.T)
