import numpy as np
import pandas as pd
import pytest
import torch

from recmodels.config import site_names
from recmodels.gptrec import GPTRec, GPTRecConfig
from recmodels.model import IGNORE
from recmodels.sequences import Histories

N_ITEMS = 12
MAX_HISTORY = 6
LISTS = [[3], [0, 1, 2, 3], [11, 5, 7, 7, 2, 9], [4, 4], [8, 1, 0, 5, 6, 10, 11, 3, 2]]


def histories(lists):
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    codes = np.array([code for one in lists for code in one], dtype=np.int32)
    return Histories(pd.RangeIndex(len(lists)), codes, offsets)


@pytest.fixture(scope="module")
def model():
    """An untrained model with weights large enough for every input to matter."""
    torch.manual_seed(0)
    config = GPTRecConfig(
        n_items=N_ITEMS, max_history=MAX_HISTORY, hidden_size=8, num_hidden_layers=2, num_attention_heads=2
    )
    model = GPTRec(config).eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        if "ln_" not in name:
            weight.normal_(std=0.5)
    return model


def scores_of(model, lists):
    return model(model.inference_inputs(histories(lists))).scores


def test_scores_depend_on_nobody_else_in_the_batch(model):
    together = scores_of(model, LISTS)
    assert together.shape == (len(LISTS), N_ITEMS)
    assert together.std(dim=0).min() > 0.1
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


@pytest.mark.parametrize("step", range(1, MAX_HISTORY))
def test_a_step_does_not_see_later_ones(model, step):
    tokens = torch.tensor([[0, 0, 5, 3, 9, 1], [1, 2, 3, 4, 5, 6]])
    changed = tokens.clone()
    changed[:, step:] = 7
    before, after = model.encode(tokens), model.encode(changed)
    torch.testing.assert_close(before[1, :step], after[1, :step], atol=1e-6, rtol=0)
    real = slice(2, max(step, 2))
    torch.testing.assert_close(before[0, real], after[0, real], atol=1e-6, rtol=0)
    assert (before[:, -1] - after[:, -1]).abs().amax(dim=1).min() > 1e-2


def test_the_order_of_items_matters(model):
    assert (scores_of(model, [[1, 2, 3]]) - scores_of(model, [[2, 1, 3]])).abs().max() > 1e-2


def test_scores_are_inner_products_of_hidden_states_and_item_embeddings(model):
    hidden = model.encode(histories(LISTS).tokens(MAX_HISTORY))
    embeddings = model.state_dict()["backbone.wte.weight"]
    assert embeddings.shape == (N_ITEMS + 1, 8)
    expected = torch.stack([(embeddings[1:] * last).sum(dim=1) for last in hidden[:, -1]])
    torch.testing.assert_close(scores_of(model, LISTS), expected, atol=1e-5, rtol=0)


def test_training_batch_by_hand(model):
    batch = model.training_batch(histories([[3, 0], [5, 4, 4, 1]]))
    assert batch["input_ids"].tolist() == [[0, 0, 4], [6, 5, 5]]
    assert batch["labels"].tolist() == [[IGNORE, IGNORE, 0], [4, 4, 1]]
    batch = model.training_batch(histories([list(range(N_ITEMS))]))
    assert batch["input_ids"].tolist() == [[6, 7, 8, 9, 10, 11]]
    assert batch["labels"].tolist() == [[6, 7, 8, 9, 10, 11]]


def test_the_loss_is_the_mean_cross_entropy_of_every_next_item(model):
    """One prefix after the other, without any padding."""
    lists = [[3, 0], [5, 4, 4, 1], [8, 1, 0, 5, 6, 10, 11]]
    losses = []
    for one in lists:
        for step in range(1, len(one)):
            scores = model(torch.tensor([one[:step]]) + 1).scores[0]
            losses.append(torch.log(torch.exp(scores).sum()) - scores[one[step]])
    loss = model(**model.training_batch(histories(lists))).loss
    torch.testing.assert_close(loss, torch.stack(losses).mean(), atol=1e-5, rtol=0)


def test_what_is_saved_is_what_is_read(model, tmp_path):
    model.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    read = GPTRec.from_pretrained(tmp_path).eval()
    assert read.config.to_diff_dict() == model.config.to_diff_dict()
    assert read.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(weight, model.state_dict()[name]) for name, weight in read.state_dict().items())
    assert torch.equal(scores_of(read, LISTS), scores_of(model, LISTS))


def test_sites_are_what_blocks_add_up(model):
    """The residual stream in floating-point sums of what hooks see at the sites; seen in the order of the names."""
    tokens = histories(LISTS).tokens(MAX_HISTORY)
    seen = {}
    hooks = [
        model.get_submodule(path).register_forward_hook(lambda *call, name=name: seen.update({name: call[-1]}))
        for name, path in model.sites.items()
    ]
    encoded = model.encode(tokens)
    for hook in hooks:
        hook.remove()
    blocks = [f"blocks.{n}{part}" for n in (0, 1) for part in (".attention", ".mlp", "")]
    assert list(seen) == list(model.sites) == site_names(2) == ["embedding", *blocks, "final"]
    assert {tuple(hidden.shape) for hidden in seen.values()} == {(*tokens.shape, 8)}
    assert torch.equal(seen["embedding"], model.get_input_embeddings().weight[tokens])
    position = ((tokens > 0).cumsum(dim=1) - 1).clamp(min=0)
    stream = seen["embedding"] + model.backbone.wpe.weight[position]
    for block in ("blocks.0", "blocks.1"):
        stream = stream + seen[f"{block}.attention"] + seen[f"{block}.mlp"]
        torch.testing.assert_close(seen[block], stream, atol=1e-5, rtol=0)
    assert torch.equal(seen["final"], model.backbone.ln_f(seen["blocks.1"]))
    assert torch.equal(seen["final"], encoded)


def test_dropout_is_set_everywhere():
    model = GPTRec(GPTRecConfig(n_items=3, hidden_size=8, num_hidden_layers=2, dropout=0.3))
    rates = {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)}
    assert rates == {0.3}
    assert {block.attn.config.attn_pdrop for block in model.backbone.h} == {0.3}
