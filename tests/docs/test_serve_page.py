"""The example service of the page about serving, where FastAPI is installed."""

import types

import pytest
from code_blocks import ROOT, blocks_of

import interp
import interp.serving

fastapi_testing = pytest.importorskip("fastapi.testclient", reason="fastapi is not installed")


@pytest.fixture(scope="module")
def example(films_study, tmp_path_factory):
    """The names of the page's example, in a folder with an exported study."""
    folder = tmp_path_factory.mktemp("service")
    study = interp.open(films_study)
    interp.export_service(study.recommender, folder / "service", {"more-horror": study.recommender.steer_of({12: 3.0})})
    (block,) = [block for block in blocks_of(ROOT / "docs" / "how-to" / "serve.md") if "FastAPI()" in block.code]
    module = types.ModuleType("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(block.code, "app.py", "exec"), vars(module))
    return module


def test_the_example_answers_with_steered_lists(example):
    client = fastapi_testing.TestClient(example.app)
    request = {"user": "ann", "history": [200, 219, 183], "steers": ["more-horror"], "k": 5}
    answer = client.post("/recommend", json=request)
    assert answer.status_code == 200
    expected = example.service.recommend({"ann": [200, 219, 183]}, 5, ["more-horror"])["ann"]
    assert answer.json() == [{"item": item, "score": pytest.approx(score)} for item, score in expected]
    assert answer.json() != client.post("/recommend", json=request | {"steers": []}).json()
    unknown = request | {"history": [200, "no such film", 219, 183]}
    assert client.post("/recommend", json=unknown).json() == answer.json()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"steers": ["other"]}, "no steer 'other'"), ({"history": ["x"]}, "no item"), ({"k": 0}, "at least one item")],
)
def test_the_example_says_what_is_wrong(example, change, message):
    client = fastapi_testing.TestClient(example.app)
    answer = client.post("/recommend", json={"user": 1, "history": [200, 219]} | change)
    assert answer.status_code == 422
    assert message in answer.json()["detail"]
