"""Weights that a model is given stay; new ones are drawn as before."""

import pytest
import torch
from own_model import GRU4Rec, GRUConfig
from torch import nn

SHAPE = (10, 8)


def load(items, weights):
    items.load_state_dict({"weight": weights})


def copy_data(items, weights):
    items.weight.data.copy_(weights)


def replace_data(items, weights):
    items.weight.data = weights.clone()


def new_parameter(items, weights):
    items.weight = nn.Parameter(weights.clone())


def assign(items, weights):
    with torch.no_grad():
        items.weight[:] = weights


@pytest.mark.parametrize("give", [load, copy_data, replace_data, new_parameter, assign])
def test_what_a_subclass_was_given_is_kept(give):
    torch.manual_seed(0)
    weights, head = torch.randn(SHAPE), nn.Linear(8, 8)
    before = head.weight.clone()

    class Given(GRU4Rec):
        def __init__(self, config, head):
            super(GRU4Rec, self).__init__(config)
            self.items = nn.Embedding(*SHAPE, padding_idx=0)
            self.fresh = nn.Embedding(*SHAPE)
            self.head = head
            give(self.items, weights)
            self.post_init()

    model = Given(GRUConfig(n_items=9, hidden_size=8, num_hidden_layers=1), head)
    assert torch.equal(model.items.weight, weights)
    assert torch.equal(model.head.weight, before)
    assert model.fresh.weight.std() < 0.1  # drawn anew, with transformers' deviation of 0.02
