"""What each adapter that ships gives, measured: the table of docs/how-to/trained-recommender.md.

    OMP_NUM_THREADS=1 python -m benchmarks.studies.adapters [ADAPTER ...]

prints it as Markdown. Each adapter opens the small checkpoint whose tensors and scores the other program wrote
(tests/recmodels/adapters/data; models of transformers are made on the spot, and score themselves). Scores, padding and
traces are compared there. These checkpoints know 20 items, too few for concepts: so the same network, wider, is also
trained here on a planted world with known concepts, and becomes a whole study, with a dictionary and steers.
"""

import inspect
import sys
import tempfile
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

import interp
from interp.concepts.evidence import passing
from recmodels.adapters import ExpectedScores, read_recommender, wrap
from recmodels.adapters.registry import ADAPTERS
from recmodels.console import say
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.errors import InputError
from recmodels.interactions import Dataset
from recmodels.progress import tqdm
from recmodels.recommender import Recommender
from recmodels.wording import counted
from tests import foreign_model
from tests.recmodels.adapters.checkpoints import FILMS, example
from tests.recmodels.adapters.recorded import steps

WORLD = PlantedConfig(users=600, items=120, concepts=8, mean_length=24, drift=0.05)
OPTIMISER_STEPS, BATCH = 600, 128
WIDER, LONGER = 4, 26  # times the recorded width; more steps than recorded
SAE = interp.SAEConfig(n_features=64, steps=400, batch_size=256, warmup_steps=50, sparsity_warmup_steps=100)
MODELS = {  # adapter → name of what is recorded, and what the table calls it
    "recbole": {"sasrec": "SASRec", "gru4rec": "GRU4Rec", "bert4rec": "BERT4Rec", "bpr": "BPR"},
    "rectools": {"sasrec": "SASRec", "bert4rec": "BERT4Rec", "hstu": "HSTU", "ligr": "SASRec, layers of LiGR"},
    "replay": {"sasrec": "SasRec of models.nn", "sasrec_new": "SasRec of replay.nn", "bert4rec": "Bert4Rec"},
    "pmixer": {"pre-norm": "SASRec"},
    "gsasrec": {"untied": "gSASRec"},
    "transformers": {"gpt2": "GPT-2", "llama": "Llama", "bert": "BERT"},
    "vectors": {"bpr": "BPR of implicit"},
    "ncf": {"": "NeuMF"},
    "foreign": {"": "an adapter of your own, tests/foreign_model.py"},
}
# Settings of adapters that grow with the items, the steps, the users, and the width.
GROWING = {
    "items": ("n_items", "tokens", "n_tokens", "vocab_size", "mask"),
    "steps": ("maxlen", "positions", "sequence_length", "session_max_len", "longest", "n_positions", "max_history",
              "max_position_embeddings"),
    "users": ("users", "n_users"),
    "width": ("d", "width", "inner", "n_factors", "n_factors_ff", "n_embd", "hidden_size", "intermediate_size",
              "factors", "size"),
}  # fmt: skip


def enlarged(settings: Any, by: dict[str, int]) -> Any:
    """An adapter's settings, with so many more of a kind; widths are multiplied."""
    if not isinstance(settings, dict):
        return settings
    grown = {name: enlarged(value, by) for name, value in settings.items()}
    for kind, names in GROWING.items():
        for name in (name for name in names if isinstance(grown.get(name), int)):
            grown[name] = grown[name] * WIDER if kind == "width" else grown[name] + by[kind]
    return grown


def trained(small: Any, data: Dataset) -> Recommender:
    """The network of an adapter, wider, trained on all but each user's last item."""
    rows = data.interactions
    ids, users = sorted(rows["item"].unique()), sorted(rows["user"].unique())
    by = {"items": len(ids) - small.n_items, "users": len(users) - len(small.users or ())}
    adapter = ADAPTERS.find(small.name).build(enlarged(small.settings, by | {"steps": LONGER * small.has_steps}))
    torch.manual_seed(0)
    for weights in adapter.module.parameters():
        if weights.ndim > 1:
            nn.init.normal_(weights, std=0.1)
    recommender = wrap(adapter, ids, users if adapter.by_user else None)
    model, histories, rng = recommender.model, recommender.histories(rows), np.random.default_rng(0)
    optimiser = torch.optim.Adam(adapter.module.parameters(), 3e-3)
    for _ in tqdm(range(OPTIMISER_STEPS), desc=small.title):
        drawn = rng.integers(len(histories), size=BATCH)
        starts = histories.offsets[drawn]
        ends = starts + 1 + rng.integers(np.maximum(histories.lengths[drawn] - 2, 1))
        scores = model(model.inference_inputs(histories.ranges(histories.users[drawn], starts, ends))).scores
        loss = nn.functional.cross_entropy(scores, torch.from_numpy(histories.codes[ends]).long())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return wrap(adapter, ids, users if adapter.by_user else None)


def foreign(folder: Path) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """As `example`, of the tests' own program."""
    histories = [[FILMS[(3 * row + step) % len(FILMS)] for step in range(2 + row)] for row in range(12)]
    torch.save(foreign_model.train(histories, FILMS), folder / "model.pth")
    content = torch.load(folder / "model.pth", weights_only=True)
    return folder / "model.pth", {}, foreign_model.expected_scores(content, histories[::3])


def of_checkpoint(name: str, path: Path, options: dict[str, Any], cases: list[Any]) -> tuple[dict[str, Any], Any]:
    """What is measured of a checkpoint, and its adapter."""
    scores = [dict(zip(case["items"], case["scores"], strict=True)) for case in cases]
    expected = [
        ExpectedScores(case["history"], row, case.get("user"), case.get("columns", {}))
        for case, row in zip(cases, scores, strict=True)
    ]
    recommender = read_recommender(name, path, options, expected)
    origin, vocabulary, adapter = recommender.origin, recommender.vocabulary, recommender.model.adapter
    try:
        wrap(adapter, np.roll(vocabulary.ids, 1), vocabulary.users, expected=expected)
        shifted = "accepted"
    except InputError:
        shifted = "refused"
    rec, histories = interp.RecommenderEnvoy(recommender), recommender.histories(steps(cases))
    together = recommender.score(histories)
    alone = torch.cat([recommender.score(history) for history in histories.batches(1)])
    padding = f"{adapter.side}, {'read' if adapter.full_width else 'not read'}, {(together - alone).abs().max():.0e}"
    with rec.trace(histories):
        traced = rec.scores.save()
    sites = rec.hidden_states(histories, list(recommender.model.sites))
    lines = sum(bool(line.strip()) for line in inspect.getsource(foreign_model.ForeignSASRec).splitlines())
    flags = [f"`--{key.replace('_', '-')}`" if key in ("item_ids", "atomic_files") else f"`{key}=`" for key in options]
    return {
        "scores: difference": f"{origin.difference:.0e}",
        "ids shifted by one": shifted,
        "padding: alone or not": padding if adapter.has_steps else "no steps",
        "causal": {True: "yes", False: "no", None: "–"}[origin.causal],
        "trace": f"{counted(len(sites), 'site')}, {'equal' if torch.equal(traced, together) else 'OTHER'}",
        "a user writes": f"{lines} lines" if name == "foreign" else ", ".join(["1 line", *flags]),
    }, adapter


def of_study(recommender: Recommender, data: Dataset, folder: Path) -> dict[str, Any]:
    """What is measured of a study."""
    config = interp.StudyConfig(sae=SAE, baselines="none", values=(-4.0, 0.0, 4.0), out=folder)
    start = time.process_time()
    with redirect_stdout(StringIO()):
        study = interp.run(config, data, recommender=recommender)
    seconds = time.process_time() - start
    dictionary, evidence = study.table("dictionary").iloc[0], study.table("evidence")
    kept = sorted(passing(evidence))
    unseen = evidence.loc[evidence["source"] == "features", "unseen_items"].mean()
    rises = [study.receipt({name: 1.0}, unit="p99").shares.set_index("concept").at[name, "change"] for name in kept]
    ndcg = study.table("most_popular").set_index(["part", "measure"]).loc[("test", "ndcg@10")]
    return {
        "NDCG@10 (most popular)": f"{ndcg['recommender']:.2f} ({ndcg['most_popular']:.2f})",
        "dictionary": f"{dictionary['explained_variance']:.0%}, {dictionary['l0']:.0f} of {SAE.n_features}",
        "concepts on unseen items": f"{len(kept)} of {WORLD.concepts}, {unseen:.2f}",
        "steer": f"{np.mean(rises):+.2f}, {sum(rise > 0 for rise in rises)} of {len(rises)}" if kept else "–",
        "processor s": f"{seconds:.0f}",
    }


def main(adapters: list[str]) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    data, rows = load(WORLD), []
    for name, (model, title) in [(adapter, pair) for adapter in adapters for pair in MODELS[adapter].items()]:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            checkpoint = foreign(folder) if name == "foreign" else example(name, model, folder)
            measured, adapter = of_checkpoint(name, *checkpoint)
            study = of_study(trained(adapter, data), data, folder / "study")
            rows.append({"adapter": f"`{name}`", "model": title} | measured | study)
    table = pd.DataFrame(rows)
    for line in (table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)):
        say(f"| {' | '.join(map(str, line))} |")


if __name__ == "__main__":
    main(sys.argv[1:] or list(MODELS))
