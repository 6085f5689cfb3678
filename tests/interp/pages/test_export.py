"""What `interp export` writes, what it replaces and what it leaves alone."""

import hashlib
import json
import os

import pytest
from pages import handmade_study

import interp.pages.export
from interp.pages.dashboard import write_dashboard
from interp.pages.export import export
from interp.pages.report import write_report
from recmodels import artifacts, folders
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def handmade(tmp_path_factory):
    study = handmade_study(tmp_path_factory.mktemp("study"))
    write_dashboard(study)
    write_report(study)
    return study


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_place_in_the_study_is_refused(study):
    before = sorted(study.folder.rglob("*"))
    for place in (study.folder, study.folder / "tables", study.folder / "mine"):
        with pytest.raises(InputError, match="lies in the study itself: choose a folder beside it with --to"):
            export(study, place)
    assert sorted(study.folder.rglob("*")) == before


def test_all_parts_are_written_where_none_is_asked_for_with_the_same_bytes(study, tmp_path, arguments, capsys):
    arguments("export", study.folder, "--to", tmp_path / "out")
    assert capsys.readouterr().out.split() == [str(tmp_path / "out" / part) for part in ("site", "figures", "tables")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["figures", "site", "tables"]
    for part in ("site", "figures", "tables"):
        assert artifacts.verify(tmp_path / "out" / part, "export")["inputs"]["study"] == study.name
    pages = {path.name for path in (tmp_path / "out" / "site" / "feature").iterdir()}
    assert pages == {f"{feature}.html" for feature in range(len(study.features))}
    assert not list((tmp_path / "out" / "figures").glob("*.svg"))
    first = digests(tmp_path / "out")
    export(interp.open(study.folder), tmp_path / "out")  # as it is now: other tests may have run it again
    assert digests(tmp_path / "out") == first


def test_only_what_is_asked_for_is_replaced(handmade, tmp_path):
    export(handmade, tmp_path, tables=True)
    export(handmade, tmp_path, site=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site", "tables"]
    folders.work_in(tmp_path / "tables.partial", "export", {})
    (tmp_path / "tables.partial" / "half.tex").write_text("left by a run that was killed")
    export(handmade, tmp_path, tables=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site", "tables"]
    assert not (tmp_path / "tables" / "half.tex").exists()


def test_a_failure_leaves_the_old_export_whole(handmade, tmp_path, monkeypatch):
    export(handmade, tmp_path, tables=True)
    before = digests(tmp_path)

    def fail(source, folder):
        (folder / "half.tex").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(interp.pages.export, "write_tables", fail)
    with pytest.raises(KeyboardInterrupt):
        export(handmade, tmp_path, tables=True)
    assert digests(tmp_path) == before  # nor is anything half-written left beside it
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
    assert artifacts.verify(tmp_path / "tables", "export")


@pytest.mark.parametrize(
    ("place", "says"),
    [("file", "it is a file"), ("file/below", "Not a directory"), ("closed/below", "Permission denied")],
)
def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(handmade, tmp_path, monkeypatch, place, says):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "closed").mkdir(mode=0o500)
    if place.startswith("closed") and os.access(tmp_path / "closed", os.W_OK):
        pytest.skip("this user may write anywhere")
    monkeypatch.setattr(interp.pages.export, "write_tables", lambda source, folder: pytest.fail("work was begun"))
    message = rf"^cannot write to {tmp_path / place} \({says}\): choose another folder with --to$"
    with pytest.raises(InputError, match=message):
        export(handmade, tmp_path / place, tables=True)
    assert (tmp_path / "file").read_text() == "mine"


def spoil(folder, how):
    """Something that an export did not write, and what is said of it."""
    if how == "foreign":
        for path in folder.iterdir():
            path.unlink()
        (folder / "mine.tex").write_text("mine")
        return "is not an export that this program wrote: move it away, or choose another folder"
    if how == "more":
        (folder / "mine.tex").write_text("mine")
        return "mine.tex does not belong to the export there: move it away, and try again"
    if how == "altered":
        (folder / "all.tex").write_text("mine")
        return "all.tex was cut short or altered"
    manifest = json.loads((folder / "manifest.json").read_text())
    artifacts.write_json(folder / "manifest.json", manifest | {"kind": "model"})
    return "holds a model, not an export"


@pytest.mark.parametrize("how", ["foreign", "more", "altered", "model"])
def test_what_is_not_an_unchanged_export_is_left_alone(handmade, tmp_path, how):
    export(handmade, tmp_path, tables=True)
    message = spoil(tmp_path / "tables", how)
    before = digests(tmp_path)
    with pytest.raises(InputError, match=message):
        export(handmade, tmp_path, tables=True, figures=())
    assert digests(tmp_path) == before  # nor are other parts written


def test_an_empty_folder_is_filled(handmade, tmp_path):
    (tmp_path / "tables").mkdir()
    (folder,) = export(handmade, tmp_path, tables=True)
    assert (folder / "all.tex").is_file()
