"""One offline page with the paper's tables and figures in its order, for one study, and what became of its claims."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from interp.pages.rendering import render
from interp.pages.report import beyond, control, dictionaries, doses, interpretation, labels, trade_offs
from interp.study.blocks import Block, Column, Source, exhibit, section, table, without_frames
from interp.pages.verdicts import tally, verdicts
from recmodels import artifacts

if TYPE_CHECKING:
    from interp.study.study import Study

NAME = "report.html"


def write_report(study: "Study") -> Path:
    """Write a study's report as one page that opens without a network, and return its path.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    path = study.folder / NAME
    artifacts.write_text(path, render("report", f"{study.name}: the paper’s tables and figures", report_data(study)))
    return path


def report_data(study: "Study") -> dict[str, Any]:
    """Everything the page shows, as JSON values."""
    source = Source(study)
    claims = verdicts(study)
    return {
        "heading": source.name,
        "facts": facts(source),
        "tally": tally(claims),
        "claims": [{**asdict(claim), "anchor": f"s{claim.section}"} for claim in claims],
        "reduced": dictionaries.reduced(source),
        "sections": [without_frames(part) for part in sections(source)],
    }


def sections(source: Source) -> list[Block]:
    """The report's exhibits in the paper's order, section by section, with the frames of their tables."""
    return [
        section("s5", "5 Setting", dictionaries.places(source)),
        section("s6", "6 Reconstruction", dictionaries.reconstruction(source)),
        section(
            "s7.1.1",
            "7.1.1 Top features of concepts",
            interpretation.heatmap(source),
            interpretation.top_features(source),
        ),
        section("s7.1.2", "7.1.2 Overall interpretability", dictionaries.settings(source)),
        section(
            "s7.1.3",
            "7.1.3 Features and neurons",
            interpretation.beside_neurons(source),
            interpretation.extremes(source),
        ),
        section("s7.2.1", "7.2.1 Features of one concept", interpretation.activations(source)),
        section("s7.2.2", "7.2.2 Other features", interpretation.cases(source)),
        section("s8.1", "8.1 Examples of control", control.lists(source)),
        section("s8.2.1", "8.2.1 Control: what is recommended", control.shares(source)),
        section("s8.2.2", "8.2.2 Control: how good it is", control.quality(source)),
        section("s8.2.3", "8.2.3 Linear probes", control.probes(source)),
        section("sC", "Appendix C Other attributes", *interpretation.other_attributes(source)),
        section(
            "sbeyond",
            "Beyond the paper",
            dictionaries.trade_off(source),
            control.kept_error(source),
            trade_offs.equal_share(source),
            doses.answers(source),
            labels.labels(source),
            *beyond.exhibits(source),
        ),
        section("record", "The run", *_record(source)),
    ]


def facts(source: Source) -> list[list[str]]:
    """What the study is about, and its most telling numbers: names and texts."""
    found, ranked = source["dictionary"].iloc[0], source["recommender"].set_index("replaced")
    chosen = source.study.record["dictionary"]
    return [
        ["data set", source.study.name],
        ["recommender", source.name.split(" on ")[0]],
        ["read at", source.study.site],
        ["dictionary", chosen.split("/")[-1]],
        ["concepts", f"{len(source['concepts'])} {source.study.record['attribute']}"],
        ["active at a step (L0)", f"{found['l0']:.1f}"],
        ["explained variance", f"{found['explained_variance']:.1%}"],
        ["mean top correlation, features", f"{found['sae_mean_top_correlation']:.3f}"],
        ["mean top correlation, neurons", f"{found['neuron_mean_top_correlation']:.3f}"],
        ["NDCG@10", f"{ranked.at['none', 'ndcg@10']:.3f}"],
        ["NDCG@10, reconstructed", f"{ranked.at['all', 'ndcg@10']:.3f}"],
    ]


def _record(source: Source) -> list[Block]:
    record = source.study.record
    settings = [Column("setting", "Setting", None), Column("value", "Value", None)]
    environment: dict[str, Any] = {
        key: record[key] for key in ("python", "machine", "versions", "fingerprints") if key in record
    }
    path = source.study.folder / "timings.json"
    timings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    rows = pd.DataFrame([{"step": step, **taken, "note": _note(taken)} for step, taken in timings.items()])
    columns = [
        Column("step", "Step", None),
        Column("seconds", "Seconds", 1),
        Column("peak_mb", "Peak memory, MB", 0),
        Column("note", "", None),
    ]
    parts = [
        (
            "Configuration",
            "Every setting from which the run follows.",
            "config.json",
            table(_flat(source.config), settings),
        ),
        ("Environment", "Versions, machine and fingerprints.", "config.json", table(_flat(environment), settings)),
    ]
    if len(rows):
        time = "Wall time of each step, and the largest size of the process while it ran."
        parts.append(("Time and memory", time, "timings.json", table(rows, columns)))
    return [
        {**exhibit(source, "", title, caption, [], block), "sources": [("interp.pipeline.run.run", [name])]}
        for title, caption, name, block in parts
    ]


def _note(taken: dict[str, Any]) -> str:
    return "the rest of what an earlier run had begun" if taken.get("resumed") else ""


def _flat(settings: dict[str, Any]) -> pd.DataFrame:
    """Nested settings as rows of dotted names and values."""

    def walk(value: Any, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from walk(inner, f"{name}.{key}" if name else key)
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)

    return pd.DataFrame(list(walk(settings, "")), columns=["setting", "value"])
