"""What every kind of model promises alike."""

import pytest
import torch
from untrained import LISTS, MAX_HISTORY, N_ITEMS, histories, scores_of, untrained

from recmodels.recommender import MODELS

# Of the scores of one item for different histories; some items hardly tell histories apart for BERT4Rec.
SPREAD = {"gptrec": torch.min, "bert4rec": torch.median}


@pytest.fixture(scope="module", params=MODELS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return untrained(name)


def test_scores_depend_on_nobody_else_in_the_batch(model, name):
    together = scores_of(model, LISTS)
    assert together.shape == (len(LISTS), N_ITEMS)
    assert SPREAD[name](together.std(dim=0)) > 0.1
    for row, one in zip(together, LISTS, strict=True):
        torch.testing.assert_close(row[None], scores_of(model, [one]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("wider", [1, 7])
def test_scores_do_not_depend_on_the_width_of_the_padding(model, wider):
    tokens = model.inference_inputs(histories(LISTS))
    padded = torch.nn.functional.pad(tokens, (wider, 0))
    torch.testing.assert_close(model(padded).scores, model(tokens).scores, atol=1e-5, rtol=0)


def test_only_the_last_items_are_read(model):
    long = [[9, 8, *one] for one in LISTS if len(one) >= MAX_HISTORY]
    cut = [one[-MAX_HISTORY:] for one in long]
    assert torch.equal(scores_of(model, long), scores_of(model, cut))
    changed = [[(one[0] + 1) % N_ITEMS, *one[1:]] for one in cut]
    assert (scores_of(model, changed) - scores_of(model, cut)).abs().amax(dim=1).min() > 1e-2


def test_the_order_of_items_matters(model):
    assert (scores_of(model, [[1, 2, 3]]) - scores_of(model, [[2, 1, 3]])).abs().max() > 1e-2


def test_what_is_saved_is_what_is_read(model, tmp_path):
    model.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    read = type(model).from_pretrained(tmp_path).eval()
    assert read.config.to_diff_dict() == model.config.to_diff_dict()
    assert read.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(weight, model.state_dict()[name]) for name, weight in read.state_dict().items())
    assert torch.equal(scores_of(read, LISTS), scores_of(model, LISTS))
