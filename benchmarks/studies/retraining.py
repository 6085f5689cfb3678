"""What survives a retraining: features, and steers that are carried to the new study.

    python benchmarks/studies/retraining.py artifacts/ml-100k --out artifacts/retraining

trains small studies beside a finished demo (MovieLens-100K; without baselines): another seed of the dictionary alone,
another seed of both, ten more epochs, one week of data less (so that the demo has one week more), BERT4Rec, and, for
chance, a recommender that learnt nothing. Each is compared with the demo as `interp compare` does, and the top feature
of every concept that passes on unseen items is steered and carried as `interp carry` does. What is done goes into
carry.csv, a row for each study, and is printed as the table of docs/results.md; a study that is there already is not
trained again. About three minutes of an idle CPU for each.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import tyro

import interp
from interp.concepts.evidence import passing
from interp.config import StudyConfig
from interp.control.receipts import steering_receipt
from interp.features.matching import KEPT, NEW, OLD
from interp.pipeline.run import run
from interp.presets import PRESETS
from interp.steering.edits import Edit, Steer
from interp.study.compare import Comparison, compare
from recmodels import artifacts, datasets
from recmodels.console import say
from recmodels.errors import InputError
from recmodels.interactions import Dataset
from recmodels.progress import tqdm
from recmodels.recommender import Recommender
from recmodels.sequences import histories_of
from recmodels.splits import paper_split
from recmodels.training import training_windows

EPOCHS, WEEK = 10, 7 * 24 * 3600
DEMO = PRESETS["ml-100k"][1]
QUICK = replace(DEMO, baselines="none", other_attributes=(), values=(-4.0, 0.0, 4.0))


@dataclass(frozen=True)
class Arguments:
    """What is compared."""

    demo: tyro.conf.Positional[Path]
    """The finished demo."""
    out: Path = Path("artifacts/retraining")
    """Where studies and carry.csv are written."""
    only: tuple[str, ...] = ()
    """Which studies; by default all."""


def a_week_less() -> Dataset:
    """MovieLens-100K without its last week."""
    data = datasets.load("ml-100k")
    rows = data.interactions
    return Dataset(data.name, rows[rows["time"] < rows["time"].max() - WEEK], data.items, data.attribute)


def train_longer(demo: Path, config: StudyConfig, folder: Path) -> None:
    """Write the demo's recommender after ten more epochs where `fit` looks for it."""
    split = paper_split(datasets.load("ml-100k").interactions, config.split)
    recommender = Recommender.load(demo / "recommender")
    model, vocabulary = recommender.model.train(), recommender.vocabulary
    parts = {name: histories_of(getattr(split, part), vocabulary) for name, part in FIT.items()}
    windows, rng = training_windows(parts["train"], config.training), np.random.default_rng(0)
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), config.training.learning_rate)
    for _ in tqdm(range(EPOCHS), desc="ten more epochs"):
        order = rng.permutation(len(windows))
        for start in range(0, len(order), config.training.batch_size):
            batch = model.training_batch(windows.select(order[start : start + config.training.batch_size]))
            optimiser.zero_grad()
            model(**batch).loss.backward()
            optimiser.step()
    inputs: dict[str, Any] = {"training": config.training, "vocabulary": artifacts.json_sha256(vocabulary.ids.tolist())}
    Recommender(model, vocabulary).save(
        folder / "recommender", inputs | {name: part.fingerprint for name, part in parts.items()}
    )
    artifacts.write_json(folder / "unfinished.json", {"kind": "study", "inputs": {}})


FIT = {"train": "recommender", "validation": "validation"}
SEED = replace(QUICK.sae, seed=1)
UNTRAINED = replace(QUICK.training, learning_rate=1e-9, max_epochs=1)
STUDIES: dict[str, StudyConfig] = {
    "dictionary seed": replace(QUICK, sae=SEED),
    "ten more epochs": replace(QUICK, training=replace(QUICK.training, max_epochs=199)),  # a name of its own
    "another seed": replace(QUICK, training=replace(QUICK.training, seed=1), sae=SEED),
    "one more week": QUICK,
    "BERT4Rec": replace(QUICK, training=replace(QUICK.training, model="bert4rec", patience=10)),
    "untrained": replace(QUICK, training=UNTRAINED),
}


def study_of(name: str, demo: Path, out: Path) -> interp.Study:
    """The study of this name, trained if it is not there."""
    folder = out / name.replace(" ", "-").lower()
    if (folder / "config.json").is_file():
        return interp.open(folder)
    if name == "ten more epochs" and not (folder / "recommender").is_dir():
        train_longer(demo, STUDIES[name], folder)
    return run(replace(STUDIES[name], out=folder), a_week_less() if name == "one more week" else None)


def carried_steers(comparison: Comparison) -> pd.DataFrame:
    """For each concept whose feature passes: its share's change by the old steer, the carried one, and at random.

    The steer sets the concept's top feature to its 99th percentile. At random: the same with any feature of the new
    dictionary, the mean over ten.
    """
    old, new = comparison.old, comparison.new
    rng, rows = np.random.default_rng(0), []
    tops, units = old.table("concepts").set_index("concept")["feature"], comparison.matches.side(NEW)["p99"]
    for concept in sorted(passing(old.table("evidence"))):
        feature = int(tops[concept])
        value = float(old.features.table.at[feature, "p99"])
        steer = Steer((Edit(feature, value, concept=concept),), old.site, dictionary=old.sae.fingerprint)

        def change(study: Any, edit: Edit, side: int, name: str = concept) -> pd.Series:
            histories = comparison.matches.histories.both[side]
            popularity = study.items["popularity"]
            receipt = steering_receipt(
                study.recommender, histories, Steer((edit,), study.site), study.concepts, popularity, targets=[name]
            )
            ndcg = receipt.measures.set_index("measure").at["ndcg@10", "change"]
            return pd.Series({"share": receipt.shares.set_index("concept").at[name, "change"], "ndcg": ndcg})

        row: dict[str, Any] = {"concept": concept, "feature": feature, "old": change(old, steer.edits[0], 0)["share"]}
        try:
            carried = comparison.carry(steer)
            row["new"] = carried.new_receipt.shares.set_index("concept").at[concept, "change"]
            row["ndcg_old"], row["ndcg_new"] = (
                one.measures.set_index("measure").at["ndcg@10", "change"]
                for one in (carried.old_receipt, carried.new_receipt)
            )
            drawn = rng.choice(units.index[units > 0], 10, replace=False)
            row["random"] = np.mean([change(new, Edit(int(one), float(units[one])), 1)["share"] for one in drawn])
        except InputError as error:
            row["refused"] = str(error)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["concept", "feature", "old", "new", "random", "ndcg_old", "ndcg_new"])


def row_of(name: str, comparison: Comparison, steers: pd.DataFrame) -> dict[str, Any]:
    """The row of carry.csv."""
    matches, old = comparison.matches, comparison.matches.side(OLD)
    concepts = comparison.concepts[comparison.concepts["passes_old"].eq(True)]
    measures = comparison.lists.measures.set_index("measure")
    holding, done = matches.holding, steers.dropna(subset=["new"])
    return {
        "study": name,
        "users": matches.histories.users,
        "steps": int(matches.histories.inputs[0].offsets[-1]),
        "features": len(old),
        "kept": (old["change"] == KEPT).mean(),
        "matched": len(holding) / len(old),
        "score": holding["score"].mean(),
        "chance": holding["chance"].mean(),
        "written": holding["written"].mean(),
        "written_percentile": holding["written_percentile"].mean(),
        "held": holding["held"].mean(),
        "concepts": len(concepts),
        "concept_features_matched": (concepts["match"] >= 0).mean(),
        "same_top_feature": concepts["same"].mean(),
        "carried": len(done),
        "share_change_old": done["old"].mean(),
        "share_change_new": done["new"].mean(),
        "share_change_random": done["random"].mean(),
        "ndcg_change_old": done["ndcg_old"].mean(),
        "ndcg_change_new": done["ndcg_new"].mean(),
        "overlap": measures.at["overlap", "after"],
        "ndcg_old": measures.at["ndcg@10", "before"],
        "ndcg_new": measures.at["ndcg@10", "after"],
        "ndcg_low": measures.at["ndcg@10", "change_low"],
        "ndcg_high": measures.at["ndcg@10", "change_high"],
    }


def as_markdown(rows: pd.DataFrame) -> str:
    """The table of docs/results.md, from carry.csv; "–" where nothing matches."""
    cells = {
        "what differs": "{study}",
        "matched (each the other's best)": "{matched:.0%} ({kept:.0%})",
        "r of matches (chance)": "{score:.2f} ({chance:.2f})",
        "writes alike, r": "{written:.2f}",
        "concept features matched": "{concept_features_matched:.0%} of {concepts:.0f}",
        "same top 10": "{overlap:.0%}",
        "NDCG@10, old → new": "{ndcg_old:.3f} → {ndcg_new:.3f}",
        "carried": "{carried:.0f} of {concepts:.0f}",
        "change of share: old, carried, random feature": "{share_change_old:+.3f}, {share_change_new:+.3f}, "
        "{share_change_random:+.3f}",
    }
    lines = [[cell.format(**row) for cell in cells.values()] for row in rows.to_dict("records")]
    lines = [["–" if "nan" in cell else cell.replace("-", "−") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in (list(cells), ["---"] * len(cells), *lines))


def main(arguments: Arguments) -> None:
    """Train, compare and carry."""
    torch.set_num_threads(1)
    demo, rows = interp.open(arguments.demo), []
    for name in arguments.only or tuple(STUDIES):
        other = study_of(name, arguments.demo, arguments.out)
        pair = (other, demo) if name == "one more week" else (demo, other)
        comparison = compare(*pair)
        say(f"\n== {name}\n{comparison}\n")
        steers = carried_steers(comparison)
        say(steers.round(3).to_string(index=False))
        rows.append(row_of(name, comparison, steers))
        artifacts.write_text(arguments.out / "carry.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    say(f"\n{as_markdown(pd.DataFrame(rows))}")


if __name__ == "__main__":
    main(tyro.cli(Arguments))
