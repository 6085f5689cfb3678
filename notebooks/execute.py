"""Execute the notebooks from clean: `make notebooks` writes each .ipynb from its .py, outputs included.

The .py is what is edited. A notebook runs in a fresh kernel, in an empty folder beside which `artifacts/ml-100k` is the
study, so that it finds nothing but that, and leaves nothing behind.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).parent
NOTEBOOKS = sorted(HERE.glob("[0-9]_*.py"))
WIDGET = "application/vnd.jupyter.widget-view+json"
LIVE = "<i>Sliders live only while a notebook runs: open it in Jupyter to turn them.</i>"
METADATA = {
    "jupytext": {"formats": "ipynb,py:percent"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read(path: Path) -> NotebookNode:
    """A notebook without outputs, from its .py; the same every time."""
    notebook = jupytext.read(path)
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"{path.stem}-{number}", NotebookNode()
    return notebook


def execute(path: Path, study: Path, renderer: str = "plotly_mimetype") -> NotebookNode:
    """Run a notebook in a kernel of its own.

    Args:
        path: its .py.
        study: the folder of the study that it opens as ../artifacts/ml-100k.
        renderer: how plotly shows figures; "plotly_mimetype+png" adds a picture, for where no JavaScript runs.

    Returns:
        The notebook with its outputs; those of widgets, which need a kernel, say so.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised.
    """
    notebook = read(path)
    with tempfile.TemporaryDirectory() as folder:
        here, artifacts = Path(folder, "notebooks"), Path(folder, "artifacts")
        here.mkdir()
        artifacts.mkdir()
        (artifacts / "ml-100k").symlink_to(study.resolve())
        settings = {
            "PYTHONPATH": str(HERE.parent.resolve()),  # the packages beside this folder, if others are installed
            "PLOTLY_RENDERER": renderer,
            "OMP_NUM_THREADS": "1",  # models of this size only lose by sharing their work among threads
        }
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": str(here)}},
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # not a warning from each kernel that this machine can reach it
            store_widget_state=False,
        )
        client.execute(env=os.environ | settings)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            outputs = [_without_widgets(output) for output in cell.outputs if not _is_progress(output)]
            # The temporary folder is another one in every run, and none of the reader's.
            cell.outputs = [nbformat.from_dict(json.loads(json.dumps(one).replace(folder, "…"))) for one in outputs]
    return notebook


def _is_progress(output: NotebookNode) -> bool:
    """Progress bars are widgets that are displayed while a cell runs, not what it is about."""
    return output.output_type == "display_data" and WIDGET in output.data


def _without_widgets(output: NotebookNode) -> NotebookNode:
    if WIDGET in output.get("data", {}):
        output.data = NotebookNode({"text/html": LIVE, "text/plain": "sliders"})
    return output


def main(study: Path) -> None:
    """Execute all notebooks on a study, and write each beside its .py."""
    for path in NOTEBOOKS:
        start = time.perf_counter()
        notebook = execute(path, study, "plotly_mimetype+png")
        target = path.with_suffix(".ipynb")
        nbformat.write(notebook, target)
        print(
            f"{target.name:32} {time.perf_counter() - start:6.1f} s {target.stat().st_size / 1e6:6.2f} MB", flush=True
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
