import json

import numpy as np
import pytest
import torch

from interp.edits import Edit, Push, Steer
from interp.steer_json import from_json, load_steer, save_steer, to_json
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
        (lambda _: "[1]", "^this is no steer of version 1"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "^this is no steer of version 1"),
        (lambda text: text.replace('"site"', '"place"'), "^this steer lacks 'site'"),
        (lambda text: text.replace('"op"', '"do"', 1), "^this steer lacks 'op'"),
        (lambda text: text.replace("2.5", '"much"'), "^this steer has a value of the wrong kind"),
        (lambda text: text.replace("2.5", "null"), "^this steer has a value of the wrong kind"),
        (lambda text: text.replace("0.1", "0.1, 0.2"), "^this steer has a value of the wrong kind"),
    ],
)
def test_what_is_no_steer_is_refused_in_one_line(change, message):
    assert change(to_json(STEER)) != to_json(STEER)
    with pytest.raises(InputError, match=message) as caught:
        from_json(change(to_json(STEER)))
    assert "\n" not in str(caught.value)


def test_the_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^cannot read .*none\.json: "):
        load_steer(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError, match=r"bad\.json: this is no steer"):
        load_steer(tmp_path / "bad.json")
