"""Expected scores that are other ones in a way that is known, masked, or twice there; and what the right ones cover."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, log_softmax, softmax

from recmodels.adapters import read_expected, wrap
from recmodels.adapters.origin import Coverage
from recmodels.adapters.transforms import explanation
from recmodels.errors import InputError
from tests.recmodels.adapters.test_checks import original
from tests.recmodels.adapters.test_zoo import built
from tests.recmodels.adapters.zoo import HISTORIES, IDS, V

NAME = "zoo-right"


def table() -> pd.DataFrame:
    """The original's scores, a row for each history and a column for each item."""
    expected = original(NAME)
    frame = pd.DataFrame(list(expected.values()))
    frame.index = pd.Index(list(expected), tupleize_cols=False)
    return frame


def by_rows(change):
    return lambda frame: pd.DataFrame(change(frame.to_numpy()), frame.index, frame.columns)


RNG = np.random.default_rng(0)
LENGTHS, NORMS, BIAS = np.array([[2.0], [3.0], [0.5]]), RNG.uniform(0.5, 2, (1, V)), RNG.normal(size=(1, V))
TRANSFORMS = {
    "a constant": (lambda x: x + 3, "by the same constant everywhere: add it to `bias`"),
    "log-softmax": (lambda x: log_softmax(x, axis=1), "a constant in each history, as after log_softmax"),
    "a bias": (lambda x: x + BIAS, "a constant for each item: give it as `bias`"),
    "a temperature": (lambda x: x / 0.07, "these times one factor, such as a temperature"),
    "normalised states": (lambda x: x / LENGTHS, "a factor in each history, as where hidden states are normalised"),
    "normalised items": (lambda x: x / NORMS, "a factor for each item, as where item vectors are normalised"),
    "cosines": (lambda x: x / NORMS / LENGTHS, "a factor in each history and for each item, as the cosine is"),
    "softmax": (lambda x: softmax(x, axis=1), "probabilities, the softmax of these: give the scores before it"),
    "sigmoid": (expit, "probabilities, the sigmoid of these: give the scores before it"),
    "two decimals": (lambda x: np.round(x, 2), "rounded to 2 decimals: give them in full"),
    "one digit": (
        lambda x: np.array([[float(f"{cell:.1g}") for cell in row] for row in x]),
        "rounded to 1 digit: give them in full",
    ),
    "a small bias": (lambda x: x + 1e-2 * BIAS, "a constant for each item: give it as `bias`"),
    "weights of 16 bits": (
        lambda x: x + 2e-3 * RNG.uniform(-1, 1, (1, V)) + 1e-4 * RNG.normal(size=x.shape),
        r"at most 0\.\d+% of their spread, as where weights are rounded to 16 bits",
    ),
    "other weights": (lambda x: x[:, ::-1], "the model has other weights or items"),
    "noise": (lambda x: x + RNG.normal(size=x.shape), "the model has other weights or items"),
}


@pytest.mark.parametrize("what", TRANSFORMS)
def test_a_transform_that_is_known_is_named(what):
    change, says = TRANSFORMS[what]
    with pytest.raises(InputError, match=says) as fault:
        wrap(built(NAME).model.adapter, IDS, expected=by_rows(change)(table()))
    assert "\n" not in str(fault.value)


def test_few_scores_name_no_transform():
    """Two scores differ by one constant and one factor whatever they are."""
    frame = by_rows(lambda x: x * [[1.0, 3.0]])(table()[IDS[3:5]].iloc[:1])
    with pytest.raises(InputError, match="the model has other weights or items"):
        wrap(built(NAME).model.adapter, IDS, expected=frame)


def masked(ids=IDS, value=-np.inf):
    frame = table()
    for history in frame.index:
        frame.loc[[history], [ids[IDS.index(item)] for item in history]] = value
    return frame


def test_masked_items_of_the_history_are_not_compared(tmp_path):
    adapter, frame = built(NAME).model.adapter, masked()
    seen = sum(map(len, HISTORIES.values()))
    entries = [{"history": key, "items": IDS, "scores": row.tolist()} for key, row in frame.iterrows()]
    (tmp_path / "expected.json").write_text(json.dumps(entries))
    for form in (frame, tmp_path / "expected.json"):
        origin = wrap(adapter, IDS, expected=form).origin
        assert origin.verified == 3
        assert origin.coverage == Coverage(2, 6, 3, 3 * V - seen, V, V)


def test_masked_items_elsewhere_are_refused():
    adapter = built(NAME).model.adapter
    with pytest.raises(
        InputError, match=r"'film 2' after .* is -inf, which only an item of the history may have: leave"
    ):
        wrap(adapter, IDS, expected=masked(np.roll(IDS, -1).tolist()))
    with pytest.raises(InputError, match="are all -inf"):
        wrap(adapter, IDS, expected={tuple(IDS[:2]): dict.fromkeys(IDS[:2], -np.inf)})
    with pytest.raises(InputError, match="all items of the histories have this score, so they are masked: write -inf"):
        wrap(adapter, IDS, expected=masked(value=-1e9))


def test_what_was_covered_counts_different_items_and_lengths():
    expected = {tuple(IDS[:2]): IDS[3:7], tuple(IDS[4:6]): IDS[5:9], tuple(IDS[2:9]): IDS[5:6]}
    scores = {key: dict(zip(IDS, row, strict=True)) for key, row in zip(expected, rows_of(expected), strict=True)}
    given = {key: {item: scores[key][item] for item in items} for key, items in expected.items()}
    origin = wrap(built(NAME).model.adapter, IDS, expected=given).origin
    assert origin.coverage == Coverage(2, 7, 2, 9, 6, 20)
    assert "verified on 3 histories of 2–7 items (2 lengths), 9 scores of 6 of 20 items, largest" in str(origin)
    assert "on 3 histories, largest" in str(replace(origin, coverage=None))


def rows_of(histories):
    recommender = built(NAME)
    return recommender.score(recommender.histories([list(history) for history in histories])).tolist()


def test_an_item_that_is_there_twice_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('[{"history": [1], "items": [4, 5, "4"], "scores": [1, 2, 3]}]')
    (tmp_path / "b.csv").write_text("history,item,score\n1 2,4,0.5\n2 1,4,0.5\n1 2,4,0.7\n")
    for name, says in (
        ("a.json", "entry 0 of .* has the item '4' twice"),
        ("b.csv", "the history '1 2' of .* item '4'"),
    ):
        with pytest.raises(InputError, match=says):
            read_expected(tmp_path / name)
    frame = table().set_axis([*IDS[:-1], IDS[0]], axis=1)
    with pytest.raises(InputError, match="has the item 'film 0' twice: give each item of a history one score"):
        wrap(built(NAME).model.adapter, IDS, expected=frame)


def test_after_one_history_a_constant_may_be_that_of_log_softmax():
    scores = np.random.default_rng(0).normal(size=30)
    says = explanation(scores, scores - 3, np.zeros(30, dtype=int), np.arange(30))
    assert says.startswith("they differ by a constant: if it is that of log_softmax, give the scores before it")
    assert "same constant everywhere" in explanation(scores, scores - 3, np.arange(30) % 2, np.arange(30))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("decimals", "says"), [(1, "rounded to 1 decimal:"), (2, "rounded to 2 decimals:")])
def test_rounded_scores_are_known_in_any_precision(kind, decimals, says):
    scores = np.random.default_rng(0).normal(size=40)
    rounded = np.round(scores, decimals).astype(kind).astype(np.float64)
    assert says in explanation(scores, rounded, np.zeros(40, dtype=int), np.arange(40))
