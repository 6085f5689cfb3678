"""How fast this project is beside what one would use instead, on the same data, in turns.

    python -m benchmarks [NAME ...] [--repeats N] [--small]

measures the benchmarks of `BENCHMARKS`, or those that are named, writes what each took to benchmarks/results.json as
soon as it is done, and the tables to benchmarks/RESULTS.md. With --small all is done in seconds, on little data, and
nothing is written. The exit status is 1 if a result is wrong; times never make it so.
"""

import argparse
import importlib
import sys

from benchmarks import results
from benchmarks.timing import Row, table

# Each is a module of this folder with `rows(small, repeats) -> list[Row]`.
BENCHMARKS = ("collecting", "dictionaries", "sae_libraries", "scores", "sweep", "effects", "equalizer", "recommender")


def rows(name: str, small: bool = False, repeats: int = 5) -> list[Row]:
    """What a benchmark measures."""
    return importlib.import_module(f"benchmarks.{name}").rows(small, repeats)


def main(words: list[str] | None = None) -> int:
    """Run benchmarks, print and keep their tables; return the exit status."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; by default all")
    parser.add_argument("--repeats", type=int, default=5, help="how often each way is timed")
    parser.add_argument("--small", action="store_true", help="check results alone, in seconds, and write nothing")
    options = parser.parse_args(words)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: choose of {', '.join(BENCHMARKS)}")
    wrong = []
    for name in options.names or BENCHMARKS:
        measured = rows(name, options.small, 1 if options.small else options.repeats)
        print(f"## {name}\n\n{table(measured)}\n", flush=True)
        if not options.small:
            results.keep(name, measured)
        wrong += [f"{row.work}, {row.name}" for row in measured if not row.ok]
    if wrong:
        print(f"wrong results: {'; '.join(wrong)}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
