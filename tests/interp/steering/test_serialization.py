import json

import numpy as np
import pytest
import torch

from interp.steering.edits import Edit, Push, Steer
from interp.steering.serialization import from_json, load_steer, save_steer, to_json
from recmodels.errors import InputError

STEER = Steer(
    (
        Edit(3, 2.5, concept="Café <b>"),
        Edit(np.int64(1), -1.0, "add", "all", 0.5),
        Edit(2, {"ann": 1.0, "bob": 0.1}, "floor", (-1, -3)),
        Edit(4, {7: 1.0, np.int64(8): 2.0}, "cap"),
    ),
    "blocks.1.mlp",
    "last",
    "f" * 64,
)


def test_a_steer_comes_back_as_it_was(tmp_path):
    save_steer(STEER, tmp_path / "steer.json")
    assert load_steer(tmp_path / "steer.json") == STEER
    assert from_json(to_json(STEER)) == STEER
    assert to_json(from_json(to_json(STEER))) == to_json(STEER)


def test_a_direction_comes_back_to_the_last_bit():
    push = Push(torch.randn(5, generator=torch.Generator().manual_seed(0)), 1 / 3, "all")
    (back,) = from_json(to_json(Steer((push,), "final"))).edits
    assert torch.equal(back.direction, push.direction)
    assert (back.factor, back.at) == (push.factor, push.at)


def test_the_text_can_be_read_by_people():
    record = json.loads(to_json(STEER))
    assert record["edits"][0] == {
        "feature": 3,
        "concept": "Café <b>",
        "op": "set",
        "value": 2.5,
        "at": "last",
        "weight": 1.0,
    }
    assert record["edits"][3]["value"] == {"users": [7, 8], "values": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:40], "^this steer is not JSON"),
        (lambda _: "[1]", "^this is not a steer of version 1"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "^this is not a steer of version 1"),
        (lambda text: text.replace('"version": 1', '"version": true'), "^this is not a steer of version 1"),
        (lambda text: text.replace('"site"', '"place"'), "^this steer lacks 'site'"),
        (lambda text: text.replace('"site"', '"more": 1, "site"'), "^this steer has an unknown 'more'"),
        (lambda text: text.replace('"op"', '"do"', 1), "^this edit lacks 'op'"),
        (lambda text: text.replace("2.5", '"much"'), "^'value' of this steer holds a value of the wrong kind"),
        (lambda text: text.replace("2.5", "null"), "^'value' of this steer"),
        (lambda text: text.replace("2.5", "true"), "^'value' of this steer"),
        (lambda text: text.replace('"feature": 3', '"feature": true'), "^'feature' of this steer"),
        (lambda text: text.replace('"bob"', '"ann"'), "needs as many values as users, each user once"),
        (lambda text: text.replace("0.1", "0.1, 0.2"), "needs as many values as users"),
        (lambda _: "[" * 100_000, "^this steer is not JSON"),
    ],
)
def test_what_is_no_steer_is_refused_in_one_line(change, message):
    assert change(to_json(STEER)) != to_json(STEER)
    with pytest.raises(InputError, match=message) as caught:
        from_json(change(to_json(STEER)))
    assert "\n" not in str(caught.value)


def test_the_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^there is no file .*none\.json: give one that"):
        load_steer(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError, match=r"bad\.json: this is not a steer"):
        load_steer(tmp_path / "bad.json")


@pytest.mark.parametrize(
    ("steer", "says"),
    [
        (Steer((Edit(1, {("a", 1): 2.0}),), "final"), r"^user \('a', 1\) cannot be written"),
        (Steer((Edit(1, float("nan")),), "final"), "^a number of this steer is not finite"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(steer, says, tmp_path):
    with pytest.raises(InputError, match=says):
        save_steer(steer, tmp_path / "steer.json")
    assert not list(tmp_path.iterdir())


def test_numbers_of_any_kind_are_written(tmp_path):
    odd = Steer((Edit(np.int64(1), np.float32(0.5), at=(np.int64(-1),), weight=np.float32(0.5)),), "final")
    assert from_json(to_json(odd)) == Steer((Edit(1, 0.5, at=(-1,), weight=0.5),), "final")


def test_files_are_named_json(tmp_path):
    with pytest.raises(InputError, match=r"steer\.txt: give a name that ends in \.json"):
        save_steer(STEER, tmp_path / "steer.txt")
    (tmp_path / "mine.json").write_text("{}")
    with pytest.raises(InputError, match=r"mine\.json is there and is not a steer: give another name"):
        save_steer(STEER, tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_text() == "{}"
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError, match=r"folder\.json is a folder, where a file is to be written"):
        save_steer(STEER, tmp_path / "folder.json")
