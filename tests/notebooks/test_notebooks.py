"""The notebooks, executed from clean in a fresh kernel each, and what comes out of them looked over."""

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from execute import NOTEBOOKS, WIDGET, execute, read

from interp.pipeline.run import run
from interp.presets import PRESETS

ROOT = Path(__file__).parents[2]
PLOTLY = "application/vnd.plotly.v1+json"
NAMES = [path.stem for path in NOTEBOOKS]
BYTES = 1_500_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_it_runs_from_clean(path, films_study, tmp_path):
    shutil.copytree(films_study, tmp_path / "ml-100k")
    looked_over(execute(path, tmp_path / "ml-100k"))


@pytest.mark.study
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_it_runs_on_movielens(path):
    study = run(replace(PRESETS["ml-100k"][1], out=ROOT / "artifacts" / "ml-100k"))
    start = time.perf_counter()
    looked_over(execute(path, study.folder))
    assert time.perf_counter() - start < 120


def looked_over(notebook):
    """Every cell shows something fit to be seen, or nothing; there are figures, and no warnings."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"execute_result", "display_data", "stream"}
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    shown = [output.data for output in outputs if "data" in output]
    for data in shown:
        assert WIDGET not in data
        assert PLOTLY in data or "text/html" in data or data["text/plain"].startswith("feature"), data
        assert "object at 0x" not in data.get("text/plain", "")
        assert "object>" not in data.get("text/plain", "")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_what_is_committed_is_the_script_executed(path):
    """The same cells; executed in order; fit to be read where nothing runs."""
    target = path.with_suffix(".ipynb")
    expected, found = read(path), nbformat.read(target, as_version=4)
    nbformat.validate(found)
    assert [(cell.cell_type, cell.source, cell.id) for cell in found.cells] == [
        (cell.cell_type, cell.source, cell.id) for cell in expected.cells
    ]
    assert found.metadata == expected.metadata
    code = [cell for cell in found.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    looked_over(found)
    figures = [output.data for cell in code for output in cell.outputs if PLOTLY in output.get("data", {})]
    assert figures
    assert all("image/png" in data for data in figures)
    text = target.read_text()
    assert len(text) < BYTES
    assert not re.search(r"/(?:home|root|Users|tmp|work|usr)/", re.sub(r'"image/png": "[^"]*"', "", text))
