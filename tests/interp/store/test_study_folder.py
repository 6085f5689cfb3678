"""Where a study may be written."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny import CONFIG, data

from interp.pipeline.run import run
from interp.store.study_folder import LOCK, check_study, claim_study, study_folder
from recmodels.errors import InputError


@pytest.mark.parametrize("out", ["", ".", "..", "/", "~", Path()])
def test_folders_that_hold_more_than_a_study(out):
    with pytest.raises(InputError, match=r"is not a path|holds more than a study"):
        study_folder(replace(CONFIG, out=out))


@pytest.mark.parametrize("name", ["../../x", "a/b", "/tmp/x", "..", "", "a\\b", "c:x", "a\0b", "a\nb"])
def test_names_are_no_paths(name):
    with pytest.raises(InputError, match="give it a name that is not a path") as error:
        run(replace(CONFIG, out=None), replace(data(), name=name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["report.html", "config.json", "timings.json", "unfinished.json", "tables/mine.csv"])
def test_a_folder_of_someone_else_is_left_alone(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match="is neither empty nor a study"):
        run(replace(CONFIG, out=tmp_path), data())
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [name]
    assert (tmp_path / name).read_text() == "{}"


@pytest.mark.parametrize("name", ["recommender", "recommender.partial", "recommender.checkpoints", "tables"])
def test_links_in_a_study_are_refused(tmp_path, name):
    (tmp_path / "outside").mkdir()
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "timings.json").write_text('{"data": {"seconds": 1, "peak_mb": 1}}')
    check_study(tmp_path / "study")
    (tmp_path / "study" / name).symlink_to(tmp_path / "outside", target_is_directory=True)
    with pytest.raises(InputError, match="is a link"):
        check_study(tmp_path / "study")


def test_one_run_at_a_time(tmp_path):
    folder = tmp_path / "study"
    with claim_study(folder):
        assert (folder / LOCK).is_file()
        check_study(folder)
    assert not folder.exists()  # nothing came of it
