"""Packages that we are measured beside, each in its own environment (tests/peers/environments.py).

A peer is a process that keeps its data and does a piece of work each time it is asked; it times the work itself, so
that starting it and talking to it do not count. `benchmarks/peers` holds the scripts that run there.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.timing import Taken
from tests.peers.environments import folder

SCRIPTS = Path(__file__).parent / "peers"


class Missing(Exception):
    """A peer cannot be run here; the message says why."""


class Peer:
    """A process in a peer's environment.

    Attributes:
        answer: what it said last, besides times.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.answer = process, {}  # type: ignore[var-annotated]

    def __call__(self) -> Taken:
        """Do the work once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write("work\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Missing(f"its process ended with status {self.process.wait()}; see its own message above")
        answer: dict[str, Any] = json.loads(line)
        taken = Taken(answer.pop("seconds"), answer.pop("processor"))
        self.answer = answer
        return taken


@contextmanager
def peer(environment: str, script: str, *arguments: str | Path | int) -> Iterator[Peer]:
    """A peer that is ready to work.

    Args:
        environment: which of the environments of tests/peers/environments.py.
        script: a file of benchmarks/peers.
        arguments: what the script reads.

    Raises:
        Missing: the environment is not there, or the script cannot get ready.
    """
    place = folder(environment)
    if not (place / ".ready").is_file():
        raise Missing(f"there is no environment of {environment}: `make benchmarks` builds it")
    command = [str(place / "bin/python"), "-W", "ignore", str(SCRIPTS / script), *map(str, arguments)]
    environ = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd="/"
    ) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise Missing(f"{script} ended with status {process.wait()} in the environment of {environment}")
            yield Peer(process)
        finally:
            process.kill()
