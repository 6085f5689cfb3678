import pytest
import torch
from untrained import LISTS, MAX_HISTORY, N_ITEMS, histories, scores_of, untrained

from recmodels.config import site_names
from recmodels.gptrec import GPTRec, GPTRecConfig
from recmodels.model import IGNORE


@pytest.fixture(scope="module")
def model():
    return untrained("gptrec")


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
