import pandas as pd
import pytest
import torch
from untrained import LISTS, MAX_HISTORY, N_ITEMS, histories, scores_of, untrained

from recmodels.bert4rec import BERT4Rec, BERT4RecConfig
from recmodels.config import site_names
from recmodels.model import IGNORE
from recmodels.recommender import Recommender
from recmodels.sequences import PAD
from recmodels.vocabulary import Vocabulary

MASK = N_ITEMS + 1


@pytest.fixture(scope="module")
def model():
    return untrained("bert4rec")


def test_a_mask_follows_the_last_items(model):
    assert model.inference_inputs(histories([[3], [0, 1, 2]])).tolist() == [[0, 0, 4, MASK], [1, 2, 3, MASK]]
    longest = model.inference_inputs(histories([list(range(N_ITEMS))]))
    assert longest.tolist() == [[7, 8, 9, 10, 11, 12, MASK]]


def test_positions_count_real_tokens_and_the_mask_comes_after_the_items(model):
    seen = []
    hook = model.backbone.embeddings.position_embeddings.register_forward_hook(lambda *call: seen.append(call[1][0]))
    scores_of(model, [[3], [0, 1, 2, 3], [11, 5, 7, 7, 2, 9]])
    hook.remove()
    positions = [row[-n - 1 :].tolist() for row, n in zip(seen[0], (1, 4, 6), strict=True)]
    assert positions == [[0, 1], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6]]
    assert model.backbone.embeddings.position_embeddings.num_embeddings == MAX_HISTORY + 1


@pytest.mark.parametrize("step", range(1, MAX_HISTORY))
def test_every_step_sees_later_ones_and_none_sees_padding(model, step):
    tokens = torch.tensor([[1, 2, 3, 4, 5, 6]])
    changed = tokens.clone()
    changed[:, step] = 7
    before, after = model.encode(tokens), model.encode(changed)
    assert (before - after).abs().amax(dim=2).min() > 1e-3
    padded = model.encode(torch.nn.functional.pad(tokens[:, step:], (step, 0)))
    torch.testing.assert_close(padded[:, step:], model.encode(tokens[:, step:]), atol=1e-5, rtol=0)


def test_scores_are_inner_products_of_the_masks_hidden_state_and_item_embeddings(model):
    hidden = model.encode(model.inference_inputs(histories(LISTS)))
    embeddings = model.state_dict()["backbone.embeddings.word_embeddings.weight"]
    assert embeddings.shape == (N_ITEMS + 2, 8)
    expected = torch.stack([(embeddings[1 : N_ITEMS + 1] * last).sum(dim=1) for last in hidden[:, -1]])
    torch.testing.assert_close(scores_of(model, LISTS), expected, atol=1e-5, rtol=0)


def test_the_mask_and_padding_are_never_recommended(model):
    recommender = Recommender(model, Vocabulary(pd.Index(range(100, 100 + N_ITEMS), name="item")))
    lists = recommender.recommend([[103], [100, 101]], k=50)
    expected = [set(range(100, 112)) - {103}, set(range(100, 112)) - {100, 101}]
    assert [set(found) for _, found in lists.groupby("user")["item"]] == expected


def test_training_batch_by_hand(model, monkeypatch):
    """Hidden are the chances below the share of 0.2; where there are none, the lowest one of a real item."""
    chances = torch.tensor([[0.01, 0.02, 0.6, 0.5], [0.1, 0.3, 0.19, 0.21]])
    monkeypatch.setattr(torch, "rand", lambda shape: chances.expand(shape))
    batch = model.training_batch(histories([[3, 0], [5, 4, 4, 1]]))
    assert batch["input_ids"].tolist() == [[0, 0, 4, MASK], [MASK, 5, MASK, 2]]
    assert batch["labels"].tolist() == [[IGNORE, IGNORE, IGNORE, 0], [5, IGNORE, 4, IGNORE]]


def test_full_training_windows_have_one_item_more_than_is_read(model):
    batch = model.training_batch(histories([list(range(N_ITEMS))]))
    shown = torch.where(batch["labels"] == IGNORE, batch["input_ids"] - 1, batch["labels"])
    assert shown.tolist() == [list(range(N_ITEMS))[-MAX_HISTORY - 1 :]]
    assert torch.isfinite(model(**batch).loss)


def test_what_is_hidden_in_many_windows(model):
    torch.manual_seed(0)
    given = histories([[code % N_ITEMS for code in range(start, start + 2 + start % 6)] for start in range(3000)])
    tokens = given.tokens(MAX_HISTORY + 1)
    batch = model.training_batch(given)
    hidden = batch["input_ids"] == MASK
    assert torch.equal(batch["labels"] != IGNORE, hidden)
    assert torch.equal(batch["labels"][hidden], tokens[hidden] - 1)
    assert torch.equal(batch["input_ids"][~hidden], tokens[~hidden])
    assert not (hidden & (tokens == PAD)).any()
    assert hidden.any(dim=1).all()
    # Of n items, each is hidden by chance; the windows where none is (0.8^n) get one.
    length = (tokens != PAD).sum(dim=1)
    for n in range(2, MAX_HISTORY + 2):
        found = hidden[length == n].sum(dim=1).double().mean().item()
        assert found == pytest.approx(0.2 * n + 0.8**n, abs=4 * (n * 0.16 / 500) ** 0.5)


def test_masks_differ_from_one_pass_to_the_next(model):
    given = histories([[1, 2, 3, 4, 5, 6]] * 8)
    torch.manual_seed(0)
    first, second = model.training_batch(given)["input_ids"], model.training_batch(given)["input_ids"]
    assert not torch.equal(first, second)
    torch.manual_seed(0)
    assert torch.equal(model.training_batch(given)["input_ids"], first)


def test_the_loss_is_the_mean_cross_entropy_of_every_hidden_item(model):
    """One window after the other, without any padding."""
    torch.manual_seed(3)
    lists = [[3, 0], [5, 4, 4, 1], [8, 1, 0, 5, 6, 10, 11], [2, 2, 9, 4, 7, 3]]
    batch = model.training_batch(histories(lists))
    embeddings = model.get_input_embeddings().weight[1 : N_ITEMS + 1]
    losses = []
    for tokens, one in zip(batch["input_ids"], lists, strict=True):
        tokens = tokens[-len(one) :]
        hidden = model.encode(tokens[None])[0]
        for step in torch.nonzero(tokens == MASK)[:, 0].tolist():
            scores = embeddings @ hidden[step]
            losses.append(torch.log(torch.exp(scores).sum()) - scores[one[step]])
    assert len(losses) > len(lists)
    torch.testing.assert_close(model(**batch).loss, torch.stack(losses).mean(), atol=1e-5, rtol=0)


def test_the_share_that_is_hidden_is_a_setting_and_saved(tmp_path):
    BERT4Rec(BERT4RecConfig(n_items=3, hidden_size=8, num_hidden_layers=1, mask_share=1.0)).save_pretrained(tmp_path)
    batch = BERT4Rec.from_pretrained(tmp_path).training_batch(histories([[0, 1, 2]]))
    assert batch["input_ids"].tolist() == [[4, 4, 4]]


def test_sites_are_what_blocks_add_up_and_normalise(model):
    """BERT normalises after every sum; hooks see the sites in the order of their names, each at its own module."""
    tokens = model.inference_inputs(histories(LISTS))
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
    assert len({id(model.get_submodule(path)) for path in model.sites.values()}) == len(model.sites)
    assert {tuple(hidden.shape) for hidden in seen.values()} == {(*tokens.shape, 8)}
    assert torch.equal(seen["embedding"], model.get_input_embeddings().weight[tokens])
    parts = model.backbone.embeddings
    position = ((tokens > 0).cumsum(dim=1) - 1).clamp(min=0)
    stream = parts.LayerNorm(
        seen["embedding"] + parts.position_embeddings.weight[position] + parts.token_type_embeddings.weight[0]
    )
    for number, layer in enumerate(model.backbone.encoder.layer):
        block = f"blocks.{number}"
        stream = layer.attention.output.LayerNorm(stream + seen[f"{block}.attention"])
        stream = layer.output.LayerNorm(stream + seen[f"{block}.mlp"])
        torch.testing.assert_close(seen[block], stream, atol=1e-5, rtol=0)
    assert torch.equal(seen["final"], seen["blocks.1"])
    assert torch.equal(seen["final"], encoded)


def test_dropout_is_set_everywhere():
    model = BERT4Rec(BERT4RecConfig(n_items=3, hidden_size=8, num_hidden_layers=2, dropout=0.3))
    dropouts = [module for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    assert {module.p for module in dropouts} == {0.3}
    assert len(dropouts) == 1 + 3 * 2  # embeddings; attention weights, attention output and MLP of each block
