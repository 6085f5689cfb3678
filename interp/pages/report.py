"""One offline page with the paper's tables and figures in its order, for one study, and whether its claims hold."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from interp.analyses.comparison.exhibits import grid_note
from interp.pages.rendering import render
from interp.pages.report_heads import with_meanings
from interp.pages.verdicts import verdicts
from interp.paper import SECTIONS
from interp.plots.blocks import Block, Column, exhibit, section, table, without_frames
from interp.store.claim import tally
from interp.store.rerun import tables_of_this_release
from interp.store.timings import read_timings
from interp.study.beside_popular import beside_popular
from interp.study.glance import Highlights, from_elsewhere, highlights
from interp.study.headline import Headline, headline
from interp.study.study import Study
from recmodels import artifacts
from recmodels.wording import signed, with_interval

NAME = "report.html"


def write_report(study: Study) -> Path:
    """Write a study's report as one page that opens without a network, and return its path.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    path = study.folder / NAME
    with tables_of_this_release(study.folder):
        data = report_data(study)
    artifacts.write_text(path, render("report", f"{study.title}: the paper’s tables and figures", data))
    return path


def report_data(study: Study) -> dict[str, Any]:
    """Everything the page shows, as JSON values."""
    claims, beside = verdicts(study), beside_popular(study)
    return {
        "heading": study.title,
        "who_saw": study.provenance.who_saw,
        "facts": facts(study),
        "warning": beside.warning if beside else "",
        "notes": study.notes,
        "tally": tally(claims),
        "claims": [{**asdict(claim), "anchor": f"s{claim.section}"} for claim in claims],
        "reduced": grid_note(study),
        "sections": [without_frames(with_meanings(part)) for part in sections(study)],
    }


def sections(study: Study) -> list[Block]:
    """The report's exhibits in the paper's order, section by section, with the frames of their tables."""
    exhibits: dict[str, list[Block]] = {name: [] for name in SECTIONS}
    for analysis in study.analyses:
        for part in analysis.exhibits:
            blocks = part.draw(study)
            exhibits[part.section] += blocks if isinstance(blocks, list) else [blocks]
    parts = [section(f"s{name}", SECTIONS[name], *exhibits[name]) for name in SECTIONS if exhibits[name]]
    return [*parts, section("record", "The run", *_record(study))]


def facts(study: Study) -> list[list[str]]:
    """What the study is about, and its most important numbers: names and texts."""
    numbers, first, beside = highlights(study), headline(study), beside_popular(study)
    return [
        ["data set", study.name],
        ["recommender", numbers.model],
        ["read at", study.site],
        ["dictionary", study.record["dictionary"].split("/")[-1]],
        *([["imported from", source]] if (source := from_elsewhere(study)) else []),
        *([["concepts", f"{numbers.n_concepts} {study.attribute}"]] if first else []),
        ["active at a step (L0)", f"{numbers.l0:.1f}"],
        ["explained variance", signed(numbers.explained_variance, ".1%")],
        *(_correlations(first, numbers) if first else []),
        ["NDCG@10", beside.recommender if beside else with_interval(numbers.ndcg, *numbers.ndcg_bounds, ".3f")],
        *([["NDCG@10 of the most popular items", beside.most_popular]] if beside else []),
        ["NDCG@10, reconstructed", numbers.reconstructed],
    ]


def _correlations(first: Headline, numbers: Highlights) -> list[list[str]]:
    """What features have to do with concepts."""
    baseline = [] if first.baseline is None else [first.baseline]
    return [
        ["concepts that pass on unseen items", f"{first.features.passes} of {first.features.concepts}"],
        *(
            [
                f"mean correlation on unseen items, {row.source}",
                with_interval(row.unseen_items, row.unseen_items_low, row.unseen_items_high, ".3f"),
            ]
            for row in (first.features, first.neurons, *baseline)
        ),
        ["as the paper: mean top correlation, features", signed(numbers.sae_correlation, ".3f")],
        ["as the paper: mean top correlation, neurons", signed(numbers.neuron_correlation, ".3f")],
    ]


def _record(study: Study) -> list[Block]:
    record = study.record
    settings = [Column("setting", "Setting", None), Column("value", "Value", None)]
    environment: dict[str, Any] = {
        key: record[key] for key in ("python", "machine", "versions", "fingerprints") if key in record
    }
    timings = read_timings(study.folder / "timings.json")
    rows = pd.DataFrame([{"step": step, **timing, "note": _note(timing)} for step, timing in timings.items()])
    columns = [
        Column("step", "Step", None),
        Column("seconds", "Seconds", 1),
        Column("peak_mb", "Peak memory, MB", 0),
        Column("note", "", None),
    ]
    parts = [
        (
            "Configuration",
            "All settings of the run.",
            "config.json",
            table(_flat(study.config), settings),
        ),
        ("Environment", "Versions, machine and fingerprints.", "config.json", table(_flat(environment), settings)),
    ]
    if len(rows):
        time = "Wall time of each step, and the largest size of the process while it ran."
        parts.append(("Time and memory", time, "timings.json", table(rows, columns)))
    return [
        {**exhibit("", title, caption, [], block), "sources": [("interp.pipeline.run.run", [name])]}
        for title, caption, name, block in parts
    ]


def _note(timing: dict[str, Any]) -> str:
    return "continued from an interrupted run" if timing.get("resumed") else ""


def _flat(settings: dict[str, Any]) -> pd.DataFrame:
    """Nested settings as rows of dotted names and values."""

    def walk(value: Any, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from walk(inner, f"{name}.{key}" if name else key)
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)

    return pd.DataFrame(list(walk(settings, "")), columns=["setting", "value"])
