import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import PurePosixPath

import numpy as np
import pytest
import torch

from recmodels.adapters.checkpoint_reader import Opaque, read_checkpoint
from recmodels.errors import InputError


class Runs:
    """Runs a command when a pickle of it is read."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class Record(dict):
    """A mapping with attributes, whose items a pickle sets one by one."""


class Holder:
    """An object that holds itself."""

    def __init__(self):
        self.sizes, self.me = np.array([3, 4]), self


def saved(content, path):
    torch.save(content, path)
    return read_checkpoint(path)


def test_tensors_and_plain_values_are_as_they_were(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    content = {
        "state": OrderedDict(
            view=base.T[1:],
            half=base.to(torch.bfloat16),
            parameter=torch.nn.Parameter(base),
            whole=torch.tensor([1, -2], dtype=torch.int16),
            empty=torch.zeros(0, 3),
            flag=torch.tensor(True),
        ),
        "numbers": (1, 2.5, None, "é", b"x", True, {"a"}),
        "ids": np.array(["PAD", 7, "film 3"], dtype=object),
        "table": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.array([1, 2], dtype=">i4"),
        "words": np.array(["a", "bcd"]),
        "scalar": np.float32(0.5),
    }
    back = saved(content, tmp_path / "file.pt")
    for name, tensor in content["state"].items():
        assert back["state"][name].dtype == tensor.dtype
        torch.testing.assert_close(back["state"][name], tensor.detach())
    assert back["numbers"] == content["numbers"]
    for name in ("ids", "table", "big", "words"):
        np.testing.assert_array_equal(back[name], content[name])
    assert back["scalar"] == 0.5
    assert type(back["scalar"]) is float


def test_nothing_that_a_checkpoint_names_is_run(tmp_path):
    content = saved({"bad": Runs(f"touch {tmp_path / 'ran'}"), "good": 1}, tmp_path / "file.pt")
    assert not (tmp_path / "ran").exists()
    assert content["good"] == 1
    assert isinstance(content["bad"], Opaque)
    assert content["bad"].kind.endswith(".system")
    assert content["bad"].arguments == (f"touch {tmp_path / 'ran'}",)


def test_objects_of_unknown_classes_keep_what_was_stored(tmp_path):
    record = Record(a=1)
    record.note = "n"
    back = saved([Holder(), record, PurePosixPath("a/b")], tmp_path / "file.pt")
    holder, record, path = back
    np.testing.assert_array_equal(holder.state["sizes"], [3, 4])
    assert holder.state["me"] is holder
    assert record.items == [("a", 1)]
    assert record.state == {"note": "n"}
    assert path.arguments == ("a", "b")


def archive(path, pickled, **records):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in {"data.pkl": pickled, **records}.items():
            file.writestr(f"file/{name}", content)


@pytest.mark.parametrize("name", ["absent", "text", "cut", "no pickle", "outside", "big endian"])
def test_damaged_files_are_refused_in_one_line(name, tmp_path):
    path = tmp_path / "file.pt"
    torch.save({"a": torch.arange(4.0)}, path)
    content = path.read_bytes()
    if name == "absent":
        path.unlink()
    elif name == "text":
        path.write_text("epoch 1", encoding="utf-8")
    elif name == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif name == "no pickle":
        archive(path, b"junk")
    elif name == "big endian":
        archive(path, pickle.dumps(1), byteorder="big")
    elif name == "outside":  # a tensor that is larger than its storage
        with zipfile.ZipFile(path) as file:
            pickled = file.read("file/data.pkl")
        assert pickled.count(b"K\x04\x85") == 1
        archive(path, pickled.replace(b"K\x04\x85", b"K\x09\x85"), **{"data/0": bytes(16)})
    with pytest.raises(InputError, match=r"(there is no checkpoint|is not a checkpoint|by a big-endian machine).*: "):
        read_checkpoint(path)
