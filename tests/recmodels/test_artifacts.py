import hashlib
import json

import pytest

from recmodels import artifacts, folders
from recmodels.errors import InputError

INPUTS = {"seed": 1, "source": "abc"}


@pytest.fixture
def folder(tmp_path):
    """A finished artefact of two files."""
    folder = tmp_path / "model"
    with artifacts.writing(folder, "model", INPUTS) as partial:
        (partial / "weights.bin").write_bytes(b"abc")
        (partial / "deep").mkdir()
        (partial / "deep" / "names.txt").write_text("x")
    return folder


def test_manifest_says_kind_inputs_and_checksums(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["kind"] == "model"
    assert manifest["inputs"] == INPUTS
    # SHA-256 of "abc", from FIPS 180-2.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert manifest["files"]["weights.bin"] == {"bytes": 3, "sha256": known}
    assert set(manifest["files"]) == {"weights.bin", "deep/names.txt"}
    assert artifacts.verify(folder, "model") == manifest


def test_finished_folder_replaces_an_older_one_and_leaves_nothing_else(folder):
    with artifacts.writing(folder, "model", {"seed": 2}) as partial:
        (partial / "other.bin").write_bytes(b"z")
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "other.bin"]
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    assert artifacts.verify(folder, "model")["inputs"] == {"seed": 2}


def test_a_run_that_is_killed_while_it_deletes_the_older_folder_has_the_new_one(folder, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as deleting:
        deleting.setattr(folders.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            write_again(folder, 2)
    whole = [path for path in folder.parent.iterdir() if (path / "manifest.json").is_file()]
    assert folder in whole
    assert artifacts.verify(folder, "model")["inputs"] == {"seed": 2}
    write_again(folder, 3)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def write_again(folder, seed):
    with artifacts.writing(folder, "model", {"seed": seed}) as partial:
        (partial / "other.bin").write_bytes(b"z")


def test_a_failure_keeps_the_older_folder_and_the_unfinished_work(folder):
    def fail():
        with artifacts.writing(folder, "model", {"seed": 2}) as partial:
            (partial / "half.bin").write_bytes(b"h")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert artifacts.verify(folder, "model")["inputs"] == INPUTS
    with artifacts.writing(folder, "model", {"seed": 2}) as partial:
        assert (partial / "half.bin").read_bytes() == b"h"
    assert "half.bin" in artifacts.verify(folder, "model")["files"]


def test_discarded_work_is_gone(tmp_path):
    folder = tmp_path / "store"
    folders.work_in(artifacts.partial_folder(folder), "store", {})
    (artifacts.partial_folder(folder) / "half.bin").write_bytes(b"h")
    artifacts.discard_partial(folder, "store")
    artifacts.discard_partial(folder, "store")
    with artifacts.writing(folder, "store", {}) as partial:
        assert not (partial / "half.bin").exists()
        (partial / "whole.bin").write_bytes(b"w")


def test_work_killed_just_before_the_rename_can_be_finished(folder):
    folder.rename(artifacts.partial_folder(folder))
    with artifacts.writing(folder, "model", INPUTS) as partial:
        (partial / "more.bin").write_bytes(b"m")
    assert set(artifacts.verify(folder, "model")["files"]) == {"weights.bin", "deep/names.txt", "more.bin"}


def test_half_written_and_absent_folders_are_told_apart(tmp_path):
    folder = tmp_path / "model"
    with pytest.raises(InputError, match=r"model does not exist: run the step that writes this model again"):
        artifacts.read_manifest(folder, "model")
    artifacts.partial_folder(folder).mkdir()
    with pytest.raises(InputError, match="is unfinished"):
        artifacts.verify(folder, "model")
    folder.mkdir()
    with pytest.raises(InputError, match="is unfinished"):
        artifacts.verify(folder, "model")


def test_another_kind_is_refused(folder):
    with pytest.raises(InputError, match="holds a model, not a dictionary: pass the folder of a dictionary"):
        artifacts.read_manifest(folder, "dictionary")


def test_another_layout_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    artifacts.write_json(folder / "manifest.json", manifest | {"schema": 99})
    with pytest.raises(InputError, match="has layout 99, this version reads 1"):
        artifacts.verify(folder, "model")


@pytest.mark.parametrize("lost", ["kind", "schema", "inputs", "files"])
def test_a_manifest_without_one_of_its_keys_is_damaged(folder, lost):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest[lost]
    artifacts.write_json(folder / "manifest.json", manifest)
    with pytest.raises(InputError, match=rf"manifest\.json is damaged, '{lost}' is missing: delete"):
        artifacts.verify(folder, "model")
    assert not artifacts.is_current(folder, "model", INPUTS)


@pytest.mark.parametrize("content", [b"{", b"[1]", b"", b"\xff\xfe"])
def test_a_manifest_that_is_not_json_is_damaged(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        artifacts.read_manifest(folder, "model")


@pytest.mark.parametrize("content", [b"abd", b"ab", b"abcd", b""])
def test_an_altered_file_is_refused(folder, content):
    (folder / "weights.bin").write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.bin was cut short or altered"):
        artifacts.verify(folder, "model")


def test_a_missing_file_is_refused(folder):
    (folder / "deep" / "names.txt").unlink()
    with pytest.raises(InputError, match=r"names\.txt is missing"):
        artifacts.verify(folder, "model")


def test_only_the_same_kind_and_inputs_are_current(folder):
    assert artifacts.is_current(folder, "model", dict(reversed(INPUTS.items())))
    assert not artifacts.is_current(folder, "model", INPUTS | {"seed": 2})
    assert not artifacts.is_current(folder, "model", INPUTS | {"more": None})
    assert not artifacts.is_current(folder, "store", INPUTS)
    assert not artifacts.is_current(folder.with_name("other"), "model", INPUTS)


def test_inputs_are_compared_as_json(tmp_path):
    with artifacts.writing(tmp_path / "a", "model", {"shape": (1, 2)}) as partial:
        (partial / "weights.bin").write_bytes(b"abc")
    assert artifacts.is_current(tmp_path / "a", "model", {"shape": (1, 2)})
    assert artifacts.is_current(tmp_path / "a", "model", {"shape": [1, 2]})


def test_write_text_replaces_the_whole_content(tmp_path):
    path = tmp_path / "new" / "note.txt"
    artifacts.write_text(path, "a longer first text")
    artifacts.write_text(path, "é")
    assert path.read_bytes() == "é".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["note.txt"]


def test_json_checksum_ignores_the_order_of_keys_only():
    assert artifacts.json_sha256({"b": 1, "a": [1, 2]}) == artifacts.json_sha256({"a": [1, 2], "b": 1})
    assert artifacts.json_sha256([1, 2]) != artifacts.json_sha256([2, 1])
    assert artifacts.json_sha256({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


def test_a_folder_in_the_place_of_a_file_is_left_alone(tmp_path):
    (tmp_path / "report.html" / "mine").mkdir(parents=True)
    with pytest.raises(InputError, match="is a folder, where a file is to be written"):
        artifacts.write_text(tmp_path / "report.html", "text")
    assert [path.name for path in tmp_path.rglob("*")] == ["report.html", "mine"]
