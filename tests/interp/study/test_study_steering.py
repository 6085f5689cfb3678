"""Steering a finished study: by name, with receipts, from the command line, without its data."""

import numpy as np
import pytest
import torch

from interp.control.dose_search import Goal, Search
from interp.control.doses import find_dose
from interp.control.profiles import profile
from interp.control.receipts import steering_receipt
from interp.steering.edits import Edit, Steer
from interp.steering.parsing import read_edits
from interp.steering.serialization import load_steer, save_steer
from recmodels.errors import InputError
from recmodels.sequences import histories_of
from recmodels.splits import paper_split


def test_users_are_those_of_the_split(study, planted):
    split = paper_split(planted.interactions)
    for part in ("test", "sae_validation"):
        expected = histories_of(getattr(split, part), study.recommender.recommender.vocabulary)
        assert study.users(part).fingerprint == expected.fingerprint
    with pytest.raises(InputError, match="no part 'train': choose one of sae_validation, test"):
        study.users("train")


def test_concepts_are_those_of_the_items(study, planted):
    for item, names in planted.items["concepts"].items():
        if item in study.items.index:
            has = study.concepts.labels([item])[0]
            assert {name for name, one in zip(study.concepts.names, has, strict=True) if one} == set(names)


def test_a_receipt_of_a_concept_by_name(study):
    name = study.table("concepts")["concept"].iloc[0]
    found = study.receipt({name: 1.0}, unit="p99")
    steer = study.recommender.steer_of({name: 1.0}, unit="p99")
    p99 = study.features.table["p99"]
    assert [edit.value for edit in steer.edits] == pytest.approx([p99[edit.feature] for edit in steer.edits])
    expected = steering_receipt(
        study.recommender, study.users(), steer, study.concepts, study.items["popularity"], targets=[name]
    )
    assert found.to_dict() == expected.to_dict()
    row = found.shares.set_index("concept").loc[name]
    assert row["target"]
    assert row["change_low"] > 0


def test_a_profile_is_the_mean_of_its_users_and_blends(study):
    rec, users = study.recommender, study.users().select(np.arange(5))
    with rec.trace(users):
        features = rec.site(study.site).features.save()
    own = profile(rec, users)
    torch.testing.assert_close(torch.tensor(own.to_numpy()), features[:, -1].mean(dim=0), rtol=0, atol=1e-5)
    one = users.select(np.array([0]))
    with rec.trace(one):
        rec.site(study.site).features[:, -1] = 0.5 * features[:1, -1] + 0.5 * torch.tensor(own.to_numpy())
        expected = rec.scores.save()
    with rec.steer(own, weight=0.5):
        torch.testing.assert_close(rec.score(one), expected, rtol=0, atol=1e-4)
    with rec.steer(own, weight=0):
        torch.testing.assert_close(rec.score(one), study.recommender.recommender.score(one), rtol=0, atol=1e-4)


def test_the_command_prints_the_receipt_and_keeps_the_steer(study, arguments, tmp_path, capsys):
    name = study.table("concepts")["concept"].iloc[0]
    arguments("steer", study.folder, f"{name}=1.5", "--save", tmp_path / "steer.json")
    printed = capsys.readouterr().out
    kept = load_steer(tmp_path / "steer.json")
    assert kept == study.recommender.steer_of({name: 1.5}, unit="p99")
    assert repr(study.receipt(kept)) in printed
    arguments("steer", study.folder, tmp_path / "steer.json")
    assert repr(study.receipt(kept)) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("texts", "op", "expected"),
    [
        (["Sci-Fi=1.5", "412=-2"], "set", {"Sci-Fi": 1.5, 412: -2.0}),
        (["a=b=1e-1"], "add", {"a=b": 0.1}),
        (["7=0:2.5"], "clamp", {7: (0.0, 2.5)}),
        (["7", "War"], "ablate", [7, "War"]),
        (["--1=1", "²=2", "-3=0"], "set", {"--1": 1.0, "²": 2.0, -3: 0.0}),
    ],
)
def test_edits_on_a_command_line(texts, op, expected):
    assert read_edits(texts, op) == expected


@pytest.mark.parametrize(
    ("texts", "op", "says"),
    [
        (["Sci-Fi"], "set", "cannot read the edit 'Sci-Fi': write it as FEATURE=VALUE"),
        (["7=high"], "set", "cannot read the edit '7=high'"),
        (["7=1:2"], "set", "cannot read the edit '7=1:2'"),
        (["7=1"], "clamp", "write it as FEATURE=FLOOR:CAP"),
        (["7=1", "7=2"], "set", "7 is steered twice"),
        (["=1"], "set", "cannot read the edit '=1': write it as FEATURE=VALUE"),
        ([], "set", "nothing to do"),
    ],
)
def test_mistakes_on_a_command_line(texts, op, says):
    with pytest.raises(InputError, match=says):
        read_edits(texts, op)


def test_doses_of_a_study(study, arguments, tmp_path, capsys):
    name = study.table("concepts")["concept"].iloc[0]
    dose = study.dose(name, 0.5)
    features = study.recommender.meanings[study.site].features(name)[:3]
    popularity, units = study.items["popularity"], study.features.table["p99"]
    search = Search(study.recommender, study.concepts, popularity, Goal(name, 0.5), features, units)
    expected = find_dose(search, study.users("sae_validation"), study.users())
    assert repr(dose) == repr(expected)
    assert dose.steer.concepts == [name]
    arguments("dose", study.folder, f"concept:{name}", 0.5, "--save", tmp_path / "dose.json")
    assert repr(dose) in capsys.readouterr().out
    assert load_steer(tmp_path / "dose.json") == dose.steer
    each = study.user_doses(name, 0.5)
    assert each.users["user"].tolist() == study.users().users.tolist()
    arguments("dose", study.folder, name, 0.5, "--each", "--save", tmp_path / "each.json")
    assert repr(each) in capsys.readouterr().out
    assert load_steer(tmp_path / "each.json") == each.steer


def test_a_study_calibrates(study, arguments, tmp_path, capsys):
    calibration = study.calibrate(by=0.1)
    assert calibration.users["user"].tolist() == study.users().users.tolist()
    assert calibration.amounts.columns.tolist() == study.concepts.names
    assert calibration.users["after"].mean() < calibration.users["before"].mean()
    arguments("calibrate", study.folder, "--by", 0.1, "--save", tmp_path / "mix.json")
    assert repr(calibration) in capsys.readouterr().out
    assert load_steer(tmp_path / "mix.json") == calibration.steer


def test_doses_that_cannot_be(study):
    with pytest.raises(InputError, match=r"share is 1\.5: give a share of the list"):
        study.dose("concept-02", 1.5)
    with pytest.raises(InputError, match="no concept 'Jazz': choose one of"):
        study.dose("Jazz", 0.5)
    with pytest.raises(InputError, match="is a feature: a dose is found for a concept"):
        study.dose("feature:3", 0.5)


def test_the_profile_of_a_concept_turns_lists_towards_it(study):
    name = study.table("concepts")["concept"].iloc[0]
    found = study.receipt(2 * study.profile(name), op="add").shares.set_index("concept")
    assert found.at[name, "change_low"] > 0
    assert found["change"].idxmax() == name
    with pytest.raises(InputError, match="no concept 'Jazz'"):
        study.profile("Jazz")


def test_too_large_values_are_refused_and_never_touch_other_lists(study):
    rec = study.recommender
    for value in (1e10, 1e39, 10**400):
        with pytest.raises(InputError, match=r"give a number between ±1e\+09"):
            study.receipt({3: value})
    steer = rec.steer_of([Edit(3, 1e9, "scale"), Edit(3, 1e9, "scale"), Edit(3, 1e9, "scale")])
    twice = Steer((Edit(3, 1e9), *steer.edits), study.site)
    with pytest.raises(InputError, match="the scores are not finite: steer by smaller values"):
        study.receipt(twice)
    with rec.steer(twice), pytest.raises(InputError, match="steer by smaller values"):
        rec.recommend([study.items.index[:3].tolist()])


def test_a_receipt_of_nobody_or_of_no_list(study):
    with pytest.raises(InputError, match="has a value in this steer: name users as the histories do"):
        study.receipt({3: {"nobody": 1.0}})
    with pytest.raises(InputError, match=r"k is 100000: give a whole number from 1 to"):
        study.receipt({3: 1.0}, k=100_000)


def test_a_file_says_it_all(study, arguments, tmp_path, capsys):
    save_steer(study.recommender.steer_of({3: 1.0}), tmp_path / "steer.json")
    with pytest.raises(SystemExit):
        arguments("steer", study.folder, tmp_path / "steer.json", "--op", "add")
    assert "already says its op, unit, at and reconstruct: give it alone" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        arguments("steer", study.folder, "3=0.5", "--op", "scale", "--unit", "std")
    assert 'scale has no unit: leave out unit="std"' in capsys.readouterr().err


def test_a_second_value_is_no_part_of_a_name():
    with pytest.raises(InputError, match="cannot read the edit 'War=1=2', which has two values: write it as FEATURE="):
        read_edits(["War=1=2"], "set", ["War"])
    assert read_edits(["War=1=2"], "set", ["War=1"]) == {"War=1": 2.0}


def test_a_receipt_of_no_feature_or_an_unknown_option_is_refused(study):
    with pytest.raises(InputError, match="no feature is named, so nothing would change: name one"):
        study.receipt({})
    steer = study.recommender.steer_of({3: 1.0})
    for edits in ({3: 1.0}, steer):
        with pytest.raises(InputError, match="a steer has no option units: choose among op, at, unit"):
            study.receipt(edits, units="p99")
    with pytest.raises(InputError, match="3 is not the name of a concept: a dose is found for one"):
        study.dose(3, 0.5)
    assert study.features[3.0].index == 3


def test_goals_and_items_of_another_kind_are_refused(study):
    for wrong in (1, None, ("concept-00",)):
        with pytest.raises(InputError, match="is not the name of a concept: write goals as"):
            study.dose({wrong: 0.2})
    for items in (200, "200"):
        with pytest.raises(InputError, match="give a list of item ids"):
            study.least_collateral(items=items)


def test_a_set_of_items_is_steered_without_being_a_concept(study):
    steer = study.least_collateral(items=study.items.index[:3].tolist())
    assert len(steer.weights) <= 20
    receipt = study.receipt(steer.steer(1.0))
    assert not receipt.shares["target"].any()


@pytest.mark.parametrize(
    "command",
    [
        ("steer", "OLD", "3=1"),
        ("dose", "OLD", "Horror", 0.3),
        ("calibrate", "OLD"),
        ("carry", "horror.json", "OLD", "NEW"),
    ],
)
def test_a_steer_that_could_not_be_kept_is_refused_before_the_work(command, arguments, capsys):
    with pytest.raises(SystemExit):
        arguments(*command, "--save", "steer.txt")
    assert "cannot write steer.txt: give a name that ends in .json" in " ".join(capsys.readouterr().err.split())
