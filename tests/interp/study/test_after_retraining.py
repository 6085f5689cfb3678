"""Two studies compared, steers carried between them, and drift: where the truth is known."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
import pytest
import torch

import interp
from interp.control.receipts import steering_receipt
from interp.features.labels import UNLABELLED
from interp.features.matching import nearest
from interp.steering.edits import Push, Steer
from interp.steering.serialization import load_steer, save_steer
from interp.study.matches import match_studies
from interp.study.periods import _span, _time, histories_of_periods
from interp.study.record_config import config_of, data_of
from interp.study.shared_histories import shared_histories, shared_items, training_users
from interp.study.study import Study
from recmodels.datasets.tables import from_tables
from recmodels.errors import InputError
from recmodels.splits import paper_split

DRAWS = 99


class Renumbered(Study):
    """A study whose dictionary has its features in another order and other units: the truth of every match."""

    @cached_property
    def order(self):
        return np.random.default_rng(0).permutation(super().sae.n_features)

    @cached_property
    def scale(self):
        return np.random.default_rng(1).uniform(0.5, 2, len(self.order))

    @cached_property
    def sae(self):
        sae = super().sae
        dictionary = type(sae.dictionary)(*reversed(sae.dictionary.encoder.weight.shape))
        old, scale = sae.dictionary.state_dict(), torch.tensor(self.scale, dtype=torch.float32)
        dictionary.load_state_dict(
            {
                "bias": old["bias"],
                "encoder.weight": old["encoder.weight"][self.order] * scale[:, None],
                "encoder.bias": old["encoder.bias"][self.order] * scale,
                "decoder.weight": old["decoder.weight"][:, self.order] / scale,
            }
        )
        return replace(sae, dictionary=dictionary)

    def table(self, name):
        table = super().table(name)
        if "feature" not in table:
            return table
        place = np.argsort(self.order)
        table = table.assign(feature=place[table["feature"]])
        if name == "features":
            table = table.sort_values("feature", ignore_index=True)
            table[["p99", "std"]] *= self.scale[:, None]
        return table


@pytest.fixture(scope="module")
def renumbered(study):
    return Renumbered(study.folder, study.record)


@pytest.fixture(scope="module")
def found(study, renumbered):
    return match_studies(study, renumbered, draws=DRAWS)


@pytest.fixture(scope="module")
def comparison(study, renumbered):
    return interp.compare(study, renumbered, draws=DRAWS)


def test_the_same_features_in_another_order_are_all_found(renumbered, found):
    old = found.side("old")
    alive = old["density"] > 0
    assert alive.sum() > 20
    assert (old.loc[alive, "change"] == "kept").mean() > 0.9  # a feature of positions only is never above chance
    np.testing.assert_array_equal(old.loc[alive, "match"], np.argsort(renumbered.order)[alive])
    for name in ("score", "written", "held"):
        np.testing.assert_allclose(old.loc[alive, name], 1, atol=1e-4)


def test_a_carried_steer_does_the_same(study, renumbered, found):
    rec, feature = study.recommender, int(found.holding.index[0])
    for edits, how in ({feature: 1.5}, {"op": "set", "unit": "p99"}), ({feature: 0.5}, {"op": "scale"}):
        carried = interp.carry(edits, study, renumbered, matches=found, **how)
        histories = study.users()
        with rec.steer(rec.steer_of(edits, **how)):
            expected = rec.score(histories)
        with renumbered.recommender.steer(carried.steer):
            torch.testing.assert_close(renumbered.recommender.score(histories), expected, rtol=0, atol=1e-3)
        assert carried.steer.dictionary == renumbered.sae.fingerprint
        assert carried.new_receipt.to_dict()["users"] == carried.old_receipt.to_dict()["users"]
        assert f"feature {feature} → {carried.table['match'].item()}" in repr(carried)
    plan = rec.steer_of({feature: 0.5}, op="scale")
    expected = steering_receipt(rec, found.histories.both[0], plan, study.concepts, study.items["popularity"])
    assert carried.old_receipt.to_dict() == expected.to_dict()


def test_what_has_no_match_is_refused_by_name_and_score(study, renumbered, found):
    first, second, third = map(int, found.holding.index[:3])
    table = found.table.copy()
    table.loc[first, ["change", "score", "q", "chance", "label"]] = ["went", 0.21, 0.31, 0.18, UNLABELLED]
    broken = replace(found, table=table)
    message = (
        rf"feature {first} has no match: its best match, \d+, has correlation 0.21, and chance gives 0.18 \(q = 0.31\)"
    )
    with pytest.raises(InputError, match=message):
        interp.carry({first: 1.0, second: 1.0}, study, renumbered, matches=broken)
    with pytest.raises(InputError, match="has no match: "):
        interp.carry({first: 1.0}, study, renumbered, matches=broken, leave_out=True)  # nothing would be left
    carried = interp.carry({first: 1.0, second: 1.0}, study, renumbered, matches=broken, leave_out=True)
    assert carried.left_out == (first,)
    assert f"LEFT OUT, for want of a match: {first}" in repr(carried)
    assert len(carried.steer.edits) == 1
    table.loc[second, "written_percentile"] = 0.5
    with pytest.raises(InputError, match=r"writes alike: .* but 50% of the new features change scores more as it did"):
        interp.carry({second: 1.0}, study, renumbered, matches=broken)
    table.loc[[second, third], "written_percentile"] = 1.0
    table.loc[[second, third], ["match", "score"]] = [[5, 0.7], [5, 0.8]]
    with pytest.raises(InputError, match=f"no match of its own: .* 0.70, and feature {third} of this steer"):
        interp.carry({second: 1.0, third: 1.0}, study, renumbered, matches=broken)


def test_only_steers_of_the_old_dictionary_and_of_features_are_carried(study, renumbered, found):
    feature = int(found.holding.index[0])
    with pytest.raises(InputError, match="this steer is for the features of dictionary"):
        interp.carry(renumbered.recommender.steer_of({feature: 1.0}), study, renumbered, matches=found)
    push = Push(torch.ones(study.sae.dictionary.activation_dim), 1.0)
    with pytest.raises(InputError, match="pushes along a direction"):
        interp.carry(Steer((push,), study.site), study, renumbered, matches=found)
    with pytest.raises(InputError, match="these matches are of other studies"):
        interp.carry({feature: 1.0}, study, study, matches=found)


def test_histories_that_lost_their_items_match_nothing(study, renumbered, found):
    """The null itself: the new recommender reads another item at every step."""
    rng, histories = np.random.default_rng(0), found.histories
    lost = rng.permutation(len(study.items))
    old, new = histories.inputs
    vars(histories)["inputs"] = (old, replace(new, codes=lost[new.codes].astype(new.codes.dtype)))
    try:
        from interp.study import matches

        original, matches.shared_histories = matches.shared_histories, lambda *_: histories
        scrambled = match_studies(study, renumbered, draws=DRAWS)
    finally:
        matches.shared_histories = original
        vars(histories)["inputs"] = (old, new)
    assert len(scrambled.holding) <= 0.1 * len(found.holding)


def test_lists_concepts_and_summary(study, renumbered, comparison, tmp_path):
    measures = comparison.lists.measures.set_index("measure")
    assert measures.at["overlap", "after"] == 1
    assert measures.at["ndcg@10", "change"] == 0
    assert measures.at["ndcg@10", "before"] == pytest.approx(study.table("recommender")["ndcg@10"].iloc[0])
    concepts = comparison.concepts.set_index("concept")
    np.testing.assert_array_equal(np.argsort(renumbered.order)[concepts["feature_old"]], concepts["feature_new"])
    matched = concepts["match"] >= 0
    assert matched.any()
    assert (concepts["same"] == matched).all()
    text = repr(comparison)
    assert max(map(len, text.splitlines()[2:])) <= 80  # the first two name folders
    kept = (comparison.matches.side("old")["change"] == "kept").sum()
    assert f"  kept    {kept:>5}  each is the other's best" in text
    paths = comparison.save(tmp_path / "march-april")
    assert [path.stem for path in paths] == ["features", "concepts", "lists", "shares", "quality"]
    pd.testing.assert_frame_equal(pd.read_csv(paths[0])[["change", "match"]], comparison.features[["change", "match"]])


def test_nearest_features_by_hand():
    score = np.array([[0.9, 0.2, 0.4], [0.1, 0.3, 0.8]])
    table = nearest({"score": score, "held": -score}, (np.array([0.1, 0.5]), np.array([0.2, 0.3, 0.4])), top=2)
    old, new = (table[table["side"] == side] for side in ("old", "new"))
    assert old["match"].tolist() == [0, 2, 2, 1]
    assert old["chance"].tolist() == [0.2, 0.4, 0.5, 0.5]
    assert old["held"].tolist() == [-0.9, -0.4, -0.8, -0.3]
    assert new["match"].tolist() == [0, 1, 1, 0, 1, 0]
    assert new["rank"].tolist() == [1, 2] * 3


def test_the_nearest_of_all_are_the_matches(found):
    first = found.nearest[found.nearest["rank"] == 1]
    for name in ("side", "feature", "match", "score", "chance", "written", "held"):
        np.testing.assert_array_equal(first[name], found.table[name])


def test_histories_are_those_that_both_read_and_neither_saw(study, planted):
    both = shared_histories(study, study)
    assert both.both[0].fingerprint == study.users().fingerprint
    some = shared_histories(study, study, {"a": study.items.index[:3].tolist(), "b": study.items.index[:1].tolist()})
    assert some.both[0].users.tolist() == ["a"]  # one item is nothing to predict from
    assert not some.are_test_users
    assert both.seen_by == []
    given = Renumbered(study.folder, study.record)
    vars(given)["provenance"] = replace(study.provenance, seen="all")
    assert shared_histories(study, given).seen_by == ["new"]
    renamed = Renumbered(study.folder, study.record)
    vars(renamed)["items"] = study.items.assign(title="another film")
    with pytest.raises(InputError, match="only 0% of the item ids in both studies have the same title"):
        shared_histories(study, renamed)
    untitled = Renumbered(study.folder, study.record)
    vars(untitled)["items"] = study.items.assign(title=study.items.index.astype(str))
    for old, new in ((study, untitled), (untitled, study), (untitled, untitled), (untitled, renamed)):
        assert shared_items(old, new).tolist() == new.items.index.tolist()  # ids that serve as titles tell nothing


@pytest.fixture
def from_files(study, planted, tmp_path):
    """The same study as if it had been made from files, so that its data can be read anew."""
    planted.interactions.to_csv(tmp_path / "interactions.csv", index=False)
    items = planted.items.assign(concepts=planted.items["concepts"].map("|".join))
    items.rename_axis("item").reset_index().to_csv(tmp_path / "items.csv", index=False)
    columns = study.config["columns"] | {"attribute": "concepts"}
    files = {"data": str(tmp_path / "interactions.csv"), "items": str(tmp_path / "items.csv"), "columns": columns}
    record = dict(study.record) | {"config": dict(study.config) | files}
    config = config_of(Study(study.folder, record))
    data = from_tables(config.data, config.items, config.columns, config.dataset)
    record["fingerprints"] = dict(study.record["fingerprints"]) | {"data": data.fingerprint}
    return Study(study.folder, record)


def test_a_study_reads_its_data_anew(study, planted, from_files):
    config = config_of(from_files)
    assert config.sae == config_of(study).sae
    assert config.training.hidden_size == study.config["training"]["hidden_size"]
    split = paper_split(planted.interactions, config.split)
    parts = (split.recommender, split.validation, split.sae, split.sae_validation)
    assert training_users(from_files) == set(pd.concat(parts)["user"])
    other = Study(from_files.folder, dict(from_files.record) | {"fingerprints": {"recommender": "r", "data": "d"}})
    with pytest.raises(InputError, match="was made from other data than its configuration names"):
        data_of(other)
    for name in ("own", "books"):  # a bundle, or tables that were given in Python
        config = dict(from_files.record["config"]) | {"dataset": name, "data": None, "items": None}
        with pytest.raises(InputError, match=r"^the data of .* cannot be read again, as it names no file"):
            data_of(Study(from_files.folder, dict(from_files.record) | {"config": config}))


@pytest.mark.parametrize(("last", "unit"), [(2e9, 1), (1.6e12, 10**3), (1.6e15, 10**6), (1.6e18, 10**9)])
def test_a_date_has_its_place_among_times_in_any_unit(last, unit):
    assert _time("2020-01-01", last, 0.0) == 1_577_836_800 * unit
    assert _time("", last, 7.0) == 7.0
    assert _span(1_577_836_800.0 * unit, 1_577_923_200.0 * unit) == "2020-01-01..2020-01-02"


def test_periods_are_cut_from_the_data(from_files, planted):
    times = planted.interactions["time"]
    middle, end = (float(times.quantile(share)) for share in (0.6, 0.9))
    before, after = histories_of_periods(from_files, f"..{middle}", f"{middle}..{end}")
    split = paper_split(planted.interactions)
    users = set(split.test["user"]) | set(split.sae_validation["user"])
    expected = planted.interactions[
        planted.interactions["user"].isin(users) & planted.interactions["item"].isin(from_files.items.index)
    ]
    assert len(before) == (expected["time"] < middle).sum()
    assert len(after) == ((expected["time"] >= middle) & (expected["time"] < end)).sum()
    assert set(after["user"]) <= users
    for text, message in (
        ("1998", "cannot read the period '1998': write it as FROM..TO"),
        ("5..1", "ends before it begins"),
        ("1998-01-01..", "is a date, and the times of these data are numbers up to"),
        (f"{times.max() + 1}..", "nobody has an interaction in"),
    ):
        with pytest.raises(InputError, match=message):
            histories_of_periods(from_files, text, "1..")


def test_drift_counts_steps_of_a_trace(study):
    users = study.users()
    half = len(users) // 2
    early, late = users.select(np.arange(half)), users.select(np.arange(half, len(users)))
    drift = study.drift(early, late)
    rec = study.recommender
    few = users.select(slice(0, 6)).last(20)
    with rec.trace(few):
        features = rec.site(study.site).features.save()
    expected = (features[rec.item_steps(few)] > 0).double().mean(dim=0).numpy()
    alike = study.drift(few, few).table.sort_values("feature")
    np.testing.assert_allclose(alike["before"], expected, atol=1e-12)
    assert (alike["change"] == 0).all()
    assert (alike["p"] == 1).all()
    assert drift.users == (half, len(users) - half)
    assert max(map(len, repr(drift).splitlines())) <= 80
    assert "fewer than 10 users in a period: intervals are too narrow" in repr(study.drift(few, late))
    for n, says in ((1, "1 user"), (5, "5 users")):
        with pytest.raises(InputError, match=f"the period after has {says}, and of fewer than 6 nothing"):
            study.drift(early, late.select(slice(0, n)))


def test_two_layers_of_one_study_as_a_page(study, arguments, tmp_path, capsys):
    arguments("compare", study.folder, "--dictionaries", study.site, "blocks.1.mlp", "--to", tmp_path / "layers")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"old  {study.title}: ")
    assert lines[1].startswith(f"new  {study.title}, blocks.1.mlp/")
    assert [line.rsplit("/", 1)[-1] for line in lines[-2:]] == ["quality.csv", "comparison.html"]
    page = (tmp_path / "layers" / "comparison.html").read_text()
    assert f"<title>Two layers of {study.title}: {study.site} and blocks.1.mlp</title>" in page
    with pytest.raises(SystemExit):
        arguments("compare", study.folder, "--page", tmp_path / "page.txt")
    assert "give a name that ends in .html" in capsys.readouterr().err


def test_the_commands(study, found, arguments, tmp_path, capsys):
    feature = int(found.holding.index[0])
    save_steer(study.recommender.steer_of({feature: 1.0}), tmp_path / "old.json")
    arguments("carry", tmp_path / "old.json", study.folder, study.folder, "--save", tmp_path / "new.json")
    assert f"feature {feature} → {feature}" in capsys.readouterr().out
    assert load_steer(tmp_path / "new.json") == load_steer(tmp_path / "old.json")
    with pytest.raises(SystemExit):
        arguments("drift", study.folder, "--periods", "..5", "5..")
    assert capsys.readouterr().err.startswith("interp: ")
