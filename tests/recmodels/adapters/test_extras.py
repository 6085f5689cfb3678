"""Further inputs: the user of a history, and columns such as its times."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from interp.model.envoys import RecommenderEnvoy
from recmodels.adapters import Adapter, register_adapter, wrap
from recmodels.errors import InputError
from recmodels.recommender import Recommender

IDS = [f"film {number}" for number in range(12)]
USERS = ["ann", "bob", "cyd"]


class Factorisation(nn.Module):
    def __init__(self, users: int = 3, items: int = 12, size: int = 4) -> None:
        super().__init__()
        self.user_factors = nn.Embedding(users, size)
        self.item_factors = nn.Embedding(items, size)


@register_adapter
class MF(Adapter):
    name = "test-mf"
    sites: ClassVar = {"embedding": "user_factors"}
    by_user, has_steps = True, False

    def run(self, batch):
        return self.module.user_factors(batch.users)

    def weights(self):
        return self.module.item_factors.weight

    @classmethod
    def build(cls, settings):
        return cls(Factorisation(**settings), n_items=12, max_history=50, settings=settings)


class Timed(nn.Module):
    """Adds a time and a rating to each item; the last step is the sum of all steps."""

    def __init__(self) -> None:
        super().__init__()
        self.items = nn.Embedding(13, 4, padding_idx=0)
        self.rate = nn.Linear(2, 4, bias=False)

    def forward(self, tokens: torch.Tensor, days: torch.Tensor, ratings: torch.Tensor) -> torch.Tensor:
        return (self.items(tokens) + self.rate(torch.stack([days, ratings], dim=-1))).cumsum(dim=1)


class WithTimes(Adapter):
    columns = ("time", "stars")
    sites: ClassVar = {"embedding": "items"}

    def run(self, batch):
        days = (batch.extra("time") / 86_400).float()
        return self.module(batch.tokens(), days, batch.extra("stars").float())

    def weights(self):
        return self.module.items.weight[1:]


def frame() -> pd.DataFrame:
    rows = [("ann", 3, 2.0, 5), ("bob", 1, 1.0, 4), ("ann", 4, 1.0, 3), ("ann", 7, 4.0, 2), ("bob", 5, 8.0, 1)]
    table = pd.DataFrame(rows, columns=["user", "item", "time", "stars"])
    return table.assign(item=[IDS[code] for code in table["item"]], time=table["time"] * 86_400)


@pytest.fixture
def factorisation() -> Recommender:
    torch.manual_seed(0)
    return wrap(MF.build({"users": 3, "items": 12, "size": 4}), IDS, users=USERS)


def test_a_factorisation_scores_by_user_and_is_traced_at_one_step(factorisation, tmp_path):
    rec = RecommenderEnvoy(factorisation)
    histories = {"cyd": IDS[:3], "ann": IDS[4:5]}
    module = factorisation.model.module
    expected = module.user_factors.weight[[2, 0]] @ module.item_factors.weight.T
    torch.testing.assert_close(factorisation.score(factorisation.histories(histories)), expected)
    with rec.trace() as tracer:
        with tracer.invoke(histories):
            vectors = rec.embedding.output.save()
            scores = rec.scores.save()
        with tracer.invoke({"bob": IDS[:2]}):
            rec.final.output[:] = 0
            none = rec.scores.save()
    assert vectors.shape == (2, 1, 4)
    assert rec.item_grid(histories).tolist() == [[IDS[2]], [IDS[4]]]
    torch.testing.assert_close(vectors[:, 0], module.user_factors.weight[[2, 0]])
    torch.testing.assert_close(scores, expected)
    assert (none == 0).all()
    factorisation.save(tmp_path / "mf")
    again = Recommender.load(tmp_path / "mf")
    assert again.vocabulary.users.tolist() == USERS
    assert again.fingerprint == factorisation.fingerprint
    np.testing.assert_array_equal(again.rank(histories), factorisation.rank(histories))


def test_histories_of_nobody_or_of_a_stranger_are_refused(factorisation):
    with pytest.raises(InputError, match="scores by user: give a mapping"):
        factorisation.rank([IDS[:3]])
    with pytest.raises(InputError, match=r"1 user is unknown to this recommender.*'dan'"):
        factorisation.rank({"dan": IDS[:3]})
    with pytest.raises(InputError, match="give users="):
        wrap(MF.build({}), IDS)
    with pytest.raises(InputError, match=r"the last of 4 users \(index out of range.*an id for each row"):
        wrap(MF.build({"users": 3, "items": 12, "size": 4}), IDS, users=[*USERS, "dan"])


def test_columns_of_a_table_reach_the_module_through_selections_invokes_and_tokens():
    torch.manual_seed(0)
    module = Timed()
    recommender = wrap(WithTimes(module, n_items=12, max_history=3), IDS)
    rec = RecommenderEnvoy(recommender)
    histories = recommender.histories(frame())
    assert histories.extras["stars"].tolist() == [3, 5, 2, 4, 1]

    def alone(codes, days, stars):
        tokens = torch.tensor([codes]) + 1
        return module(tokens, torch.tensor([days]), torch.tensor([stars]))[0, -1] @ module.items.weight[1:].T

    ann = alone([4, 3, 7], [1.0, 2.0, 4.0], [3.0, 5.0, 2.0])
    bob = alone([1, 5], [1.0, 8.0], [4.0, 1.0])
    torch.testing.assert_close(recommender.score(histories), torch.stack([ann, bob]))
    before, _ = histories.split_last()
    torch.testing.assert_close(recommender.score(before.select([1]))[0], alone([1], [1.0], [4.0]))
    torch.testing.assert_close(recommender.score(histories.last(1))[0], alone([7], [4.0], [2.0]))
    with rec.trace() as tracer:
        with tracer.invoke(histories.select([1])):
            second = rec.scores.save()
        with tracer.invoke(recommender.model.inference_inputs(histories.select([0]))):
            first = rec.scores.save()
    torch.testing.assert_close(torch.cat([first, second]), torch.stack([ann, bob]))
    with pytest.raises(InputError, match="reads the time, stars of each step"):
        recommender.rank([IDS[:2]])
    with pytest.raises(InputError, match="'stars' is 'many', but a number is read there"):
        recommender.rank(frame().astype({"stars": object}).replace({"stars": {4: "many"}}))


def test_fingerprints_of_histories_follow_what_is_read():
    torch.manual_seed(0)
    recommender = wrap(WithTimes(Timed(), n_items=12, max_history=3), IDS)
    one = recommender.histories(frame())
    other = recommender.histories(frame().assign(stars=1))
    assert one.fingerprint != other.fingerprint
