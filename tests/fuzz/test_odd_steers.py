"""Steers: odd ones are refused in one line, and those that are accepted do what their arithmetic says."""

import json
from collections.abc import Hashable

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs
from mutations import damaged, odd_json
from odd import JSON_LEAVES, KEYS, NUMBERS, TEXTS, VALUES, of_libraries

from interp.steering.edits import Edit, Push, Steer
from interp.steering.parsing import read_edits, steer_of
from interp.steering.serialization import from_json, load_steer, to_json

STEERS = "steers"
HISTORIES = [[3, 5, 7], [1, 2], [40]]
FEATURES = st.integers(0, 15)
SOUND = st.sampled_from([0.0, 1.0, -2.0, 0.5, 3.0])
BY_USER = st.dictionaries(st.integers(0, 4), st.sampled_from([0.0, 1.0, 3.0]), min_size=1, max_size=2)
OPS = st.sampled_from(["set", "add", "scale", "floor", "cap", "clamp", "ablate"])
EDITS = st.one_of(
    VALUES,
    st.dictionaries(FEATURES | KEYS, SOUND | VALUES, max_size=3),
    st.lists(FEATURES | VALUES, max_size=3),
    st.dictionaries(FEATURES, st.dictionaries(KEYS | st.integers(0, 2), SOUND | VALUES, max_size=2), max_size=2),
    st.dictionaries(FEATURES, st.tuples(SOUND | VALUES, SOUND | VALUES), max_size=2),
    st.builds(lambda f, v: pd.Series([v], index=pd.Index([f], dtype=object), dtype=object), FEATURES | KEYS, SOUND),
    st.builds(lambda f, v: [Edit(f, v)], FEATURES | VALUES, SOUND | VALUES),
    st.builds(lambda d, f: [Push(d, f)], st.just(torch.ones(8)) | VALUES, SOUND | VALUES),
    st.builds(lambda f, v: Steer((Edit(f, v),), "blocks.0"), FEATURES | VALUES, SOUND | VALUES),
)
WORDS = {
    "op": OPS,
    "at": st.sampled_from(["last", "all", -1, (-1, -2), [-1], np.int64(-1)]),
    "unit": st.sampled_from(["activation", "std", "p99"]),
    "weight": st.sampled_from([0, 0.5, 1]),
    "reconstruct": st.sampled_from(["none", "all", "last"]),
    "site": st.sampled_from([None, "blocks.0"]),
}


@st.composite
def hows(draw):
    """Some of the words of a steer, one of them odd at times."""
    names = draw(st.lists(st.sampled_from(sorted(WORDS)), max_size=3, unique=True))
    return {name: draw(VALUES if draw(st.integers(0, 4)) == 0 else WORDS[name]) for name in names}


def test_odd_edits(tiny_rec):
    def steered(edits, how):
        steer = tiny_rec.steer_of(edits, **how)
        assert from_json(to_json(steer)) is not None
        repr(steer)
        return steer

    @inputs(0.08)
    @given(EDITS, hows())
    def run(edits, how):
        attempt(STEERS, lambda: steered(edits, how), (edits, how))

    run()


def scores(rec):
    return rec.score(rec.recommender.histories(HISTORIES))


def test_what_is_accepted_is_carried_out(tiny_rec):
    """The scores move if the arithmetic of the edit moves a feature, and stay to the bit if it does not."""
    bare = scores(tiny_rec)
    with tiny_rec.trace(HISTORIES):
        before = tiny_rec.blocks[0].features[:, -1].save()

    def steered(edits, how):
        with tiny_rec.steer(edits, **how):
            after = scores(tiny_rec)
        steer = tiny_rec.steer_of(edits, **how)
        with tiny_rec.steer(from_json(to_json(steer))):
            if not torch.equal(scores(tiny_rec), after):
                raise Silent("the steer that came back from JSON does something else")
        moved = moves(steer, before)
        if moved == 0 and not torch.equal(after, bare):
            raise Silent("a steer of nothing changes scores")
        if moved > 1e-2 and torch.equal(after, bare):
            raise Silent(f"features move by {moved:g}, and no score does")
        if not after.isfinite().all():
            raise Silent("scores are not finite")

    def moves(steer, features):
        """How far a steer of the last step turns the largest feature; NaN if this cannot be said so simply."""
        if steer.reconstruct != "none" or any(isinstance(edit, Push) or edit.at != "last" for edit in steer.edits):
            return float("nan")
        after = features[:, None].clone()
        for edit in steer.edits:
            edit.apply(after, pd.RangeIndex(len(HISTORIES)))
        return float((after[:, 0] - features).abs().max()) if steer.edits else 0.0

    @inputs(0.02)
    @given(
        st.dictionaries(
            FEATURES, SOUND | st.dictionaries(st.integers(0, 4), SOUND, min_size=1, max_size=2), max_size=2
        ),
        hows(),
    )
    def run(edits, how):
        attempt(STEERS, lambda: steered(edits, how), (edits, how))

    run()


def test_a_number_is_the_same_from_every_library(tiny_rec):
    @inputs(0.03)
    @given(st.sampled_from(NUMBERS), st.integers(0, 20), OPS, FEATURES)
    def run(number, place, op, feature):
        forms = of_libraries(number)
        form, features = forms[place % len(forms)], [one for one in of_libraries(feature) if isinstance(one, Hashable)]
        one, other = ({feature: number}, {features[place % len(features)]: form})
        if op == "clamp":
            one, other = ({key: (value, value) for key, value in edits.items()} for edits in (one, other))
        if op == "ablate":
            one, other = list(one), list(other)

        def read():
            second = tiny_rec.steer_of(other, op=op)  # first, as the plain one may be refused
            if tiny_rec.steer_of(one, op=op) != second:
                raise Silent(f"{form!r} is another steer than {number!r}")

        attempt(STEERS, read, f"{op} {other!r}")

    run()


STEER = Steer(
    (
        Edit(3, 2.5, "add", "all", 0.5, "Horror"),
        Edit(5, {"ann": 1.0, 7: -2.0}, at=(-1, -2)),
        Push(torch.tensor([0.5] * 8), 2.0),
    ),
    "blocks.0",
)
TEXT = to_json(STEER)


def test_damaged_json(tiny_rec, tmp_path):
    path = tmp_path / "steer.json"

    @inputs(0.05)
    @given(
        odd_json(json.loads(TEXT), JSON_LEAVES).map(_dumped) | damaged(TEXT.encode()).map(lambda b: b.decode("latin-1"))
    )
    def run(text):
        attempt(STEERS, lambda: tiny_rec.steer_of(from_json(text)), text)

    @inputs(0.01)
    @given(damaged(TEXT.encode()))
    def run_files(content):
        path.write_bytes(content)
        attempt(STEERS, lambda: tiny_rec.steer_of(load_steer(path)), content)

    run()
    run_files()


def _decoded(content):
    return content.decode("latin-1")


def _dumped(value):
    return json.dumps(value, ensure_ascii=False)


PARTS = st.sampled_from(
    ["412", "3", "Horror", "=", ":", "1", "-0.5", "1e999", "nan", " ", "０", "٣", "+3", "--op", *TEXTS]
)
WRITTEN = st.lists(PARTS | st.text(max_size=4), max_size=5).map("".join) | st.text(max_size=12)


def test_edits_from_the_shell(tiny_rec):
    @inputs(0.04)
    @given(st.lists(WRITTEN, max_size=3), OPS)
    def run(texts, op):
        def read():
            edits = read_edits(texts, op)
            tiny_rec.steer_of(edits, op=op, unit="activation" if op in ("scale", "ablate") else "p99")

        attempt(STEERS, read, f"--op {op} {texts}")

    run()


def test_without_a_recommender():
    @inputs(0.01)
    @given(EDITS, VALUES, hows())
    def run(edits, site, how):
        how.pop("site", None)
        attempt(STEERS, lambda: steer_of(edits, site, **how), (edits, site, how))

    run()


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
def test_nothing_is_uncaught():
    check(STEERS)
