"""Untrained models, and histories to give them: what tests of the models share."""

import numpy as np
import pandas as pd
import torch

from recmodels.recommender import MODELS
from recmodels.sequences import Histories

N_ITEMS = 12
MAX_HISTORY = 6
LISTS = [[3], [0, 1, 2, 3], [11, 5, 7, 7, 2, 9], [4, 4], [8, 1, 0, 5, 6, 10, 11, 3, 2]]


def histories(lists):
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    codes = np.array([code for one in lists for code in one], dtype=np.int32)
    return Histories(pd.RangeIndex(len(lists)), codes, offsets)


def untrained(name):
    """A model of this kind with weights large enough for every input to matter."""
    torch.manual_seed(0)
    kind = MODELS[name]
    config = kind.config_class(
        n_items=N_ITEMS, max_history=MAX_HISTORY, hidden_size=8, num_hidden_layers=2, num_attention_heads=2
    )
    model = kind(config).eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        if "ln_" not in name and "LayerNorm" not in name:
            weight.normal_(std=0.5)
    return model


def scores_of(model, lists):
    return model(model.inference_inputs(histories(lists))).scores
