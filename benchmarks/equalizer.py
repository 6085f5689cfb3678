"""How long the equalizer's server takes from a slider to the list, and a process to open a study.

INTERP_STUDY names the folder of a finished study, by default artifacts/ml-100k; with --small, or where there is none,
one is made first in seconds. Slider to list is one POST of `run` over HTTP to the real server, a concept turned by
another value each time, as the page asks while a slider moves; beside it the same with reasons, which the page asks for
after the last move, and the two lists that it must at least compute (`rec.recommend` without and with the steer).
Opening is a new Python process that imports interp, opens the study and makes its recommender, beside one that imports
torch, transformers' GPT-2 and pandas alone.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

import torch

import interp
from benchmarks.timing import Row, Taken, checked, compare
from interp.config import GridConfig, StudyConfig
from interp.pages.equalizer_app import HOST
from interp.pages.equalizer_server import server_of
from interp.study.study import Study

STUDY = Path(os.environ.get("INTERP_STUDY", "artifacts/ml-100k"))
OPEN = "import interp; interp.open({folder!r}).recommender"
PARTS = "import torch, pandas, transformers.models.gpt2.modeling_gpt2"


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """Slider to list and opening, and whether the server's lists are the recommender's."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        study = interp.open(_tiny(Path(folder)) if small or not STUDY.is_dir() else STUDY)
        return [*slider(study, max(repeats, 3)), *opening(study.folder, repeats)]


def slider(study: Study, repeats: int) -> list[Row]:
    """A concept is turned, for one test user: over HTTP, and by the recommender alone."""
    values, lists = count(1), {}
    history = study.users().select(slice(0, 1))
    rec, name = study.recommender, sorted(study.table("concepts")["concept"])[0]

    def value() -> float:
        return (next(values) % 40) / 20

    with served(study) as ask:
        about = ask("about")
        request: dict[str, Any] = {"history": history.codes.tolist(), "boosts": {}}

        def asked(reasons: bool) -> None:
            lists["value"] = value()
            settings = [{"kind": "concept", "index": 0, "value": lists["value"]}]
            lists["ours"] = ask("run", {**request, "settings": settings, "reasons": reasons})["after"]

        def bare() -> None:
            rec.recommend(history)
            with rec.steer({name: value()}, op="add", unit="p99"):
                rec.recommend(history)

        work = f"slider to list, {study.name}, {len(about['items']['id']):,} items"
        ways = {
            "with reasons": partial(asked, True),
            "ours": partial(asked, False),
            "both lists alone, no server": bare,
        }
        measured = compare(work, ways, repeats)
    with rec.steer({name: lists["value"]}, op="add", unit="p99"):
        expected = rec.recommend(history)["item"].tolist()
    same = [about["items"]["id"][row["item"]] for row in lists["ours"]] == expected
    return checked(measured, "ours", same, equal_lists=same)


def opening(folder: Path, repeats: int) -> list[Row]:
    """A new process opens a study and its recommender."""
    peaks: dict[str, float] = {}

    def process(name: str, program: str) -> Taken:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = "; import resource, time; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic())"
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-c", program + peak], check=True, capture_output=True, text=True)
        kilobytes, end = done.stdout.split()[-2:]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        peaks[name] = float(kilobytes) / 1024
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Taken(float(end) - start, processor)

    programs = {"ours": OPEN.format(folder=str(folder)), "imports of torch, GPT-2 and pandas": PARTS}
    ways = {name: lambda name=name, program=program: process(name, program) for name, program in programs.items()}
    measured = compare("opening a study and its recommender, a new process", ways, repeats)
    for name in programs:
        measured = checked(measured, name, True, MB_at_the_peak=round(peaks[name]))
    return measured


@contextmanager
def served(study: Study) -> Iterator[Any]:
    """What asks a server of a study over HTTP."""
    server = server_of(study)
    threading.Thread(target=server.run, daemon=True).start()
    line = HTTPConnection(HOST, server.effective_port)

    def ask(method: str, *args: Any) -> Any:
        body = json.dumps({"method": method, "args": args})
        line.request("POST", "/ask", body, {"Content-Type": "application/json"})
        return json.loads(line.getresponse().read())["result"]

    try:
        yield ask
    finally:
        line.close()
        server.close()


def _tiny(folder: Path) -> Path:
    """The folder of a study in seconds."""
    from interp.pipeline.run import run
    from interp.sae_config import SAEConfig
    from recmodels.config import TrainingConfig
    from recmodels.datasets.planted import PlantedConfig, load

    model = TrainingConfig(max_history=12, hidden_size=16, num_hidden_layers=1, batch_size=64, max_epochs=2)
    sae = SAEConfig(n_features=32, steps=120, batch_size=64, warmup_steps=10, sparsity_warmup_steps=20)
    config = StudyConfig(out=folder, training=model, sae=sae, grid=GridConfig(), values=(-2.0, 0.0, 2.0))
    return run(config, load(PlantedConfig(users=160, items=60, concepts=4, mean_length=12))).folder
