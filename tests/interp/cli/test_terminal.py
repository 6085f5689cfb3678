"""The command in a real terminal of 80 columns, and without one."""

import os
import re
import struct
import subprocess
import sys

import pytest

from recmodels.datasets.planted import PlantedConfig, load

pty = pytest.importorskip("pty", reason="there are no terminals of this kind here")

COLUMNS = 80
PROGRAM = [sys.executable, "-c", "from interp.cli import main; main()"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
BAR = re.compile(r"\d%\|")
SMALL = """
    study own --data interactions.csv --items items.csv --columns.separator | --columns.attribute concepts
    --attribute concepts --min-support 2 --baselines none
    --grid.trade-off --values -1 1 --training.max-history 8 --training.hidden-size 8 --training.num-hidden-layers 1
    --training.max-epochs 2 --sae.n-features 16 --sae.steps 60 --sae.batch-size 64 --sae.warmup-steps 5
    --sae.sparsity-warmup-steps 5
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With two small tables, whose concepts have long names."""
    folder = tmp_path_factory.mktemp("own")
    world = load(PlantedConfig(users=120, items=40, concepts=4, mean_length=10))
    world.interactions.to_csv(folder / "interactions.csv", index=False)
    names = world.items["concepts"].map(lambda own: "|".join(f"{name}, well-known-and-hyphenated" for name in own))
    world.items.assign(concepts=names).to_csv(folder / "items.csv")
    return folder


def settings():
    """The environment, without what would tell another width than the terminal's own."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")} | {"TERM": "xterm"}


def in_terminal(words, folder):
    """What a command writes to a terminal of 80 columns, and its exit status."""
    import termios
    from fcntl import ioctl

    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *words.split()], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=settings()
    )
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    return b"".join(parts).decode(), process.wait()


def drawn(text):
    """The lines as they stand on the screen, one after another; a bar draws its own line again and again."""
    return [ESCAPES.sub("", line).rstrip() for line in re.split(r"[\r\n]+", text)]


def test_the_help_fits_a_terminal_and_breaks_no_name(folder):
    text, status = in_terminal("study --help", folder)
    lines = drawn(text)
    assert status == 0
    assert [line for line in lines if len(line) > COLUMNS] == []
    for name in ("ml-latest-small", "ml-1m-bert4rec", "lastfm-2k", "planted"):
        assert any(re.search(rf"(?<![\w-]){name}(?![\w-])", line) for line in lines[:4])


def test_a_study_fits_a_terminal(folder):
    """Bars, which draw themselves, steps with their times, and the summary."""
    text, status = in_terminal(f"{SMALL} --out terminal", folder)
    lines = drawn(text)
    assert status == 0, text
    assert [line for line in lines if len(line) > COLUMNS and str(folder) not in line] == []
    bars = [line for line in lines if BAR.search(line)]
    assert any(line.startswith("epoch 1 of 2:") and "/" in line for line in bars)  # it counts steps
    for line in bars:
        assert line.endswith("]"), line  # nothing was cut
    words = {word for line in lines for word in line.split()}
    assert "recommender" in words
    assert not any(word.endswith("-") and len(word) > 1 for word in words), words  # no word goes on in the next line


def test_a_study_writes_no_bar_where_there_is_no_terminal(folder):
    result = subprocess.run(
        [*PROGRAM, *f"{SMALL} --out piped".split()], capture_output=True, text=True, cwd=folder, env=settings()
    )
    assert result.returncode == 0, result.stderr
    for text in (result.stdout, result.stderr):
        assert not BAR.search(text)
        assert "\r" not in text
        assert "\x1b" not in text
    assert "recommender" in result.stdout + result.stderr
