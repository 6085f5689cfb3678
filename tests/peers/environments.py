"""Environments of other packages, each of its own beside .venv, and the door through which tests reach them.

    make peers                                        # builds them all, and runs the tests marked `peer`
    python tests/peers/environments.py build saelens  # builds one

What cannot be installed within PEERS_SECONDS (all together, by default an hour) is left out, and so is all that comes
after the disk has less than 3 GB; its tests are skipped.

A test keeps to our own environment: it hands the peer's Python a small script of this folder, and reads the files that
the script writes. So no package has to get along with the versions that another needs.
"""

import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# RecBole uses names that numpy 2 and pandas 2.2 lack, and its own dependencies import pkg_resources.
OLD_NUMBERS = "numpy==1.26.4 pandas==2.1.4 scipy==1.12.0 setuptools==79.0.1 safetensors"
# Name → what pip installs there, one pip command for each line: a line of torch alone comes first, which is large.
ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "recbole": ("torch==2.13.0", f"recbole==1.2.1 {OLD_NUMBERS}"),
    "recbole-1.1": ("torch==2.13.0", f"recbole==1.1.1 {OLD_NUMBERS}"),
    "rectools": ("torch==2.13.0", "rectools[torch]==0.19.0 safetensors"),
    "replay": ("torch==2.13.0", "replay-rec[torch]==0.22.0 safetensors"),
    "saelens": ("torch==2.13.0", "sae-lens==6.54.12"),
    # It asks for nnsight<0.4, and that for torchvision, which brings another torch, of gigabytes. It runs with nnsight
    # 0.8, as in our own environment; the packages that it imports come by themselves.
    "dictionary-learning": (
        "torch==2.13.0",
        "nnsight==0.8.1 datasets einops zstandard wandb",
        "--no-deps dictionary-learning==0.1.0",
    ),
    "sparsify": ("torch==2.13.0", "eai-sparsify==1.3.3 torch==2.13.0"),
}


SECONDS = float(os.environ.get("PEERS_SECONDS", "3600"))
ROOM = 3 * 2**30  # bytes that an environment takes at most, while it is installed


def folder(name: str) -> Path:
    """Where the environment of a peer is."""
    return ROOT / f".venv-peer-{name}"


def build(name: str, index: list[str], seconds: float) -> None:
    """Make an environment, or leave it if it has these requirements already.

    Args:
        name: which of `ENVIRONMENTS`.
        index: options of pip for torch, such as `--index-url …` of its CPU builds.
        seconds: how long it may take.

    Raises:
        SubprocessError: pip cannot install a requirement, or not in time.
        OSError: the disk is too full.
    """
    requirements, place = ENVIRONMENTS[name], folder(name)
    ready, text = place / ".ready", "\n".join(requirements)
    if ready.is_file() and ready.read_text(encoding="utf-8") == text:
        return
    end = time.monotonic() + seconds
    if seconds <= 0 or shutil.disk_usage(ROOT).free < ROOM:
        raise OSError("no time is left" if seconds <= 0 else "the disk is too full")
    venv.create(place, with_pip=True, clear=True)
    for line in requirements:
        options = index if line.startswith("torch==") else []
        pip = [str(place / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *options, *line.split()], check=True, timeout=end - time.monotonic())
    ready.write_text(text, encoding="utf-8")


def run(name: str, script: str, *arguments: str | Path) -> str:
    """Run a script of this folder in a peer's environment: what it printed. Skips the test where there is none."""
    if not (folder(name) / ".ready").is_file():
        pytest.skip(f"there is no environment of {name}: `make peers` builds it")
    command = [str(folder(name) / "bin/python"), str(Path(__file__).with_name(script)), *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished.stdout


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    names = [word for word in words if word in ENVIRONMENTS] or list(ENVIRONMENTS)
    end = time.monotonic() + SECONDS
    for name in names:
        try:
            build(name, [word for word in words if word not in ENVIRONMENTS], end - time.monotonic())
        except (subprocess.SubprocessError, OSError) as error:
            shutil.rmtree(folder(name), ignore_errors=True)
            print(f"{name} is not installed, so its tests are skipped: {error}", file=sys.stderr)
