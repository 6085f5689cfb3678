"""Whose folder it is, links, locks, and what is on the disk when."""

import json
import multiprocessing
import os
import threading

import pytest

from recmodels import artifacts, files, folders, locks
from recmodels.errors import InputError

FORK = multiprocessing.get_context("spawn")


def write(folder, kind="model", inputs=None):
    with artifacts.writing(folder, kind, inputs or {}) as partial:
        (partial / "weights.bin").write_bytes(b"new")


@pytest.mark.parametrize("place", ["model", "model.partial", "model.old"])
@pytest.mark.parametrize("name", ["notes.txt", "manifest.json", "unfinished.json", "deep/notes.txt"])
def test_what_the_program_did_not_write_is_left_alone(tmp_path, place, name):
    mine = tmp_path / place / name
    mine.parent.mkdir(parents=True)
    mine.write_text('{"kind": "diary"}')
    with pytest.raises(InputError, match=r"move it away|holds a diary|is damaged"):
        write(tmp_path / "model")
    assert mine.read_text() == '{"kind": "diary"}'
    assert [path.name for path in tmp_path.iterdir()] == [place]


@pytest.mark.parametrize("place", ["model", "model.partial", "model.old"])
def test_a_link_leads_nowhere(tmp_path, place):
    outside = tmp_path / "outside"
    write(outside)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / place).symlink_to(outside, target_is_directory=True)
    before = sorted(path.name for path in outside.iterdir())
    with pytest.raises(InputError, match="is a link"):
        write(tmp_path / "in" / "model", inputs={"seed": 1})
    assert sorted(path.name for path in outside.iterdir()) == before
    assert artifacts.verify(outside, "model")["inputs"] == {}


def test_a_file_that_someone_put_into_an_artefact_keeps_it_from_being_replaced(tmp_path):
    write(tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt does not belong to the model there: move it away"):
        write(tmp_path / "model", inputs={"seed": 1})
    assert (tmp_path / "model" / "notes.txt").read_text() == "mine"
    artifacts.verify(tmp_path / "model", "model")  # it is not read, so it does no harm


def test_an_artefact_that_lacks_what_its_kind_needs_is_neither_whole_nor_current(tmp_path):
    kind = artifacts.Kind("model", ("weights.bin", "names.txt"))
    with pytest.raises(InputError, match=r"lacks names\.txt"):
        write(tmp_path / "model", kind)
    write(tmp_path / "model")
    assert artifacts.is_current(tmp_path / "model", "model", {})
    for reader in (artifacts.read_manifest, artifacts.verify):
        with pytest.raises(InputError, match=r"lacks names\.txt: delete it and run the step that writes this model"):
            reader(tmp_path / "model", kind)
    assert not artifacts.is_current(tmp_path / "model", kind, {})
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    artifacts.write_json(tmp_path / "model" / "manifest.json", manifest | {"files": {}})
    with pytest.raises(InputError, match="lacks its files"):
        artifacts.verify(tmp_path / "model", "model")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret", "", "c:secret", "a\\b"])
def test_a_manifest_names_only_files_inside_its_folder(tmp_path, name):
    write(tmp_path / "model")
    path = tmp_path / "model" / "manifest.json"
    manifest = json.loads(path.read_text())
    artifacts.write_json(path, manifest | {"files": {name: manifest["files"]["weights.bin"]}})
    with pytest.raises(InputError, match="is damaged"):
        artifacts.verify(tmp_path / "model", "model")


def test_a_lost_file_makes_an_artefact_be_made_again(tmp_path, caplog):
    write(tmp_path / "model")
    (tmp_path / "model" / "weights.bin").write_bytes(b"bad")
    assert not artifacts.is_current(tmp_path / "model", "model", {})
    assert "cut short or altered" in caplog.text
    write(tmp_path / "model")
    assert artifacts.is_current(tmp_path / "model", "model", {})


def hold_for_good(path, ready):
    with locks.hold(path, "the study"):
        ready.set()
        threading.Event().wait()


def test_a_lock_says_who_holds_it_and_ends_with_its_process(tmp_path):
    path, ready = tmp_path / "study.lock", FORK.Event()
    holder = FORK.Process(target=hold_for_good, args=(path, ready))
    holder.start()
    assert ready.wait(60)
    with (
        pytest.raises(InputError, match=rf"^the study is in use by process {holder.pid} on .* since 20"),
        locks.hold(path, "the study"),
    ):
        pass
    holder.kill()
    holder.join()
    assert path.exists()
    with locks.hold(path, "the study"), locks.hold(path, "the study"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_threads_of_one_process_wait_for_each_other_too(tmp_path):
    said = []

    def other():
        try:
            write(tmp_path / "model")
        except InputError as error:
            said.append(str(error))

    with artifacts.writing(tmp_path / "model", "model", {}) as partial:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        (partial / "weights.bin").write_bytes(b"first")
    assert len(said) == 1
    assert f"in use by process {os.getpid()}" in said[0]
    assert (tmp_path / "model" / "weights.bin").read_bytes() == b"first"


@pytest.mark.parametrize("content", ["mine", "[]", '{"pid": "x"}'])
def test_a_file_that_is_called_like_a_lock_is_left_alone(tmp_path, content):
    (tmp_path / "model.lock").write_text(content)
    with pytest.raises(InputError, match="is not a lock of this program"):
        write(tmp_path / "model")
    assert (tmp_path / "model.lock").read_text() == content


def test_leftovers_of_a_killed_writer_go_and_those_of_a_living_one_stay(tmp_path):
    path = tmp_path / "note.txt"
    dead, alive = (tmp_path / f"note.txt.{pid}.0123abcd.partial" for pid in (2**22 + 1, os.getpid()))
    others = tmp_path / "mine.partial"
    for leftover in (dead, alive, others):
        leftover.write_text("half")
    files.write_text(path, "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([others.name, path.name, alive.name])


def test_a_finished_artefact_is_on_the_disk_before_it_is_visible(tmp_path, monkeypatch):
    seen, fsync, rename = [], os.fsync, os.rename
    monkeypatch.setattr(
        os, "fsync", lambda handle: seen.append(os.readlink(f"/proc/self/fd/{handle}")) or fsync(handle)
    )
    monkeypatch.setattr(os, "rename", lambda *names: seen.append("rename") or rename(*names))
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc")
    write(tmp_path / "model")
    before = seen[: seen.index("rename")] if "rename" in seen else seen
    assert str(tmp_path / "model.partial" / "weights.bin") in before
    assert str(tmp_path / "model.partial") in before
    assert seen[-1] == str(tmp_path)


def test_work_on_other_inputs_is_not_gone_on_with(tmp_path):
    partial = tmp_path / "model.partial"
    folders.work_in(partial, "model", {"seed": 1})
    (partial / "half.bin").write_bytes(b"h")
    folders.work_in(partial, "model", {"seed": 1})
    assert (partial / "half.bin").exists()
    folders.work_in(partial, "model", {"seed": 2})
    assert not (partial / "half.bin").exists()
