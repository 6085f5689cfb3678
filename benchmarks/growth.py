"""How the time and memory of a study's stages grow from one data set to a larger one.

    python benchmarks/growth.py artifacts/reference ml-100k ml-1m

prints a table (CSV) of every stage in both studies: seconds, peak memory, and their ratios, from the `timings.json`
that each study wrote. Stages whose settings differ between the studies (grids) grow with these, too.
"""

import json
import sys
from pathlib import Path

import pandas as pd


def growth(folder: Path, small: str, large: str) -> pd.DataFrame:
    """Columns stage, then seconds and peak_mb of both studies and how many times more the larger one takes."""
    first, second = (json.loads((folder / name / "timings.json").read_text()) for name in (small, large))
    rows = []
    for stage in first:
        if stage not in second:
            continue
        row = {"stage": stage}
        for unit in ("seconds", "peak_mb"):
            a, b = first[stage][unit], second[stage][unit]
            row |= {f"{small} {unit}": a, f"{large} {unit}": b, f"{unit} ratio": round(b / a, 1) if a else None}
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    folder, small, large = sys.argv[1:]
    print(growth(Path(folder), small, large).to_csv(index=False), end="")
