import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_recommenders import HISTORIES, IDS, every_steer, tiny_envoy

import interp.serving
from interp.steering.edits import Steer
from recmodels.errors import InputError


def lists_of(frame):
    """A table of recommendations as the service gives it."""
    return {
        user: [(row.item, pytest.approx(row.score, rel=1e-5, abs=1e-5)) for row in rows.itertuples()]
        for user, rows in frame.groupby("user", sort=False)
    }


def check(exported, service, names, histories=HISTORIES):
    """Scores and lists under steers, one inside the other, are those of the trace."""
    rec, steers, _ = exported
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(rec.steer(steers[name]))
        expected, lists = rec.score(rec.recommender.histories(histories)), rec.recommend(histories, 5)
    torch.testing.assert_close(service.score(histories, names), expected, rtol=1e-5, atol=1e-5)
    assert service.recommend(histories, 5, names) == lists_of(lists)
    return expected


def test_every_steer_equals_the_trace(exported, service):
    bare = check(exported, service, [])
    for name in exported[1]:
        assert not torch.equal(check(exported, service, [name]), bare), name


@pytest.mark.parametrize("names", [["set", "reconstruct"], ["reconstruct", "set"], ["later", "clamp", "push"]])
def test_several_steers_apply_one_after_another(exported, service, names):
    check(exported, service, names)


@pytest.mark.parametrize("history", [IDS[:1], IDS[:8], IDS[:9], IDS[:36]])
def test_short_and_long_histories(exported, service, history):
    check(exported, service, ["mixed"], {"ann": history})


def test_each_user_has_steers_of_their_own(exported, service):
    rec, steers, _ = exported
    own = {"ann": ["set", "later"], "bob": "push", "cyd": ["by_user", steers["floor"]], 7: []}
    scores = service.score(HISTORIES, own)
    for row, (user, history) in enumerate(HISTORIES.items()):
        names = own.get(user, [])
        alone = service.score({user: history}, [names] if isinstance(names, str) else names)
        torch.testing.assert_close(scores[row], alone[0], rtol=1e-5, atol=1e-5)
    with rec.steer(steers["set"]), rec.steer(steers["later"]):
        expected = rec.score(rec.recommender.histories(HISTORIES))[0]
    torch.testing.assert_close(scores[0], expected, rtol=1e-5, atol=1e-5)


def test_nothing_changes_no_bit(exported, service):
    """A steer of nothing, and one that has no value for these users."""
    rec, _, _ = exported
    bare = service.score(HISTORIES)
    assert torch.equal(service.score(HISTORIES, [Steer((), "blocks.0")]), bare)
    assert torch.equal(service.score(HISTORIES, [rec.steer_of({3: {"nobody": 2.0}}, site="final")]), bare)
    scores = service.score(HISTORIES, ["by_user"])
    known = [user in ("ann", "cyd", 7) for user in HISTORIES]
    assert [not torch.equal(*pair) for pair in zip(scores, bare, strict=True)] == known


def test_many_users_are_scored_in_parts(service):
    many = {number: IDS[number % 30 : number % 30 + 4] for number in range(300)}
    lists = service.recommend(many, 3, ["add"])
    assert lists[7] == [
        (item, pytest.approx(score, rel=1e-5)) for item, score in service.recommend({7: many[7]}, 3, ["add"])[7]
    ]
    assert len(lists) == 300


def test_unknown_items_are_refused_or_left_out(service):
    with pytest.raises(InputError, match=r"history of user 'ann' has an item that is unknown .* such as 'Solaris'"):
        service.recommend({"ann": [IDS[0], "Solaris"]})
    lists = service.recommend({"ann": [IDS[0], "Solaris", None, True]}, skip_unknown=True)
    assert lists == service.recommend({"ann": [IDS[0]]})
    with pytest.raises(InputError, match="has no item that this recommender knows"):
        service.recommend({"ann": ["Solaris"]}, skip_unknown=True)
    assert service.recommend({"ann": np.array([f" {IDS[0]} "])}) == lists  # as the data set's reader takes it


@pytest.mark.parametrize(
    ("histories", "steers", "message"),
    [
        ({}, [], "no histories given"),
        ("film 1", [], "cannot read histories"),
        (["film 1"], [], "history of user 0 is 'film 1': give a list"),
        ({"ann": []}, [], "no item that this recommender knows"),
        ({"ann": IDS[:2]}, ["no such"], "there is no steer 'no such'"),
        ({"ann": IDS[:2]}, {"bob": ["set"]}, "steers for user 'bob', who has no history"),
        ({"ann": IDS[:2]}, 3, "cannot read steers from 3"),
        ([IDS[:2]], ["by_user"], "name no users"),
        (
            {"ann": IDS[:2]},
            [Steer((), "blocks.0", "all", dictionary="another")],
            "features of dictionary another",
        ),
        ({"ann": IDS[:2]}, [Steer((), "blocks.1", "all")], "for site 'blocks.1'"),
    ],
)
def test_mistakes_are_refused_in_one_line(service, histories, steers, message):
    with pytest.raises(InputError, match=message):
        service.recommend(histories, steers=steers)


def test_histories_without_users_are_numbered(service):
    lists = service.recommend([IDS[:3], IDS[5:6]], 4)
    named = service.recommend({"ann": IDS[:3], "bob": IDS[5:6]}, 4)
    assert lists == {0: named["ann"], 1: named["bob"]}


def test_lists_leave_out_what_was_seen_unless_they_may_repeat(service):
    assert len(service.recommend({"ann": IDS[:38]}, 10)["ann"]) == 2
    service.keep_seen = True
    try:
        assert len(service.recommend({"ann": IDS[:38]}, 50)["ann"]) == 40
    finally:
        service.keep_seen = False


def test_threads_do_not_see_each_others_steers(service):
    names = ["set", "add", "later", "push"] * 5
    expected = {name: service.score(HISTORIES, [name]) for name in set(names)}
    with ThreadPoolExecutor(4) as pool:
        for name, scores in zip(names, pool.map(lambda name: service.score(HISTORIES, [name]), names), strict=True):
            assert torch.equal(scores, expected[name])


def test_the_state_of_torch_does_not_matter(service):
    expected = service.recommend(HISTORIES, 3, ["mixed"])
    torch.set_default_dtype(torch.float64)
    try:
        with torch.autocast("cpu"), torch.inference_mode():
            assert service.recommend(HISTORIES, 3, ["mixed"]) == expected
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_steer_that_was_found_later(exported, service):
    rec, _, _ = exported
    late = rec.steer_of({11: 4.0}, site="final")
    service.add("late", late)
    assert torch.equal(service.score(HISTORIES, ["late"]), service.score(HISTORIES, [late]))
    with pytest.raises(InputError, match="no feature 99"):
        service.add("broken", Steer((late.edits[0].__class__(99, 1.0),), "final"))


def test_an_altered_folder_is_refused(exported, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(exported[2], copy)
    path = copy / "steers" / "set.json"
    path.write_text(path.read_text().replace("2.0", "3.0"))
    with pytest.raises(InputError, match="cut short or altered"):
        interp.serving.load(copy)


def test_steers_have_every_form():
    """The table of steers above is whole: each op, at and reconstruct occurs."""
    steers = every_steer(tiny_envoy("gptrec")).values()
    edits = [edit for steer in steers for edit in steer.edits]
    assert {edit.op for edit in edits if hasattr(edit, "op")} == {"set", "add", "scale", "floor", "cap"}
    assert {"last", "all"} < {edit.at for edit in edits}
    assert {steer.reconstruct for steer in steers} == {"none", "last", "all"}


HEAVY = ("pandas", "transformers", "nnsight", "dictionary_learning", "sklearn", "scipy", "psutil", "pyarrow", "tyro")
ALONE = f"""
import sys, torch, safetensors.torch
for name in {HEAVY}:
    sys.modules[name] = None  # an import of it fails
before = {{name.split(".")[0] for name in sys.modules}}
import interp.serving
interp.serving.load
print(sorted({{name.split(".")[0] for name in sys.modules}} - before - set(sys.stdlib_module_names)))
service = interp.serving.load(sys.argv[1])
print([place.item for place in service.recommend({{"ann": {IDS[:3]}}}, 3, ["clamp"])["ann"]])
"""


@pytest.mark.parametrize("exported", ["gptrec"], indirect=True)
def test_it_needs_torch_and_safetensors_alone(exported):
    """A process that cannot import the packages that made the folder opens and uses it."""
    rec, steers, folder = exported
    with rec.steer(steers["clamp"]):
        expected = rec.recommend({"ann": IDS[:3]}, 3)["item"].tolist()
    command = [sys.executable, "-W", "ignore", "-c", ALONE, folder]
    root = str(Path(__file__).parents[3])
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": root}
    ).stdout
    assert result.splitlines() == ["['interp', 'recmodels']", str(expected)]
