"""Adapted models score as their own class in transformers does, on each history alone."""

import json

import pytest
import torch
from adapters.checkpoints import FILMS, SIZES, TRANSFORMERS, transformers_model, transformers_scores
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

from interp.model.envoys import RecommenderEnvoy
from recmodels.adapters.foreign import read_recommender
from recmodels.errors import InputError
from recmodels.recommender import Recommender


def saved(folder, model, **options) -> Recommender:
    model.save_pretrained(folder / "model")
    (folder / "ids.json").write_text(json.dumps(FILMS), encoding="utf-8")
    return read_recommender("transformers", folder / "model", {"item_ids": folder / "ids.json", **options})


def mask_of(kind: str) -> dict:
    return {} if TRANSFORMERS[kind][1] is None else {"mask": TRANSFORMERS[kind][1]}


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_scores_are_those_of_the_model_itself(kind, tmp_path):
    model = transformers_model(kind)
    recommender = saved(tmp_path, model, **mask_of(kind))
    histories = [FILMS[:1], FILMS[3:6], FILMS[2:17]]
    scores = recommender.score(recommender.histories(histories))
    for row, codes in enumerate(([0], [3, 4, 5], list(range(2, 17)))):
        torch.testing.assert_close(scores[row], transformers_scores(kind, model, codes), rtol=1e-5, atol=1e-5)
    recommender.save(tmp_path / "recommender")
    again = Recommender.load(tmp_path / "recommender")
    torch.testing.assert_close(again.score(again.histories(histories)), scores)


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_sites_are_read_and_written(kind, tmp_path):
    rec = RecommenderEnvoy(saved(tmp_path, transformers_model(kind), **mask_of(kind)))
    for block in (0, 1):
        assert {f"blocks.{block}{part}" for part in (".attention", ".mlp", "")} <= set(rec.recommender.model.sites)
    with rec.trace({"a": FILMS[:2]}):
        embedding = rec.embedding.output.save()
        rec.blocks[1].output[:] = 0
        scores = rec.scores.save()
    items = rec.recommender.model.item_embeddings()[:2]
    torch.testing.assert_close(embedding[0, :2], items)
    bare = rec.score(rec.recommender.histories([FILMS[:2]]))
    assert not torch.allclose(scores, bare)


def test_a_model_that_was_trained_with_padding_on_the_left_keeps_it(tmp_path):
    model = transformers_model("gpt2")
    recommender = saved(tmp_path, model, side="left", seen_padding="yes", max_history=5)
    with torch.no_grad():
        expected = model(torch.tensor([[0, 0, 0, 4, 5]])).logits[0, -1, 1:18]
    torch.testing.assert_close(recommender.score(recommender.histories([FILMS[3:5]]))[0], expected)


def test_old_files_of_tensors_are_read(tmp_path):
    model = transformers_model("llama")
    expected = saved(tmp_path, model).fingerprint
    torch.save(load_file(tmp_path / "model" / "model.safetensors"), tmp_path / "model" / "pytorch_model.bin")
    (tmp_path / "model" / "model.safetensors").unlink()
    options = {"item_ids": tmp_path / "ids.json"}
    assert read_recommender("transformers", tmp_path / "model", options).fingerprint == expected


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("bert", {}, "is a masked model: pass mask="),
        ("gpt2", {"mask": 18}, "is a causal model: leave mask="),
        ("bert", {"mask": 3}, "token 3 is [MASK], and also an item"),
        ("gpt2", {"first": 4}, "has 20 tokens, too few for 17 items from token 4 on"),
        ("gpt2", {"first": 0}, "token 0 is padding, and also an item"),
        ("gpt2", {"max_history": 9}, "does not read 9 steps"),
        ("gpt2", {"side": "top"}, "side is 'top': choose left or right"),
    ],
)
def test_what_does_not_fit_is_refused(kind, options, message, tmp_path):
    with pytest.raises(InputError) as refusal:
        saved(tmp_path, transformers_model(kind), **options)
    assert message in str(refusal.value)


def test_a_head_that_is_not_linear_is_found(tmp_path):
    torch.manual_seed(0)
    config = AutoConfig.for_model("gemma2", **SIZES, head_dim=4, final_logit_softcapping=2.0)
    with pytest.raises(InputError, match="does not score items by the head alone"):
        saved(tmp_path, AutoModelForCausalLM.from_config(config).eval())


def test_a_configuration_that_transformers_does_not_know_is_refused(tmp_path):
    saved(tmp_path, transformers_model("gpt2"))
    place = tmp_path / "model" / "config.json"
    place.write_text(place.read_text(encoding="utf-8").replace('"gpt2"', '"shop"'), encoding="utf-8")
    with pytest.raises(InputError, match=r"transformers makes no model of this .*of type 'shop'"):
        read_recommender("transformers", tmp_path / "model", {"item_ids": tmp_path / "ids.json"})
