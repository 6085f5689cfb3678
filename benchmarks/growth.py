"""How the time and memory of a study's stages grow with the number of interactions.

    python -m benchmarks.growth run FOLDER 1m 5m 20m     # planted data as partitioned parquet, and a study of each
    python -m benchmarks.growth run FOLDER wide          # 5 million interactions with a catalogue of 1 million items
    python -m benchmarks.growth table FOLDER 1m 5m 20m   # time and peak memory of every stage, and how they grow
    python -m benchmarks.growth keep FOLDER 1m 20m wide  # the same of each study, in GROWTH.md and growth.svg

`run` studies data of the shape of ML-20M (145 interactions a user, 27,000 items): one epoch of last windows, one
dictionary, no grid; further words are settings of the studies. `table` reads the `timings.json` of any studies in a
folder (`artifacts/reference ml-100k ml-1m`), prints a table (CSV), and draws growth.html, log–log, beside them. `keep`
leaves `wide`, whose catalogue is another, out of what grows. A stage's exponent is the slope of log time over log
interactions, by least squares; a stage that takes less than a second somewhere has none. Stages whose settings differ
between studies (grids) grow with these, too.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyarrow.parquet as pq

from benchmarks.timing import machine
from recmodels import artifacts
from recmodels.datasets.planted import PlantedConfig, item_table, stream

SIZES = {
    **{
        f"{millions:g}m": PlantedConfig(users=round(6900 * millions), items=27_000, mean_length=145)
        for millions in (0.1, 1, 5, 20)
    },
    # Popularity is flat, so that most of the million items are met.
    "wide": PlantedConfig(users=125_000, items=1_000_000, mean_length=40, popularity=0.2),
}
STUDY = """
    --columns.attribute concepts --training.max-epochs 1 --training.windows last --baselines quick
    --grid.l1 --grid.n-features --grid.trade-off --grid.sites
"""
HEAD = """# How it grows with the data

Written by `python -m benchmarks.growth keep`. Studies of planted data: one epoch of last windows, one dictionary, quick
baselines, one thread. An exponent is the slope of log processor time, or log peak memory, over log interactions: 1 is
in proportion. Seconds are of processor and of wall time; where the machine was shared, only the former say much.
"""
LEAST = 1.0  # seconds or MB, below which a stage's growth is not told
INTERACTIONS = {"ml-100k": 100_000, "ml-1m": 1_000_209}  # of studies whose data do not lie in the folder


def write(config: PlantedConfig, folder: Path) -> None:
    """Interactions as one parquet file for every few thousand users, and the table of items."""
    (folder / "interactions").mkdir(parents=True)
    for number, chunk in enumerate(stream(config)):
        frame = pd.DataFrame({"user": chunk.user, "item": chunk.item, "time": chunk.time})
        frame.to_parquet(folder / "interactions" / f"part-{number:05d}.parquet", index=False)
    item_table(config).reset_index().to_parquet(folder / "items.parquet", index=False)


def run(folder: Path, size: str, options: list[str]) -> None:
    """Make the data, if they are not there, and study them in a process of its own."""
    data = folder / "data" / size
    if not data.exists():
        partial = data.with_suffix(".partial")
        write(SIZES[size], partial)
        partial.rename(data)
    source = ["--data", data / "interactions", "--items", data / "items.parquet"]
    command = ["interp", "study", "own", *source, *STUDY.split(), *options, "--out", folder / size]
    subprocess.run([Path(sys.executable).with_name("interp"), *command[1:]], check=True)


def growth(folder: Path, sizes: list[str]) -> pd.DataFrame:
    """A row for every stage that all studies have: its figures in each, and the exponents of time and memory."""
    timings = {size: json.loads((folder / size / "timings.json").read_text()) for size in sizes}
    rows = np.array([_interactions(folder, size) for size in sizes], dtype=float)
    table = []
    for stage in timings[sizes[0]]:
        if any(stage not in timing for timing in timings.values()):
            continue
        row: dict[str, object] = {"stage": stage}
        for unit in ("seconds", "cpu_seconds", "peak_mb"):
            values = np.array([timing[stage].get(unit, np.nan) for timing in timings.values()], dtype=float)
            row |= {f"{size} {unit}": value for size, value in zip(sizes, values, strict=True)}
            if values.min() >= LEAST:
                row[f"{unit} exponent"] = round(np.polyfit(np.log(rows), np.log(values), 1)[0], 2)
        table.append(row)
    return pd.DataFrame(table)


def figure(folder: Path, sizes: list[str], table: pd.DataFrame) -> go.Figure:
    """Seconds of processor time of every stage over interactions, log–log, beside growth in proportion."""
    x = np.array([_interactions(folder, size) for size in sizes])
    figure = go.Figure()
    for row in table.to_dict("records"):
        y = [row[f"{size} cpu_seconds"] or None for size in sizes]
        figure.add_scatter(x=x, y=y, name=row["stage"], mode="lines+markers")
    figure.add_scatter(x=x, y=x / x[0], name="in proportion", mode="lines", line={"dash": "dot", "color": "#999"})
    figure.update_layout(width=720, height=520, xaxis_title="interactions", yaxis_title="processor time, s")
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    return figure


def keep(folder: Path, sizes: list[str], place: Path = Path(__file__).parent) -> None:
    """Write what the stages of each study took, and how they grow, as GROWTH.md and growth.svg."""
    alike = [size for size in sizes if size != "wide"]
    parts = [HEAD]
    if len(alike) > 1:
        grown = growth(folder, alike)
        figure(folder, alike, grown).write_image(place / "growth.svg")
        columns = [f"{size} cpu_seconds" for size in alike]
        columns += [name for name in grown if name.endswith("exponent")]
        parts.append("## Growth\n\n![Processor time of the stages over interactions, log–log](growth.svg)\n")
        parts.append(_markdown(grown[["stage", *columns]]))
    for size in sizes:
        record = json.loads((folder / size / "timings.json").read_text())
        stages = pd.DataFrame(record).T.rename_axis("stage").reset_index()
        stages = stages[["stage", "cpu_seconds", "seconds", "peak_mb", "resumed"]]
        cpu, wall, peak = stages["cpu_seconds"].sum(), stages["seconds"].sum(), stages["peak_mb"].max()
        ends = "the whole study" if (folder / size / "report.html").exists() else "as far as it came"
        parts.append(f"## {size}: {_interactions(folder, size):,} interactions, {SIZES[size].items:,} items\n")
        parts.append(f"{ends.capitalize()}: {cpu:,.0f} s of processor, {wall:,.0f} s, {peak:,.0f} MB at most.\n")
        parts.append(_markdown(stages))
    facts = ", ".join(f"{name} {value}" for name, value in machine().items() if name != "versions")
    artifacts.write_text(place / "GROWTH.md", "\n".join([*parts, f"Measured: {facts}.\n"]))


def _markdown(table: pd.DataFrame) -> str:
    cells = table.astype(object).where(table.notna(), "")
    lines = [table.columns, ["---", *["--:"] * (table.shape[1] - 1)], *cells.to_numpy()]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _interactions(folder: Path, size: str) -> int:
    """The number of interactions of a study's data."""
    if size in INTERACTIONS:
        return INTERACTIONS[size]
    return sum(pq.read_metadata(path).num_rows for path in (folder / "data" / size / "interactions").iterdir())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("run", "table", "keep"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("sizes", nargs="+")
    known, options = parser.parse_known_args()
    if known.do == "run":
        for size in known.sizes:
            run(known.folder, size, options)
    elif known.do == "keep":
        keep(known.folder, known.sizes)
    else:
        table = growth(known.folder, known.sizes)
        figure(known.folder, known.sizes, table).write_html(known.folder / "growth.html", include_plotlyjs="cdn")
        print(table.to_csv(index=False), end="")
