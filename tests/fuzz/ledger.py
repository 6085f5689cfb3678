"""Counts what odd input leads to: an answer, a refusal in one line, or a failure with its place in the project.

FUZZ_INPUTS says how many inputs all surfaces together get. With the default, which `make test` takes, the first
failure ends a test, and hypothesis makes its input as small as it can. `make fuzz` asks for many: every failure is
counted under its exception and the deepest line of the project, with the shortest input that led there, and a test
fails at its end.
"""

import os
import signal
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, Phase, settings

from recmodels.errors import InputError

FEW = 400
INPUTS = int(os.environ.get("FUZZ_INPUTS", FEW))
COUNTS = INPUTS > FEW  # whether failures are counted rather than raised
SECONDS = 5  # of the processor; what takes more counts as a hang
WAITING = 60  # seconds of the clock, for what waits without working
LONGEST_MESSAGE = 800  # some refusals list what there is to choose from
LONGEST_EXAMPLE = 300
ROOT = Path(__file__).parents[2]


class Silent(AssertionError):
    """An answer that means something else than the input says."""


class Hang(BaseException):
    """A call that does not come back; not an Exception, so that the project cannot catch it."""


@dataclass
class Failures:
    """All failures of one kind: how many, and the shortest input."""

    count: int = 0
    example: str = ""
    message: str = ""


@dataclass
class Surface:
    """What the inputs of one surface led to."""

    inputs: int = 0
    answered: int = 0
    refused: int = 0
    uncaught: int = 0
    silent: int = 0
    raw: int = 0  # refusals that are not one short line
    hangs: int = 0
    seconds: float = 0.0
    failures: dict[tuple[str, str], Failures] = field(default_factory=lambda: defaultdict(Failures))


SURFACES: dict[str, Surface] = defaultdict(Surface)


def inputs(share: float) -> settings:
    """Settings of a test that gets this share of all inputs, the same ones in every run."""
    phases = [Phase.explicit, Phase.generate] if COUNTS else list(Phase)
    return settings(
        max_examples=max(5, round(INPUTS * share)),
        phases=phases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def attempt(surface: str, call: Callable[[], Any], example: Any) -> Any:
    """The call's result, or None if it refused its input in one line; every other end is a failure."""
    counts, start = SURFACES[surface], time.perf_counter()
    counts.inputs += 1
    try:
        with limited():
            result = call()
        counts.answered += 1
        return result
    except InputError as error:
        counts.refused += 1
        if "\n" in str(error) or len(str(error)) > LONGEST_MESSAGE:
            _keep(counts, "raw", error, example)
    except Silent as error:
        _keep(counts, "silent", error, example)
    except Hang as error:
        _keep(counts, "hangs", error, example)
    except Exception as error:
        _keep(counts, "uncaught", error, example)
    finally:
        counts.seconds += time.perf_counter() - start
    return None


@contextmanager
def limited() -> Iterator[None]:
    """Raises `Hang` in the main thread once the time is over; a busy machine does not count against the call."""

    def stop(number: int, _frame: Any) -> None:
        raise Hang(f"more than {WAITING} s" if number == signal.SIGALRM else f"more than {SECONDS} s of the processor")

    before = {number: signal.signal(number, stop) for number in (signal.SIGALRM, signal.SIGPROF)}
    signal.setitimer(signal.ITIMER_REAL, WAITING)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def check(surface: str) -> None:
    """Fail a surface whose failures were counted.

    Raises:
        AssertionError: it has failures; the message lists them, the most frequent first.
    """
    lines = list(failure_lines(surface))
    assert not lines, f"{surface}: {len(lines)} kinds of failures\n" + "\n".join(lines)


def failure_lines(surface: str) -> Iterator[str]:
    """The kinds of failures of a surface, the most frequent first."""
    kinds = SURFACES[surface].failures.items()
    for (name, place), failures in sorted(kinds, key=lambda kind: -kind[1].count):
        yield f"{failures.count:6} × {name} at {place}: {failures.message}\n         with {failures.example}"


def summary() -> Iterator[str]:
    """A table of all surfaces, one line each, and their sum."""
    columns = ("inputs", "answered", "refused", "raw", "uncaught", "silent", "hangs")
    yield f"{'surface':14}" + "".join(f"{name:>10}" for name in columns) + f"{'seconds':>10}"
    for name, counts in SURFACES.items():
        row = "".join(f"{getattr(counts, column):10,}" for column in columns)
        yield f"{name:14}{row}{counts.seconds:10.0f}"
    total = "".join(f"{sum(getattr(counts, column) for counts in SURFACES.values()):10,}" for column in columns)
    yield f"{'all':14}{total}{sum(counts.seconds for counts in SURFACES.values()):10.0f}"


def _keep(counts: Surface, kind: str, error: BaseException, example: Any) -> None:
    if not COUNTS:
        raise error
    setattr(counts, kind, getattr(counts, kind) + 1)
    failures = counts.failures[f"{kind}: {type(error).__name__}", place_of(error)]
    failures.count += 1
    text = written(example)
    if not failures.example or len(text) < len(failures.example):
        failures.example = text[:LONGEST_EXAMPLE]
        failures.message = " ".join(f"{error}".split()).encode("ascii", "backslashreplace").decode()[:160]


def place_of(error: BaseException) -> str:
    """File, line and function of the deepest frame inside the project, or of the deepest one of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith((f"{ROOT}/interp/", f"{ROOT}/recmodels/"))]
    frame = (ours or list(frames))[-1]
    path = frame.filename.rpartition("site-packages/")[2].removeprefix(f"{ROOT}/")
    return f"{path}:{frame.lineno} {frame.name}"


def written(example: Any) -> str:
    """An input on one line that any terminal can print."""
    return " ".join(_text(example).split()).encode("ascii", "backslashreplace").decode()


def _text(example: Any) -> str:
    if isinstance(example, str):
        return example
    if isinstance(example, list | tuple):
        return ("[%s]" if isinstance(example, list) else "(%s)") % ", ".join(map(_text_of_part, example))
    if isinstance(example, dict):
        return f"{{{', '.join(f'{_text_of_part(key)}: {_text_of_part(part)}' for key, part in example.items())}}}"
    try:
        if isinstance(example, pd.DataFrame):
            return f"frame of {_text([(name, str(part.dtype), part.tolist()) for name, part in example.items()])}"
        return (
            f"column of {example.dtype} {_text(example.tolist())}" if isinstance(example, pd.Series) else repr(example)
        )
    except Exception:  # the value's own code
        return f"a {type(example).__name__}"


def _text_of_part(part: Any) -> str:
    return repr(part) if isinstance(part, str) else _text(part)
