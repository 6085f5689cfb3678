"""A recommender that another program trained on part of a small world, and a study of it from the command line."""

import json
import sys
from types import SimpleNamespace

import foreign_model
import pytest
import torch

from interp.cli import main
from interp.study.study import open as open_study
from recmodels.datasets.planted import PlantedConfig, load

UNKNOWN = 5  # items that the foreign model does not know
SEEN = 110  # users that it was trained on
# A study of them takes seconds.
SETTINGS = """
    --columns.attribute concepts --sae.n-features 16 --sae.steps 200 --sae.batch-size 256 --sae.warmup-steps 20
    --sae.sparsity-warmup-steps 50 --values -4 4 --max-l0 16 --other-attributes title:1
    --grid.l1 --grid.n-features --grid.trade-off --grid.sites
"""


@pytest.fixture(scope="session")
def foreign(shared):
    """Its data, checkpoint and expected scores, as paths and objects."""
    data = load(PlantedConfig(users=150, items=48, concepts=3, mean_length=12, drift=0.05))
    rows = data.interactions.sort_values("time", kind="stable")
    histories = rows.groupby("user")["item"].agg(list)
    items = sorted(rows["item"].unique().tolist())[UNKNOWN:]
    with shared("foreign") as folder:
        folder.mkdir(exist_ok=True)
        if not (folder / "expected.json").exists():
            checkpoint = foreign_model.train(histories.iloc[:SEEN], items)
            torch.save(checkpoint, folder / "model.pth")
            known = [[item for item in row if item in items] for row in histories.iloc[SEEN : SEEN + 5]]
            (folder / "seen.txt").write_text("\n".join(map(str, histories.index[:SEEN])))
            rows.to_csv(folder / "interactions.csv", index=False)
            table = data.items.assign(concepts=data.items["concepts"].map("|".join))
            table.to_csv(folder / "items.csv")
            (folder / "expected.json").write_text(json.dumps(foreign_model.expected_scores(checkpoint, known)))
    words = ["study", "own", "--data", folder / "interactions.csv", "--items", folder / "items.csv", *SETTINGS.split()]
    return SimpleNamespace(
        folder=folder,
        data=data,
        items=items,
        histories=histories,
        command=[*words, "--recommender", folder / "model.pth", "--adapter", "foreign"],
        checked=["--expected", folder / "expected.json", "--seen-users", folder / "seen.txt"],
    )


@pytest.fixture(scope="session")
def foreign_study(foreign, shared):
    """A finished study of the foreign model, made by one command; copy its folder before you change it."""
    with shared("foreign-study") as folder:
        if not (folder / "config.json").exists():
            with pytest.MonkeyPatch.context() as patch:
                words = [*foreign.command, *foreign.checked, "--out", folder]
                patch.setattr(sys, "argv", ["interp", *map(str, words)])
                main()
    return open_study(folder)
