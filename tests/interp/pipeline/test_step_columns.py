"""A whole study of a recommender that reads the rating of each step."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import interp
from interp.config import StudyConfig
from interp.pipeline.run import run
from interp.store.registry import analyses
from recmodels.adapters import Adapter, wrap
from recmodels.errors import InputError

LONGEST = 16


class Rated(nn.Module):
    """A recurrent network over items and ratings."""

    def __init__(self, n_items, size=16):
        super().__init__()
        self.items = nn.Embedding(n_items + 1, size)
        self.rating = nn.Linear(1, size)
        self.layers = nn.ModuleList(nn.GRU(size, size, batch_first=True) for _ in range(2))

    def forward(self, tokens, ratings):
        hidden = self.items(tokens) + self.rating(ratings[..., None])
        for layer in self.layers:
            hidden = layer(hidden)[0]
        return hidden


class RatedAdapter(Adapter):
    sites = {"blocks.*": "layers.*"}  # noqa: RUF012
    side = "right"
    columns = ("rating",)

    def run(self, batch):
        return self.module(batch.tokens(), batch.extra("rating").float())

    def weights(self):
        return self.module.items.weight[1:]


@pytest.fixture(scope="module")
def rated(planted):
    """The planted world with a rating in each row, from 1 to 5."""
    rows = planted.interactions.copy()
    rows["rating"] = 1.0 + (7 * np.arange(len(rows)) + rows["time"].to_numpy()) % 5
    return interp.from_tables(
        rows, planted.items.reset_index(), interp.Columns(attribute="concepts", steps=("rating",))
    )


@pytest.fixture(scope="module")
def recommender(rated):
    torch.manual_seed(0)
    ids = rated.items.index.tolist()
    return wrap(RatedAdapter(Rated(len(ids)), len(ids), LONGEST), ids)


@pytest.fixture(scope="module")
def study(rated, recommender, tmp_path_factory):
    sae = interp.SAEConfig(n_features=32, steps=100, batch_size=256, warmup_steps=20, sparsity_warmup_steps=50)
    config = StudyConfig(sae=sae, baselines="none", values=(-4.0, 4.0), out=tmp_path_factory.mktemp("rated") / "study")
    return run(config, rated, recommender=recommender, seen_users="none")


def test_it_reads_the_ratings_of_the_data(study, rated, recommender):
    users = study.users()
    rows = rated.interactions.sort_values("time", kind="stable")
    history, module = rows[rows["user"] == users.users[0]].iloc[: len(users[0])], recommender.model.module
    tokens = torch.from_numpy(recommender.vocabulary.encode(history["item"])[-LONGEST:]).long()[None] + 1
    ratings = torch.from_numpy(history["rating"].to_numpy()[-LONGEST:]).float()[None]
    with torch.no_grad():
        own = module(tokens, ratings)[0, -1] @ module.items.weight[1:].T
        other = module(tokens, 6 - ratings)[0, -1] @ module.items.weight[1:].T
    scores = study.recommender.score(users.select(slice(0, 1)))[0]
    torch.testing.assert_close(scores, own)
    assert not torch.allclose(scores, other)


def test_every_analysis_runs_on_it(study):
    for analysis in analyses():
        if "baselines" not in analysis.needs:
            assert all(isinstance(study.table(table.name), pd.DataFrame) for table in analysis.tables)
    assert (study.folder / "dashboard.html").is_file()


def test_data_without_the_column_are_refused_in_one_line(planted, recommender, tmp_path):
    config = StudyConfig(sae=interp.SAEConfig(n_features=32), out=tmp_path / "study")
    with pytest.raises(InputError, match=r"reads the rating of each step: give a table .* --columns\.steps"):
        run(config, planted, recommender=recommender, seen_users="none")
    with pytest.raises(InputError, match="has no column 'stars'"):
        interp.from_tables(planted.interactions, columns=interp.Columns(steps=("stars",)))
    with pytest.raises(InputError, match="steps names 'stars': name a further column of the interactions"):
        replace(planted, steps=("stars",))
    with pytest.raises(InputError, match="column 'stars', row 0 is not a finite number"):
        replace(planted, interactions=planted.interactions.assign(stars=np.nan), steps=("stars",))
