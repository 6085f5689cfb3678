"""The notebooks, executed from clean in a fresh kernel each, and what comes out of them looked over."""

import re
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from execute import NOTEBOOKS, WIDGET, execute, read
from small import TRAINING

from interp.config import SAEConfig, StudyConfig
from interp.pipeline.run import run
from interp.presets import PRESETS
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.interactions import Dataset

ROOT = Path(__file__).parents[2]
PLOTLY = "application/vnd.plotly.v1+json"
NAMES = [path.stem for path in NOTEBOOKS]
GENRES = ["Horror", "Comedy", "Sci-Fi", "Drama", "Action", "Children's", "Romance", "Western"]
# What the notebooks say of films: ids of MovieLens, so that its horror films are of the planted Horror.
HORROR = [200, 219, 183]
BYTES = 1_500_000


@pytest.fixture(scope="module")
def like_films(tmp_path_factory):
    """A study of a planted world in seconds, whose concepts and some of whose items are called as MovieLens's are."""
    folder = tmp_path_factory.mktemp("study") / "ml-100k"
    config = StudyConfig(
        training=replace(TRAINING, max_epochs=3),
        sae=SAEConfig(n_features=32, steps=200, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100),
        steered=("Horror",),
        values=(-4.0, 0.0, 4.0),
        out=folder,
    )
    run(config, renamed(load(PlantedConfig(users=300, items=120, concepts=8, mean_length=20, drift=0.05))))
    return folder


def renamed(planted):
    """Concepts as genres, and ids from 1 to 600 of which the ones in `HORROR` have the first genre."""
    items = planted.items
    names = {concept: GENRES[int(concept[-2:])] for concept in sorted({c for row in items["concepts"] for c in row})}
    first = items.index[[row[0] == "concept-00" for row in items["concepts"]]][: len(HORROR)]
    others = iter(sorted(set(range(1, 600)) - set(HORROR), key=lambda number: (number not in {1, 71, 95, 588}, number)))
    ids = dict(zip(first, HORROR, strict=True))
    ids |= {item: next(others) for item in items.index if item not in ids}
    return Dataset(
        "ml-100k",
        planted.interactions.assign(item=planted.interactions["item"].map(ids)),
        pd.DataFrame(
            {
                "title": items["title"].to_numpy(),
                "genres": [tuple(names[concept] for concept in row) for row in items["concepts"]],
            },
            index=pd.Index([ids[item] for item in items.index], name="item"),
        ),
        "genres",
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_it_runs_from_clean(path, like_films):
    looked_over(execute(path, like_films))


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
