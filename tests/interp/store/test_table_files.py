"""Tables come back as they were written, are checked once, and cannot be changed by who reads them."""

import time

import pandas as pd
import pytest

from interp.store import registry, table_files
from interp.store.analysis import Analysis, Table
from interp.store.table_files import TableReader, read_tables, write_tables
from recmodels.errors import InputError

TABLES = (Table("made", "made up", "concept:text value:float count:int"), Table("lists", "lists in cells"))
FRAME = pd.DataFrame({"concept": ["1990", "True", "None", "NA"], "value": [1.5, None, 2.0, 0.1], "count": [1, 2, 3, 4]})
LISTS = pd.DataFrame({"item": [1, 2], "concepts": [["a", "b"], []]})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of tables, of an analysis that is registered for this test."""
    analysis = Analysis("mine", "Mine", lambda: {}, TABLES)
    monkeypatch.setattr(registry, "_REGISTRY", {a.name: a for a in registry.analyses()} | {"mine": analysis})
    write_tables(tmp_path / "mine", TABLES, {"needs": {"rec": "me"}}, lambda: {"made": FRAME, "lists": LISTS})
    return tmp_path


def test_names_that_look_like_numbers_stay_names(folder):
    pd.testing.assert_frame_equal(TableReader(folder, "me")("made"), FRAME)
    assert [list(cell) for cell in TableReader(folder)("lists")["concepts"]] == [["a", "b"], []]
    pd.testing.assert_frame_equal(read_tables(folder / "mine", TABLES)["made"], FRAME)


def test_tables_about_another_recommender_are_refused(folder):
    with pytest.raises(InputError, match="another recommender"):
        TableReader(folder, "you")("made")


def test_tables_of_the_same_key_are_not_made_again(folder):
    write_tables(folder / "mine", TABLES, {"needs": {"rec": "me"}}, lambda: pytest.fail("made again"))
    write_tables(folder / "mine", TABLES, {"needs": {"rec": "you"}}, lambda: {"made": FRAME[:1], "lists": LISTS})
    assert len(TableReader(folder, "you")("made")) == 1


def test_a_column_that_is_not_declared_is_refused(tmp_path):
    with pytest.raises(InputError, match="table made has a column 'more' that its analysis does not declare"):
        write_tables(tmp_path / "mine", TABLES, {}, lambda: {"made": FRAME.assign(more=1), "lists": LISTS})


def test_a_reader_checks_once_and_notices_what_is_written_later(folder, monkeypatch):
    table, checks = TableReader(folder), []
    verify = table_files.artifacts.verify
    monkeypatch.setattr(table_files.artifacts, "verify", lambda *args: checks.append(args) or verify(*args))
    for _ in range(3):
        assert len(table("made")) == 4
    assert len(checks) == 1
    write_tables(folder / "mine", TABLES, {"needs": {"rec": "you"}}, lambda: {"made": FRAME[:1], "lists": LISTS})
    assert len(table("made")) == 1


def test_a_look_up_takes_microseconds(folder):
    table = TableReader(folder)
    table("made")
    start = time.perf_counter()
    for _ in range(1000):
        table("made")
    assert time.perf_counter() - start < 1  # a millisecond each on the slowest machine; reading and checking take more


def test_who_reads_a_table_cannot_change_it(folder):
    table = TableReader(folder)
    mine = table("made")
    mine["more"] = 1
    mine.sort_values("value", inplace=True)
    with pytest.raises(ValueError, match="read-only"):
        table("made").loc[0, "value"] = 9.0
    with pytest.raises(ValueError, match="read-only"):
        table("made").iloc[1, 0] = "other"
    pd.testing.assert_frame_equal(table("made"), FRAME)
    copied = table("made").copy()
    copied.loc[0, "value"] = 9.0
    assert table("made").loc[0, "value"] == 1.5


def test_tables_are_found_where_an_earlier_release_put_them(folder):
    (folder / "mine").rename(folder / "another_name")
    assert len(TableReader(folder)("made")) == 4


def test_an_altered_table_is_refused(folder):
    path = folder / "mine" / "made.csv"
    path.write_text(path.read_text().replace("1990", "1991"))
    with pytest.raises(InputError, match="altered"):
        TableReader(folder)("made")
