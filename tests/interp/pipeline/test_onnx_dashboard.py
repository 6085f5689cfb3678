"""The dashboard of a recommender that another program trained runs it as ONNX, from the disk and from a server."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from browsers import open_page, requests, text, until

import interp
from interp.pages.page_model import page_model
from interp.study.equalizer import equalize

PACKAGE = Path(__file__).parents[3] / "node_modules" / "onnxruntime-web"
TITLES = (
    "return [...document.querySelectorAll(`.column:nth-child(${arguments[0]}) .pick`)].map((one) => one.textContent)"
)
SLIDE = (
    "const slider = document.querySelector('#equalizer input[type=range]'); slider.value = 1.5;"
    "slider.dispatchEvent(new Event('input', {bubbles: true}))"
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def study(foreign_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx") / "study"
    shutil.copytree(foreign_study.folder, folder)
    return interp.open(folder)


@pytest.fixture(scope="module")
def server(study):
    """The study's folder on a local server: its address."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(study.folder)))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()


def test_without_onnx_the_page_says_what_to_do(study):
    why = "the page runs GPTRec and BERT4Rec, and this recommender is a AdaptedRecommender"
    assert page_model(study).why == f"{why}; interp dashboard FOLDER --onnx writes a page that may run it"
    assert "wasm" not in (study.folder / "dashboard.html").read_text(encoding="utf-8").partition("</head>")[0]


def test_flags_that_do_not_fit_are_refused(study, arguments, tmp_path, capsys):
    with pytest.raises(SystemExit):
        arguments("dashboard", study.folder, "--onnxruntime-web", tmp_path)
    assert "--onnxruntime-web is for --onnx: also give --onnx" in capsys.readouterr().err


@pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))) or not PACKAGE.is_dir(),
    reason="needs pip install '.[onnx]', and npm install --no-package-lock at the root of the repository",
)
def test_the_page_makes_the_lists_that_python_makes(study, arguments, chromium, server):
    arguments("dashboard", study.folder, "--onnx", "--onnxruntime-web", PACKAGE / "dist")
    users, concept = study.users(), sorted(study.table("concepts")["concept"])[0]
    history = study.recommender.recommender.vocabulary.decode(users[0]).tolist()
    result = equalize(study, history, {concept: 1.5})
    page = study.folder / "dashboard.html"
    for address in (page.as_uri(), f"{server}/dashboard.html"):
        chromium.get("about:blank")
        requests(chromium)
        open_page(chromium, f"{address}#try")
        until(chromium, "document.querySelectorAll('.column li').length", 20)
        chromium.execute_script(SLIDE)
        until(chromium, "document.querySelectorAll('.enters').length", int(result.after["moved"].sum()))
        for column, rows in ((1, result.before), (2, result.after)):
            assert chromium.execute_script(TITLES, column) == rows["title"].tolist()
        chromium.execute_script("document.querySelector('.column .pick').click()")
        until(chromium, "document.querySelectorAll('.graph path').length > 1")
        assert "ONNX Runtime Web" in text(chromium, "#try-library summary")
        assert "Copyright (c) Microsoft Corporation" in text(chromium, "#try-library p")
        assert chromium.find_element("id", "try-library").is_displayed()
        assert [entry["message"] for entry in chromium.get_log("browser")] == []
        assert set(requests(chromium)) <= {f"{server}/dashboard.html"}
