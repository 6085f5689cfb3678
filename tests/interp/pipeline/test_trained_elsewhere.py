"""A study of a recommender that another program trained: nothing of it is trained, and what is not known is said."""

import json
import re
import shutil
from dataclasses import replace

import foreign_model
import numpy as np
import pytest
import torch

import interp
from interp.concepts.study_data import study_data
from interp.config import StudyConfig
from interp.pages.dashboard import page_data
from interp.pages.export import export
from interp.pages.report import report_data
from interp.pages.summary import summary
from interp.pages.verdicts import verdicts
from interp.pipeline.run import run
from interp.pipeline.trained_elsewhere import configured, with_its_sites
from interp.store.registry import analyses
from interp.study.equalizer_backend import EqualizerBackend
from recmodels.adapters.registry import ADAPTERS
from recmodels.errors import InputError
from recmodels.recommender import Recommender

FEW = ("cases", "case_histories")  # empty where the search finds nothing
CHECKED = "Scores verified on 5 histories of "


@pytest.fixture(scope="module")
def recommender(foreign):
    """The foreign model, read without expected scores."""
    return configured(StudyConfig(recommender=foreign.folder / "model.pth", adapter="foreign"))


@pytest.fixture(scope="module")
def config(foreign_study):
    """The configuration of that study for Python, whose data come as an object."""
    settings = foreign_study.config
    sae = interp.SAEConfig(**{name: value for name, value in settings["sae"].items() if name != "settings"})
    return StudyConfig(
        sae=sae,
        values=(-4.0, 4.0),
        max_l0=16.0,
        grid=interp.GridConfig(),
        other_attributes=("title:1",),
    )


@pytest.fixture(scope="module")
def unverified(foreign, foreign_study, recommender, config, tmp_path_factory):
    """The same study made from Python in a copy of its folder, without expected scores."""
    folder = tmp_path_factory.mktemp("unverified") / "study"
    shutil.copytree(foreign_study.folder, folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("manifest.json")}
    data = interp.from_tables(
        foreign.folder / "interactions.csv", foreign.folder / "items.csv", interp.Columns(attribute="concepts")
    )
    study = run(replace(config, out=folder), data, recommender=recommender, seen_users=foreign.histories.index[:110])
    return study, [path for path, time in times.items() if path.stat().st_mtime_ns != time]


def texts(study):
    """What each page says of a study, by page."""
    return {
        "summary": summary(study),
        "repr": repr(study),
        "jupyter": study._repr_html_(),
        "dashboard": json.dumps(page_data(study)["about"], ensure_ascii=False),
        "report": json.dumps({**report_data(study), "sections": []}, ensure_ascii=False),
        "equalizer": json.dumps(EqualizerBackend(study).about, ensure_ascii=False),
    }


@pytest.fixture(scope="module")
def said(foreign_study):
    return texts(foreign_study)


def test_every_analysis_has_its_tables(foreign_study):
    for analysis in analyses():
        for table in analysis.tables:
            assert len(foreign_study.table(table.name)) or table.name in FEW, table.name
    sources = foreign_study.table("evidence")["source"].unique()
    assert "shuffled recommender" in sources
    assert "untrained recommender" not in sources


def test_its_lists_are_those_of_the_program_itself(foreign, foreign_study):
    checkpoint = torch.load(foreign.folder / "model.pth")
    histories = [[item for item in row if item in foreign.items] for row in foreign.histories.iloc[120:130]]
    lists = foreign_study.recommender.rank(histories, 5)
    for history, row, own in zip(histories, lists, foreign_model.expected_scores(checkpoint, histories), strict=True):
        scores = np.array(own["scores"])
        scores[[foreign.items.index(item) for item in history]] = -np.inf
        assert row.tolist() == np.argsort(-scores, kind="stable")[:5].tolist()


def test_test_users_are_those_it_has_not_seen(foreign, foreign_study):
    users = foreign_study.users().users
    seen = set(map(int, (foreign.folder / "seen.txt").read_text().split()))
    assert len(users) == 15
    assert not seen & set(users)
    starts = foreign.data.interactions.groupby("user")["time"].min().drop(seen).sort_values(kind="stable")
    assert set(users) == set(starts.index[-15:])


def test_popularity_counts_what_serves_the_dictionary_but_each_users_last(foreign, foreign_study):
    rows = foreign.data.interactions.sort_values("time", kind="stable")
    rows = rows[rows["item"].isin(foreign.items) & ~rows["user"].isin(foreign_study.users().users)]
    rows = rows[rows.duplicated("user", keep="last")]
    popularity = foreign_study.items["popularity"]
    assert popularity.index.tolist() == foreign.items
    assert popularity.tolist() == [int((rows["item"] == item).sum()) for item in foreign.items]


def test_the_record_has_nothing_that_played_no_part(foreign_study, said):
    record = json.loads((foreign_study.folder / "config.json").read_text())
    assert "training" not in record["config"]
    assert "recommender_share" not in record["config"]["split"]
    assert foreign_study.title == "Foreign SASRec on own"
    assert foreign_study.model == "foreign"
    for text in said.values():
        assert "GPTRec" not in text
    assert json.loads(said["dashboard"])["max_history"] == foreign_model.LENGTH


def test_all_pages_say_that_its_scores_were_verified(said):
    for page, text in said.items():
        flat = " ".join(text.split())
        assert CHECKED in flat, page
        assert "none of them is a test user" in flat, page
        assert re.search(r"\d+ of 1,\d+ interactions \(\d+\.\d%\) are left out", flat), page
        assert "nverified" not in flat, page
    assert "users it never saw" in " ".join(said["summary"].split())


def test_all_pages_say_that_its_scores_are_unverified(unverified, tmp_path):
    study, _ = unverified
    assert study.title == "Foreign SASRec on own (unverified)"
    for page, text in texts(study).items():
        flat = " ".join(text.split())
        assert "Unverified: no scores of the original program were given" in flat, page
        assert CHECKED not in flat, page
    export(study, tmp_path / "out", site=True)
    for page in (tmp_path / "out" / "site").rglob("*.html"):
        assert "nverified" in page.read_text() or page.name == "404.html", page


def test_the_same_study_from_python_computes_nothing_anew(unverified, foreign_study):
    """But the recommender's folder, whose record of its check differs."""
    study, changed = unverified
    assert [path.parent.name for path in changed] == ["recommender"]
    assert study.record["fingerprints"]["recommender"] == foreign_study.record["fingerprints"]["recommender"]


def test_it_is_steered_explained_and_dosed(foreign, foreign_study):
    study = foreign_study
    concept = study.table("concepts")["concept"][0]
    history = [item for item in foreign.histories.iloc[0] if item in foreign.items]
    with study.recommender.steer({concept: 1.0}, unit="p99"):
        assert len(study.recommend(history, k=5)) == 5
    receipt = repr(study.receipt({concept: 1.0}, unit="p99"))
    assert concept in receipt
    item = int(study.recommend(history, k=1)["item"][0])
    assert f"(item {item}): rank 1" in repr(study.why(history, item, 3))
    assert study.dose(concept, 0.3).steer is not None


def test_a_folder_belongs_to_one_recommender(foreign, foreign_study, recommender, config, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(foreign_study.folder, folder)
    before = (folder / "config.json").read_bytes()
    model = foreign_model.ForeignSASRec.build({"n_items": len(foreign.items), "size": 16})
    other = interp_wrap(model, foreign.items)
    data = foreign.data
    with pytest.raises(InputError, match="is a study of another recommender: choose another folder with --out"):
        run(replace(config, out=folder), data, recommender=other)
    with pytest.raises(InputError, match=r"trained elsewhere: give it again \(--recommender .*\), or choose"):
        run(replace(config, out=folder), data)
    with pytest.raises(InputError, match="is a study of another recommender: its weights or items differ"):
        interp.open(folder, recommender=other)
    assert (folder / "config.json").read_bytes() == before  # still a finished study


def interp_wrap(adapter, items):
    from recmodels.adapters import wrap

    return wrap(adapter, items)


def test_a_study_is_opened_where_its_adapter_is_not_known(foreign_study, recommender, monkeypatch):
    ADAPTERS.load()
    monkeypatch.delitem(ADAPTERS, "foreign")
    study = interp.open(foreign_study.folder)
    assert len(study.table("concepts"))
    with pytest.raises(InputError, match=r"needs the adapter 'foreign'.*interp\.open\('.*', recommender=…\)"):
        _ = study.recommender
    study = interp.open(foreign_study.folder, recommender=recommender)
    history = recommender.vocabulary.ids[:3].tolist()
    assert study.recommend(history, k=3)["item"].tolist() == recommender.recommend([history], k=3)["item"].tolist()


@pytest.mark.parametrize(
    "words",
    [["tables"], ["steer", "CONCEPT=1"], ["dose", "CONCEPT", "0.3"], ["scorecard", "--no-baselines"]],
    ids=" ".join,
)
def test_import_makes_an_adapter_known_to_every_command(words, foreign_study, tmp_path, monkeypatch, arguments):
    folder = tmp_path / "study"
    shutil.copytree(foreign_study.folder, folder)
    monkeypatch.delitem(ADAPTERS, "foreign")
    concept = foreign_study.table("concepts")["concept"][0]
    command, *rest = [word.replace("CONCEPT", concept) for word in words]
    arguments("--import", foreign_model.__file__, command, folder, *rest)
    assert "foreign" in ADAPTERS


def test_a_shifted_item_map_is_refused(foreign, arguments, capsys, tmp_path):
    words = [*foreign.command, *foreign.checked, "--out", tmp_path / "out"]
    with pytest.raises(SystemExit):
        arguments(*words, "--adapter-options", "shift=1")
    (line,) = capsys.readouterr().err.splitlines()
    assert "score" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--adapter", "nobody"], r"there is no adapter 'nobody': choose one of .*foreign"),
        (["--adapter-options", "heads"], r"adapter_options has 'heads': write NAME=VALUE, such as heads=2"),
        (["--adapter-options", "heads=2"], r"the adapter foreign has no option heads=…"),
        (["--recommender", "nothing.pth"], r"nothing\.pth does not exist: give --recommender a path that does"),
        (["--item-ids", "ids.json"], r"the data own have none of the 43 items .* calls items 'x0', the data"),
        (["--seen-users", "users.txt"], r"the data have none of the 2 seen users \(such as 'anna'\)"),
        (["--seen-users", "absent.txt"], r"there is no file .*absent\.txt with user ids"),
        (["--site", "blocks.7"], r"site names 'blocks\.7', which this model lacks: choose one of embedding, blocks"),
    ],
    ids=lambda part: part[1] if isinstance(part, list) else "",
)
def test_mistakes_are_told_in_a_line(foreign, words, message, arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ids.json").write_text(json.dumps([f"x{number}" for number in range(43)]))
    (tmp_path / "users.txt").write_text("anna\nben\n")
    command = [word for word in foreign.command]
    for flag, value in zip(words[::2], words[1::2], strict=True):
        if flag in command:
            command[command.index(flag) + 1] = value
        else:
            command += [flag, value]
    with pytest.raises(SystemExit, match="2"):
        arguments(*command, "--out", tmp_path / "out")
    (line,) = capsys.readouterr().err.splitlines()

    assert re.search(message, line), line


def test_what_it_beats_cannot_be_told_on_users_that_it_saw(foreign_study):
    def claim(study):
        return next(claim for claim in verdicts(study) if "most popular" in claim.statement)

    own = claim(foreign_study)
    seen = interp.open(foreign_study.folder)
    seen.record["recommender"] = dict(seen.record["recommender"], seen="all")
    assert "cannot tell" in claim(seen).measured or own.holds is not True
    assert claim(seen).holds is not True
    assert "users it may have seen in training" in " ".join(summary(seen).split())
    assert "the recommender may have" in seen.provenance.who_saw


def test_seen_users_decide_who_tests(foreign, recommender, config):
    def split(seen):
        return study_data(config, foreign.data, recommender, seen).split

    everyone, nobody = split("all"), split("none")
    assert everyone.test.equals(nobody.test)
    unseen = foreign.histories.index[80:]
    some = split(foreign.histories.index[:80])
    assert set(some.test["user"]) <= set(unseen)
    assert len(some.test["user"].unique()) == len(everyone.test["user"].unique()) == 15


def test_a_model_without_the_usual_site_is_read_where_it_can_be(recommender, capsys, monkeypatch):
    rec = interp.RecommenderEnvoy(recommender)
    assert with_its_sites(StudyConfig(), rec).site == "blocks.0"
    model = rec.recommender.model
    sites = dict(model.sites)

    monkeypatch.setattr(model, "_sites", sites)

    for gone, expected in (("blocks.0", "blocks.1"), ("blocks.1", "final")):
        del sites[gone]
        assert with_its_sites(StudyConfig(), rec).site == expected
    assert "has no site blocks.0: the dictionary reads final" in capsys.readouterr().out


def test_a_folder_of_ours_needs_no_adapter(foreign, foreign_study, tmp_path):
    for path in (foreign_study.folder, foreign_study.folder / "recommender"):
        again = configured(StudyConfig(recommender=path))
        assert again.fingerprint == foreign_study.record["fingerprints"]["recommender"]
        assert again.origin.verified == 5
    with pytest.raises(InputError, match=r"say which program wrote it with --adapter, one of .*foreign"):
        configured(StudyConfig(recommender=foreign.folder / "model.pth"))
    assert isinstance(again, Recommender)
