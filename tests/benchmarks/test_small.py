"""The benchmarks on little data: they fail on wrong results, never on time."""

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.__main__ import BENCHMARKS, main, rows
from benchmarks.timing import Row, Taken, checked, compare, left_out, table

FOLDER = Path(results.__file__).parent
IN_SECONDS = ("collecting", "scores", "sweep", "effects")  # `make benchmarks-small` runs all


@pytest.mark.parametrize("name", IN_SECONDS)
def test_results_are_right(name):
    measured = rows(name, small=True, repeats=1)
    assert {row.name for row in measured} > {"ours"}
    assert all(row.ok for row in measured), table(measured)


def test_every_module_that_has_rows_is_listed():
    has_rows = {path.stem for path in FOLDER.glob("*.py") if "\ndef rows(" in path.read_text() and path.stem[0] != "_"}
    assert has_rows == set(BENCHMARKS)


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "there is no benchmark nothing" in capsys.readouterr().err


def test_ratios_are_of_medians_and_a_time_from_elsewhere_counts():
    times = iter([1.0, 2.0, 9.0])
    measured = compare("w", {"ours": lambda: Taken(1, 2), "other": lambda: Taken(next(times), 1)}, 3, warm_up=0)
    assert [row.ratio for row in measured] == [1, 2]
    assert [row.processor_ratio for row in measured] == [1, 0.5]


def test_a_benchmark_is_kept_in_place_of_its_last_rows(tmp_path):
    wrong = checked([Row("w", "ours", (1.0,), (1.0,))], "ours", False, apart=2.0)
    results.keep("scores", [Row("old", "ours", (1.0,), (1.0,))], tmp_path)
    results.keep("scores", [*wrong, left_out("w", "peer", "no environment")], tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "old" not in text
    assert "**wrong**: apart: 2" in text
    assert "not run: no environment" in text
    assert len(json.loads((tmp_path / "results.json").read_text())["scores"]["rows"]) == 2
