"""Recommenders of strangers: known keys, sizes that fit the file, and tensors from that file only."""

import json
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_recommender import toy

from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.recommender import KIND, Recommender


@pytest.fixture
def saved(tmp_path):
    toy(["a", "b", "c"]).save(tmp_path / "recommender")
    return tmp_path / "recommender"


def refused(folder, match):
    artifacts.seal(folder, KIND, {})  # a stranger's checksums are right
    started = time.perf_counter()
    with pytest.raises(InputError, match=match) as error:
        Recommender.load(folder)
    assert "\n" not in str(error.value)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attn_implementation": "someone/kernel"}, "has the key 'attn_implementation'"),
        ({"_attn_implementation": "sdpa"}, "has the key '_attn_implementation'"),
        ({"auto_map": {"AutoModel": "x--y.Z"}}, "has the key 'auto_map'"),
        ({"quantization_config": {}}, "has the key 'quantization_config'"),
        ({"mask_share": 0.5}, "has the key 'mask_share'"),
        ({"dtype": "code"}, "has the key 'dtype'"),
        ({"num_hidden_layers": 1e6}, "not a whole number"),
        ({"num_hidden_layers": 10**6}, "must lie between 0 and 1000"),
        ({"num_hidden_layers": 999}, "too small for the model"),
        ({"n_items": 2**30}, "too small for the model"),
        ({"hidden_size": True}, "not a whole number"),
        ({"hidden_size": 9}, "of shape|does not describe a model"),
        ({"max_history": 5}, "of shape"),
        ({"dropout": -1}, "must lie between 0 and 1"),
        ({"dropout": "0.1"}, "not a number"),
        ({"num_attention_heads": 3}, "does not describe a model"),
        ({"model_type": 3}, "not text"),
    ],
)
def test_a_configuration_is_read_key_by_key(saved, change, says):
    path = saved / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    refused(saved, says)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("vocabulary.json", '["a", "b", "b"]', "has the item 'b' twice"),
        ("vocabulary.json", '["a", "b", null]', "not a list of item ids"),
        ("vocabulary.json", '{"a": 1}', "not a list of item ids"),
        ("vocabulary.json", "[" * 10**5, "is damaged"),
        ("vocabulary.json", "[NaN]", "is damaged"),
        ("config.json", "[]", "is not a JSON object"),
        ("config.json", f'{{"max_history": {10**400}}}', "is damaged"),
        ("model.safetensors", "weights", "is damaged"),
    ],
)
def test_files_that_are_no_such_files(saved, name, content, says):
    (saved / name).write_text(content)
    refused(saved, says)


def test_weights_come_from_the_one_file_only(saved, tmp_path):
    weights = load_file(saved / "model.safetensors")
    torch.save(weights, saved / "pytorch_model.bin")
    (saved / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../elsewhere.safetensors"}}')
    artifacts.seal(saved, KIND, {})
    assert Recommender.load(saved).fingerprint == toy(["a", "b", "c"]).fingerprint
    first = next(iter(weights))
    save_file({name: tensor for name, tensor in weights.items() if name != first}, saved / "model.safetensors")
    refused(saved, "lacks '")
    save_file(weights | {"more": torch.zeros(1)}, saved / "model.safetensors")
    refused(saved, "has 'more', which such a model lacks")
    (saved / "model.safetensors").rename(tmp_path / "elsewhere.safetensors")
    refused_without = pytest.raises(InputError, match=r"lacks model\.safetensors")
    with refused_without:
        artifacts.seal(saved, KIND, {})
    (saved / "model.safetensors").symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(InputError, match="is a link"):
        artifacts.seal(saved, KIND, {})


def test_loading_draws_no_random_numbers(saved):
    state = torch.random.get_rng_state()
    numbers = np.random.get_state()[1].copy()
    Recommender.load(saved)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (np.random.get_state()[1] == numbers).all()
