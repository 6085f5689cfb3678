"""Prints the requirements of an environment with the oldest or the newest allowed version of every dependency.

    python tests/versions.py oldest > requirements.txt

torch is left out, as its older builds are large, and so is what only checks or compares: ruff, mypy and RePlay.
huggingface-hub is left to transformers, which needs it, and JupyterLab and Notebook to `make jupyter`.
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
LEFT_OUT = ("torch", "ruff", "mypy", "replay-rec", "interp-recsys", "huggingface-hub", "jupyterlab", "notebook")


def requirements(which: str) -> list[str]:
    """Lines for pip: `name==lower bound` for the oldest ones, the requirement as it is for the newest."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    every = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    lines = []
    for requirement in dict.fromkeys(every):
        name = re.split(r"[\[<>=]", requirement)[0]
        if name in LEFT_OUT:
            continue
        bound = re.search(r">=([0-9.]+)", requirement)
        lines.append(f"{name}=={bound[1]}" if which == "oldest" and bound else requirement)
    return lines


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
