"""What is measured when a module is wrapped: each broken assumption is one line that says which."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from interp.model.envoys import RecommenderEnvoy
from recmodels.adapters import ExpectedScores, read_expected, wrap
from recmodels.errors import InputError
from recmodels.recommender import Recommender
from tests.recmodels.adapters.test_zoo import built, rows
from tests.recmodels.adapters.zoo import (
    CODES,
    HISTORIES,
    IDS,
    LONGEST,
    USERS,
    ZOO,
    Recurrent,
    RightPadded,
    Transformer,
    V,
)


def wrapped(kind: type = RightPadded, **changes: Any) -> Recommender:
    """A member of the zoo whose adapter says something else."""
    torch.manual_seed(0)
    adapter = type(kind.__name__, (kind,), {"name": "", **changes}).build({})
    return wrap(adapter, IDS)


def of_blocks(path: str) -> dict[str, str]:
    return {"embedding": "items", "blocks.*": path}


class Parts(Transformer):
    """Calls the weights of a module instead of the module, and another module twice."""

    def forward(self, tokens, *_):
        hidden = F.embedding(tokens, self.items.weight)
        return self.norm(self.norm(hidden) + self.positions(torch.arange(tokens.shape[1])))


BROKEN = {
    "the shape of run": (
        {"run": lambda self, batch: self.module(batch.tokens())[:, -1]},
        r"RightPadded.run gives the shape \[2, 8\] for 2 histories of 5 steps, not \[2, 5, width\]",
    ),
    "the shape of weights": (
        {"weights": lambda self: self.module.items.weight},
        r"weights has the shape \[21, 8\], not \[20, width\]",
    ),
    "the shape of bias": ({"bias": lambda self: torch.zeros(21)}, r"bias has the shape \[21\], not \[20\]"),
    "the width of weights": (
        {"weights": lambda self: torch.ones(V, 5)},
        "run fails on 2 histories of 2 and 5 items .RuntimeError",
    ),
    "a constant scorer": (
        {"weights": lambda self: torch.ones(V, 8)},
        "gives all items the same score: its weights were not loaded",
    ),
    "weights that are damaged": ({"weights": lambda self: self.module.items.weight[1:] * torch.nan}, "are not finite"),
    "noise": (
        {"run": lambda self, batch: F.dropout(self.module(batch.tokens()))},
        "gives other scores for the same histories each time",
    ),
    "padding": (
        {"side": "left"},
        "scores a history differently alone than beside a longer one, so its padding matters",
    ),
    "a history that is not read": (
        {"run": lambda self, batch: self.module(batch.tokens() * 0 + 1)},
        "do not change with the last item of a history",
    ),
    "a history that is too long": (
        {"network": lambda: Transformer(steps=5)},
        "run fails on 1 history of 6 items .IndexError",
    ),
    "an item that is not there": (
        {"run": lambda self, batch: self.module(batch.tokens(first=2))},
        "run fails on .* .IndexError: index out of range",
    ),
    "a site that is none": ({"sites": {"block.0": "layers.0"}}, "names 'block.0', which is no site: name embedding, "),
    "a gap": ({"sites": {"blocks.1": "layers.0"}}, "names 'blocks.1', which is no site: name embedding, blocks.0, "),
    "a path": ({"sites": of_blocks("lairs.*")}, "names 'lairs.*', which the module lacks"),
    "a site that is never run": (
        {"network": Parts, "sites": {"embedding": "items"}},
        "site embedding of RightPadded is never run",
    ),
    "a site that runs twice": (
        {"network": Parts, "sites": {"embedding": "norm"}},
        "site embedding of RightPadded runs twice in one pass",
    ),
    "two sites on one module": (
        {"sites": {"embedding": "items", "blocks.0": "layers.0", "blocks.0.mlp": "layers.0"}},
        "sites blocks.0.mlp and blocks.0 of RightPadded are one module",
    ),
    "the shape of a site": ({"sites": of_blocks("layers.*.attention.out_proj")}, "is never run"),
    "the order of sites": (
        {"sites": {"embedding": "norm", "blocks.*": "layers.*"}},
        "run in another order, blocks.0 before embedding",
    ),
    "steps that are first": (
        {"network": ZOO["zoo-steps-first"].adapter.network},
        r"gives the shape \[5, 2, 8\] .* not \[2, 5, width\]: name the site in sequence_first",
    ),
    "the module's own scores": (
        {"scores": lambda self, batch: 2.0 + self.score(batch.steps(self.run(batch))[:, -1])},
        "the module's own scores differ by up to 2 from those",
    ),
    "a module in half precision": ({"network": lambda: Transformer().half()}, "weights are float16: give float32 ones"),
    "items": (
        {"build": classmethod(lambda cls, settings: cls(Transformer(), V + 1, LONGEST))},
        "scores 21 items, and 20 item ids were given",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_does_not_hold_is_refused_in_one_line(what):
    changes, says = BROKEN[what]
    with pytest.raises(InputError, match=says) as fault:
        wrapped(**{name: staticmethod(value) if name == "network" else value for name, value in changes.items()})
    assert "\n" not in str(fault.value)


def test_a_module_in_training_mode_is_put_into_evaluation_mode():
    module = Transformer()
    module.layers[0].mlp.append(nn.Dropout(0.5))
    recommender = wrap(RightPadded(module.train(), V, LONGEST), IDS)
    assert not module.training
    module.train()
    assert torch.equal(*(recommender.score(recommender.histories([IDS[:3]])) for _ in range(2)))
    assert module.training


def test_the_biased_head_is_compared_with_the_modules_own_scores():
    with pytest.raises(InputError, match="own scores differ"):
        wrapped(Recurrent, bias=lambda self: None)


def original(name: str, items: list[str] = IDS) -> dict[Any, dict[str, float]]:
    """Scores as the other program gives them."""
    module, expected = built(name).model.module, {}
    for user in USERS:
        scores = ZOO[name].scores(module, user, CODES[user]).tolist()
        expected[tuple(HISTORIES[user])] = {item: scores[IDS.index(item)] for item in items}
    return expected


@pytest.mark.parametrize("name", ["zoo-right", "zoo-mask", "zoo-gru"])
def test_scores_of_the_original_verify_a_recommender_in_every_form(name, tmp_path):
    adapter, expected = built(name).model.adapter, original(name)
    assert "unverified" in repr(built(name))
    entries = [
        {"history": list(history), "items": list(scores), "scores": list(scores.values())}
        for history, scores in expected.items()
    ]
    (tmp_path / "expected.json").write_text(json.dumps(entries))
    table = pd.DataFrame(expected).T
    table.index = pd.Index(list(expected), tupleize_cols=False)
    for form in (expected, table, tmp_path / "expected.json"):
        recommender = wrap(adapter, IDS, expected=form)
        assert recommender.origin.verified == 3
        assert recommender.origin.difference < 1e-5
        assert "verified on 3 histories of 2–6 items (3 lengths), 60 scores of 20 of 20 items, " in repr(recommender)
    assert RecommenderEnvoy(built(name), expected=expected).recommender.origin.verified == 3
    recommender.save(tmp_path / "recommender")
    assert Recommender.load(tmp_path / "recommender").origin == recommender.origin


def test_a_file_of_numbers_is_read_as_the_recommender_writes_ids(tmp_path):
    numbers = {item: 10 + place for place, item in enumerate(IDS)}
    lines = [
        f"{' '.join(str(numbers[item]) for item in history)},{numbers[item]},{score}"
        for history, scores in original("zoo-right").items()
        for item, score in scores.items()
    ]
    (tmp_path / "expected.csv").write_text("\n".join(["history,item,score", *lines]))
    for ids in (list(numbers.values()), list(map(str, numbers.values()))):
        recommender = wrap(built("zoo-right").model.adapter, ids, expected=tmp_path / "expected.csv")
        assert recommender.origin.verified == 3


@pytest.mark.parametrize("items", [IDS, IDS[4:6]])
def test_an_item_map_that_is_shifted_by_one_is_caught(items):
    adapter, expected = built("zoo-right").model.adapter, original("zoo-right", items)
    for shift in (1, -1):
        with pytest.raises(InputError, match="they fit item ids that are shifted by one: correct the order"):
            wrap(adapter, np.roll(IDS, shift).tolist(), expected=expected)
    with pytest.raises(InputError, match="expected: the model has other weights or items"):
        wrap(adapter, IDS[::-1], expected=expected)


def test_expected_scores_that_prove_nothing_are_refused():
    adapter = built("zoo-right").model.adapter
    history = tuple(HISTORIES["ann"])
    score = original("zoo-right")[history][IDS[3]]
    with pytest.raises(InputError, match="prove nothing, as there is one"):
        wrap(adapter, IDS, expected={history: {IDS[3]: score}})

    class Periodic(RightPadded):
        """Two items beside each other, and so on round, are the same to it."""

        def run(self, batch):
            return (
                self.module(batch.tokens() * 0 + 1)
                + torch.arange(batch.n_steps)[:, None]
                + batch.tokens()[..., None] % 2
            )

        def weights(self):
            return torch.ones(V, 8) + torch.arange(V)[:, None] % 2

    recommender = wrap(Periodic(Transformer(), V, LONGEST), IDS)
    scores = recommender.score(recommender.histories([IDS[:2]]))[0].tolist()
    for items, says in (([0, 2, 4], "as all are equal"), ([0], "as there is one")):
        with pytest.raises(InputError, match=says):
            wrap(recommender.model.adapter, IDS, expected={tuple(IDS[:2]): {IDS[i]: scores[i] for i in items}})
    with pytest.raises(InputError, match=r"give a finite number .-inf for an item of the history that is masked., or"):
        wrap(adapter, IDS, expected={history: {IDS[3]: score, IDS[4]: np.inf}})


def test_expected_scores_of_users_and_times():
    by_user = dict(zip(USERS, original("zoo-no-steps").values(), strict=True))
    adapter = built("zoo-no-steps").model.adapter
    assert wrap(adapter, IDS, USERS, expected=by_user).origin.verified == 3
    with pytest.raises(InputError, match="was expected"):
        wrap(adapter, IDS, USERS[::-1], expected=by_user)
    adapter, expected = built("zoo-times").model.adapter, original("zoo-times")
    with pytest.raises(InputError, match="lack the time, which this recommender reads"):
        wrap(adapter, IDS, expected=expected)
    times = {user: frame["time"].tolist() for user, frame in rows().groupby("user")}
    records = [
        ExpectedScores(HISTORIES[user], expected[tuple(HISTORIES[user])], columns={"time": times[user]})
        for user in USERS
    ]
    assert wrap(adapter, IDS, expected=records).origin.verified == 3


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", "{}", "no list of expected scores"),
        ("b.json", '[{"history": [1], "items": [1]}]', "'scores' is missing"),
        ("c.json", '[{"history": [1], "items": [1], "scores": []}]', "has 1 item and 0 scores"),
        ("d.csv", "item,score\n1,2\n", "lacks the column history"),
        ("e.csv", "history,item,score\n", "has no rows"),
        ("f.csv", "", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read(name, content, says, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=says):
        read_expected(tmp_path / name)
