"""What a service costs beside the bare recommender: time of a batch under steers, memory, time to start.

    python benchmarks/serving.py artifacts/ml-1m

exports the study, opens it in another process that has torch and safetensors alone, and prints a table (CSV): on one
thread, milliseconds of processor time of a batch of the test users' histories by the bare forward pass of the exported
program, and under steers of 20 features, as the median of interleaved repeats; then what each process needs in memory.
A ratio is the median of the ratios within a round, so that other work on the machine falls on both. Rows "recommend"
also make tokens and sort lists, and are compared with `recommend` without steers.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZE, FEATURES, ROUNDS = 64, 20, 40


def export(folder: Path, to: Path) -> list[dict]:
    """Write the service, and print what the bare model needs; returns rows of its memory and time to start."""
    start = time.perf_counter()
    import torch

    import interp
    from recmodels.recommender import Recommender

    torch.set_num_threads(1)
    recommender = Recommender.load(folder / "recommender")
    study = interp.open(folder)
    histories = study.users().select(slice(0, SIZE))
    with torch.no_grad():
        recommender.score(histories)
    opened = time.perf_counter() - start
    rows = [{"what": "bare model: process", "seconds": round(opened, 1), "peak MB": _peak()}]
    rec = study.recommender
    best = study.features.table.sort_values("p99", ascending=False).index[:FEATURES].tolist()
    ids = recommender.vocabulary.ids
    users = {str(user): ids[histories[n]].tolist() for n, user in enumerate(histories.users)}
    steers = {
        "last step": rec.steer_of(dict.fromkeys(best, 1.0)),
        "last step, by user": rec.steer_of({f: dict.fromkeys(users, 1.0) for f in best}),
        "last step, add": rec.steer_of(dict.fromkeys(best, 1.0), op="add"),
        "all steps": rec.steer_of(dict.fromkeys(best, 1.0), at="all"),
        "all steps, by user": rec.steer_of({f: dict.fromkeys(users, 1.0) for f in best}, at="all"),
        "reconstruct last": rec.steer_of(dict.fromkeys(best, 1.0), reconstruct="last"),
        "reconstruct all": rec.steer_of(dict.fromkeys(best, 1.0), reconstruct="all"),
    }
    interp.export_service(
        rec, to / "service", {name.replace(", ", "-").replace(" ", "-"): s for name, s in steers.items()}
    )
    (to / "histories.json").write_text(json.dumps(users))
    model = recommender.model
    tokens = model.inference_inputs(histories)
    program = interp.serving.load(to / "service").program

    def bare() -> None:
        with torch.no_grad():
            model(tokens)

    def exported() -> None:
        with torch.no_grad():
            program(tokens, {})

    return [*_times({"bare model in transformers": bare, "bare exported program": exported}), *rows]


def serve(to: Path) -> list[dict]:
    """Time the service, which is all that this process imports."""
    start = time.perf_counter()
    import torch

    import interp.serving

    torch.set_num_threads(1)
    service = interp.serving.load(to / "service")
    histories = json.loads((to / "histories.json").read_text())
    service.score(histories)
    row = {"what": "service: process", "seconds": round(time.perf_counter() - start, 1), "peak MB": _peak()}
    assert not {"pandas", "transformers", "nnsight"} & set(sys.modules)
    users = list(histories)
    tokens = service.items.tokens([service.items.codes(user, row, False) for user, row in histories.items()])

    def forward(names: list[str]) -> None:
        chosen = service._chosen(users, names, named=True)
        with torch.no_grad():
            service.program(tokens, service._changes(users, chosen))

    cases = {"bare forward": lambda: forward([])}
    cases |= {f"20 features, {name}": lambda name=name: forward([name]) for name in service.steers}
    rows = _times(cases)
    names = list(service.steers)
    mixed = {user: [names[n % 3]] for n, user in enumerate(users)}
    rows += _times(
        {
            "recommend": lambda: service.recommend(histories),
            "recommend, 20 features, last-step": lambda: service.recommend(histories, 10, ["last-step"]),
            "recommend, three steers, each for a third of the users": lambda: service.recommend(histories, 10, mixed),
        }
    )
    sizes = {site: sum(t.numel() * 4 for t in d.tensors().values()) for site, d in service.dictionaries.items()}
    return [
        *rows,
        row,
        {"what": "service: tensors of the dictionary", "peak MB": round(sum(sizes.values()) / 2**20, 2)},
    ]


def _times(cases: dict) -> list[dict]:
    """Milliseconds of each case, and its ratio to the first; one after another in every round."""
    rounds = []
    for number in range(ROUNDS + 5):
        line = []
        for case in cases.values():
            start = time.process_time()  # of one thread: a busy machine would add its waits
            case()
            line.append(1000 * (time.process_time() - start))
        if number >= 5:  # the first ones warm up
            rounds.append(line)
    rows = []
    for n, name in enumerate(cases):
        ratio = statistics.median(line[n] / line[0] for line in rounds)
        fastest = min(line[n] for line in rounds) / min(line[0] for line in rounds)
        median = statistics.median(line[n] for line in rounds)
        rows.append(
            {"what": name, "ms": round(median, 2), "ratio": round(ratio, 3), "ratio of fastest": round(fastest, 3)}
        )
    return rows


def _peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _print(rows: list[dict], head: bool) -> None:
    columns = ("what", "ms", "ratio", "ratio of fastest", "seconds", "peak MB")
    if head:
        print(",".join(columns))
    for row in rows:
        print(",".join(f'"{row[c]}"' if c == "what" else str(row.get(c, "")) for c in columns), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--serve", action="store_true", help="what the second process does")
    options = parser.parse_args()
    if options.serve:
        _print(serve(options.folder), head=False)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            _print(export(options.folder, Path(scratch)), head=True)
            subprocess.run([sys.executable, "-W", "ignore", __file__, scratch, "--serve"], check=True)
