"""JupyterLab and Notebook on a folder, for the tests that drive them in a browser."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import nbformat

TOKEN = "of-the-tests"
OPTIONS = (
    "--no-browser",
    "--allow-root",  # containers
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    f"--IdentityProvider.token={TOKEN}",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
)


def write_notebook(path, *cells):
    """A notebook with these cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


@contextmanager
def jupyter_server(folder, own):
    """The address of a server on a folder that serves both; `own` is a folder for its settings."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR")
    settings = {**{name: str(own / name.lower()) for name in names}, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "jupyterlab", *OPTIONS, f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}"]
    with (own / "log.txt").open("w") as log:
        process = subprocess.Popen(words, env=os.environ | settings, stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while not _answers(f"{address}/api"):
            assert process.poll() is None, (own / "log.txt").read_text()[-2000:]
            assert time.monotonic() < end, "JupyterLab does not start"
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _answers(address):
    try:
        return urlopen(address, timeout=5).status == 200
    except (URLError, OSError):
        return False
