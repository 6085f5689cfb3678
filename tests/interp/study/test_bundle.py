"""Bundles: what is in them, who is not, and that they open elsewhere as the study does."""

import json
import re
import shutil
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pandas as pd
import pytest

import interp
from interp.pages.summary import summary
from interp.store.registry import analyses
from interp.study import sources
from interp.study.bundle import public_record
from interp.study.sources import study_source
from recmodels.errors import InputError

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of our own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("INTERP_CACHE", str(folder))
        yield folder / "bundles"


@pytest.fixture(scope="module")
def study(films_study):
    return interp.open(films_study)


@pytest.fixture(scope="module")
def archive(study, tmp_path_factory):
    return study.bundle(tmp_path_factory.mktemp("bundle") / "films.zip", licence="CC-BY-4.0", cite="Us, 2026.")


@pytest.fixture(scope="module")
def opened(archive):
    return interp.open(archive)


def test_it_opens_as_the_study_does(study, opened, cache):
    assert opened.folder.parent == cache
    assert opened.sae.fingerprint == study.sae.fingerprint
    assert opened.recommender.recommender.fingerprint == study.recommender.recommender.fingerprint
    histories = [[200, 219, 183], [71, 95, 588]]
    assert opened.recommend(histories, 5).equals(study.recommend(histories, 5))
    plain, bundled = (s.receipt({"Horror": 1.0}, histories).measures for s in (study, opened))
    pd.testing.assert_frame_equal(plain, bundled)
    for one, other in zip(*(repr(s.features["Horror"]).splitlines()[:3] for s in (opened, study)), strict=True):
        assert one == other
    sentences = [s.features["Horror"].sentence.partition("; ") for s in (opened, study)]
    assert sentences[0][2] == sentences[1][2]  # before it are items of histories, which name users
    assert summary(opened).partition("report.html")[0].replace(str(opened.folder), "") == summary(study).partition(
        "report.html"
    )[0].replace(str(study.folder), "")
    for analysis in analyses():
        for table in analysis.tables:
            if not opened.left_out(table.name):
                assert opened.table(table.name).equals(study.table(table.name))


def test_the_command_steers_a_typed_history_where_there_are_no_users(archive, opened, arguments, capsys):
    with pytest.raises(SystemExit):
        arguments("steer", archive, "Horror=1")
    assert "is a bundle without users: give --history ITEM [ITEM ...]" in capsys.readouterr().err
    arguments("steer", archive, "Horror=1", "--history", 200, 219, 183)
    bare, steered = capsys.readouterr().out.split("\nsteered\n")
    assert bare.strip() == str(opened.recommend([[200, 219, 183]]))
    with opened.recommender.steer({"Horror": 1.0}, unit="p99"):
        assert steered.strip() == str(opened.recommend([[200, 219, 183]]))
    assert bare.strip() != steered.strip()


def test_no_user_is_named_in_it(study, archive):
    """Every table and record of the archive, by value: the planted ids of users occur in no column that names users."""
    left_out = {"users", "histories", "case_histories", "lists", "explanations"}
    with zipfile.ZipFile(archive) as files:
        names = files.namelist()
        record = json.loads(files.read("bundle.json"))
        assert set(record["tables_left_out"]) == left_out
        assert not [name for name in names if name.split("/")[-1].split(".")[0] in left_out]
        assert not [name for name in names if name.endswith((".html", ".npy")) or "activations" in name]
        for name in names:
            if name.endswith(".parquet"):
                with files.open(name) as handle:
                    assert "user" not in pd.read_parquet(handle)
            elif name.endswith(".csv"):
                with files.open(name) as handle:
                    assert "user" not in pd.read_csv(handle)
        config = files.read("config.json").decode()
    assert str(study.folder) not in config
    assert json.loads(config)["config"]["out"] is None
    assert study.table("users")["user"].nunique() > 10  # which the study itself has


def test_paths_of_the_machine_stay_on_it():
    config = {"data": "/home/me/data", "recommender": "C:\\me\\x.pth", "expected": None, "dataset": "ml-100k"}
    options = {"adapter_options": ["config=/home/me/model.yaml", "heads=2"], "seen_users": "~/lists/seen.txt"}
    record = {
        "config": config | options,
        "recommender": {"source": "/srv/models/SASRec.pth", "title": "RecBole SASRec"},
        "notes": ["read from /home/me/a.csv, 3/4 of it"],
    }
    assert public_record(record) == {
        "config": {
            "data": None,
            "recommender": None,
            "expected": None,
            "dataset": "ml-100k",
            "adapter_options": ["config=model.yaml", "heads=2"],
            "seen_users": "seen.txt",
        },
        "recommender": {"source": "SASRec.pth", "title": "RecBole SASRec"},
        "notes": ["read from a.csv, 3/4 of it"],
    }


def test_a_recommender_with_vectors_of_users_is_not_bundled_by_accident(study, tmp_path):
    copy = shutil.copytree(study.folder, tmp_path / "study")
    (copy / "recommender" / "users.json").write_text("[1, 2]")
    with pytest.raises(InputError, match="has a vector for each user, under their ids"):
        interp.open(copy).bundle(tmp_path / "bundle.zip")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda study: study.users(), "the table 'users' names users, and this study was opened from a bundle"),
        (lambda study: study.receipt({"Horror": 1.0}), "give histories of your own"),
        (lambda study: study.features["Horror"].histories, "the table 'histories' names users"),
        (lambda study: study.activations(), "opened from a bundle without activations, which this needs"),
        (lambda study: study.feature_matrix(), "opened from a bundle without activations"),
        (lambda study: study.least_collateral(items=[200]), "opened from a bundle without activations"),
        (lambda study: study.dictionary("top_k-8-k-2"), "has no dictionary 'blocks.0/top_k-8-k-2'"),
    ],
)
def test_what_it_cannot_do_is_said_in_one_line(ask, message, opened):
    with pytest.raises(InputError, match=re.escape(message)) as error:
        ask(opened)
    assert "\n" not in str(error.value)


def test_features_show_themselves_without_histories(opened):
    feature = opened.features["Horror"]
    assert feature.view.histories == []
    assert "(this bundle has no histories)" in feature._repr_html_()


def test_with_users_it_has_all(study, tmp_path):
    folder = study.bundle(tmp_path / "all", with_users=True, with_activations=True)
    whole = interp.open(folder)
    assert whole.folder == folder
    assert whole.table("histories").equals(study.table("histories"))
    assert len(whole.users()) == len(study.users())
    assert (whole.feature_matrix() != study.feature_matrix()).nnz == 0
    assert {"dashboard.html", "report.html"} <= {path.name for path in folder.iterdir()}
    assert "**Histories of the test users are in it, under their ids**" in (folder / "README.md").read_text()
    with pytest.raises(InputError, match="activations name their users: ask for both"):
        study.bundle(tmp_path / "odd", with_activations=True)


def test_a_hub_reads_the_card(archive, study):
    with zipfile.ZipFile(archive) as files:
        card = huggingface_hub.ModelCard(files.read("README.md").decode())
    data = card.data.to_dict()
    assert (data["license"], data["datasets"], data["library_name"]) == ("cc-by-4.0", ["ml-100k"], "interp-recsys")
    result = next(one for one in card.data.eval_results if one.metric_type == "ndcg@10")
    expected = study.table("recommender").set_index("replaced").at["none", "ndcg@10"]
    assert result.metric_value == pytest.approx(expected, abs=1e-6)
    assert "Us, 2026." in card.text
    assert "Harper" in card.text
    assert "No user is named in it" in card.text


def test_a_card_without_a_licence_says_so(study, tmp_path):
    text = (study.bundle(tmp_path / "plain") / "README.md").read_text()
    assert "license:" not in text
    assert "No licence was given: ask who made this before you use it." in text
    with pytest.raises(InputError, match="licence is 3: give a text"):
        study.bundle(tmp_path / "odd", licence=3)
    assert not (tmp_path / "odd").exists()


def test_the_same_study_gives_the_same_archive(study, archive, tmp_path):
    again = study.bundle(tmp_path / "again.zip", licence="CC-BY-4.0", cite="Us, 2026.")
    assert again.read_bytes() == archive.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.zip"]


def test_a_bundle_of_a_bundle_is_the_bundle(opened, archive, tmp_path):
    with zipfile.ZipFile(opened.bundle(tmp_path / "again.zip")) as again, zipfile.ZipFile(archive) as first:
        assert again.namelist() == first.namelist()
        assert again.read("bundle.json") == first.read("bundle.json")
    with pytest.raises(InputError, match="opened from a bundle without them: bundle the study itself"):
        opened.bundle(tmp_path / "all", with_users=True)


def test_it_is_unpacked_once(archive, opened):
    mark = opened.folder / "manifest.json"
    before = mark.stat().st_mtime_ns
    assert interp.open(archive).folder == opened.folder
    assert mark.stat().st_mtime_ns == before


def test_the_command_line_opens_archives(archive, arguments, capsys):
    arguments("tables", archive)
    printed = capsys.readouterr().out
    assert re.search(r"^users +– ", printed, re.MULTILINE)
    assert re.search(r"^concepts +8 ", printed, re.MULTILINE)


def test_the_command_writes_it(films_study, arguments, capsys, tmp_path):
    arguments("bundle", films_study, "--to", tmp_path / "films.zip", "--licence", "mit")
    assert capsys.readouterr().out.strip() == str(tmp_path / "films.zip")
    assert interp.open(tmp_path / "films.zip").name == "ml-100k"


def test_the_study_and_what_belongs_to_others_stay(study, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a bundle that this program wrote"):
        study.bundle(tmp_path / "mine")
    for place in (study.folder, study.folder / "bundle", study.folder.parent):
        with pytest.raises(InputError, match="is the study's own folder"):
            study.bundle(place)
    (tmp_path / "x.zip").mkdir()
    with pytest.raises(InputError, match=r"x\.zip is a folder"):
        study.bundle(tmp_path / "x.zip")


def test_archives_of_other_things_leave_nothing(tmp_path, cache, archive):
    before = sorted(cache.iterdir())
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("notes.txt", "mine")
    with pytest.raises(InputError, match=r"holds no study: it has no config\.json"):
        interp.open(tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as evil:
        evil.writestr("config.json", "{}")
        evil.writestr("../evil.txt", "x")
    with pytest.raises(InputError, match="leads out of its folder"):
        interp.open(tmp_path / "evil.zip")
    assert sorted(cache.iterdir()) == before


def test_an_altered_bundle_is_refused(study, tmp_path):
    folder = study.bundle(tmp_path / "bundle")
    path = next((folder / "dictionaries").rglob("dictionary.safetensors"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="was cut short or altered"):
        _ = interp.open(folder).sae
    (folder / "bundle.json").write_text("{}")
    with pytest.raises(InputError, match=r"bundle\.json is damaged"):
        interp.open(folder).table("concepts")


class Hub(BaseHTTPRequestHandler):
    """The part of a model hub's HTTP interface that a download uses, for the files of `folder`."""

    folder = None
    more = ()
    requests: tuple[str, ...] = ()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        type(self).requests += (f"{self.command} {path}",)
        if path in (
            "/api/models/us/films",
            "/api/models/us/films/revision/main",
            f"/api/models/us/films/revision/{SHA}",
        ):
            files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
            siblings = [
                {"rfilename": file.relative_to(self.folder).as_posix(), "size": file.stat().st_size} for file in files
            ]
            about = {"_id": "1", "id": "us/films", "modelId": "us/films", "sha": SHA, "private": False, "tags": []}
            self.answer(json.dumps(about | {"siblings": [*siblings, *self.more]}).encode(), "application/json")
        elif path.startswith(f"/us/films/resolve/{SHA}/"):
            self.answer((self.folder / path.removeprefix(f"/us/films/resolve/{SHA}/")).read_bytes(), "text/plain")
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET

    def answer(self, content, kind):
        self.send_response(200)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "X-Repo-Commit": SHA,
            "ETag": f'"{hash(content):x}"',
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(study, tmp_path, monkeypatch):
    """A server on this machine with a bundle as the model us/films."""
    handler = type("OneHub", (Hub,), {"folder": study.bundle(tmp_path / "bundle"), "requests": ()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    server.server_close()


def test_it_opens_from_a_hub(hub, study, cache):
    opened = interp.open("hf://us/films")
    assert opened.sae.fingerprint == study.sae.fingerprint
    assert opened.folder == cache / f"hub-{SHA}"
    assert not (opened.folder / ".cache").exists()
    assert not [path for path in opened.folder.rglob("*") if path.is_symlink()]
    files = [request for request in hub.requests if request.startswith("GET /us/films/resolve")]
    again = interp.open(f"hf:/us/films@{SHA}")  # as a path of the command line arrives
    assert again.folder == opened.folder
    assert [request for request in hub.requests if request.startswith("GET /us/films/resolve")] == files
    shutil.rmtree(opened.folder)


def test_a_hub_is_not_trusted(hub, cache, monkeypatch):
    with pytest.raises(InputError, match="hf://us/other cannot be had"):
        study_source("hf://us/other")
    with pytest.raises(InputError, match="names no place on a hub: write hf://OWNER/NAME"):
        study_source("hf://films")
    hub.more = ({"rfilename": "../evil", "size": 1},)
    with pytest.raises(InputError, match="leads out of its folder"):
        study_source("hf://us/films")
    hub.more = ({"rfilename": "big", "size": 2**40},)
    with pytest.raises(InputError, match="that is too large"):
        study_source("hf://us/films")
    hub.more = ({"rfilename": "absent.bin", "size": 1},)
    with pytest.raises(InputError, match="hf://us/films cannot be had"):
        study_source("hf://us/films")
    assert not list(cache.glob("hub-*"))
    monkeypatch.setattr(sources, "RECORD", "other.json")
    hub.more = ()
    with pytest.raises(InputError, match=r"holds no study: it has no other\.json"):
        study_source("hf://us/films")
