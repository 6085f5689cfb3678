"""Other recommenders in the page, as ONNX, in a real browser: scores, lists, features, reasons and explanations are
those of Python.

The page is that of a study made by hand with ONNX Runtime Web in it; blocks of recommenders are given to its engine.
"""

import base64
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from browsers import open_page, requests
from pages import handmade_study
from tiny_recommenders import IDS, random_sae
from torch import nn

from interp.control.score_changes import feature_contributions
from interp.features.attributions import Place, average_attributions
from interp.features.explanations import why
from interp.model.envoys import RecommenderEnvoy
from interp.pages import onnx_runtime
from interp.pages.dashboard import page_data
from interp.pages.onnx_runtime import read_runtime
from interp.pages.page_model import as_block, graph_tensors
from interp.pages.rendering import render
from recmodels.adapters import Adapter, wrap
from recmodels.adapters.recbole_networks import GRU4Rec, SASRec
from recmodels.errors import InputError

PACKAGE = Path(__file__).parents[3] / "node_modules" / "onnxruntime-web"
needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))), reason="needs onnx: pip install '.[onnx]'"
)
needs_web = pytest.mark.skipif(
    not PACKAGE.is_dir(), reason="needs onnxruntime-web: npm install --no-package-lock at the root of the repository"
)
P99, K = 0.5, 10
SETTINGS = [{"kind": "concept", "index": 0, "value": 2}, {"kind": "feature", "index": 1, "value": -3}]
AMOUNTS = {0: 2 * P99, 1: (2 - 3) * P99, 2: 2 * P99}  # concept 0 has these features
ASK = """
    const [blocks, method, requests, most, done] = arguments;
    Object.assign(ENGINE, { reasons: 3, through: 2, lit: 5, features: 6, links: 12 }, most);
    const own = makeEngine(async (name) => Uint8Array.from(atob(blocks[name]), (one) => one.charCodeAt(0)).buffer);
    (async () => {
      (await own.about()).k = most.k ?? (await own.about()).k;
      const answers = [];
      for (const request of requests) answers.push(await own[method](request).catch((error) => error.message));
      return answers;
    })().then(done);
"""


class RightSASRec(Adapter):
    """RecBole's SASRec, which pads on the right."""

    sites: ClassVar = {"embedding": "item_embedding", "blocks.*": "trm_encoder.layer.*"}
    side = "right"

    def run(self, batch):
        return self.module(batch.tokens())

    def weights(self):
        return self.module.item_embedding.weight[1:]


class GRU(RightSASRec):
    """RecBole's GRU4Rec, whose layers are wider than its items; torch exports it for one number of steps only."""

    sites: ClassVar = {"embedding": "item_embedding", "blocks.*": "gru_layers.*"}


class Mean(nn.Module):
    """The mean of a history's items, mixed."""

    def __init__(self):
        super().__init__()
        self.items, self.mix = nn.Embedding(41, 16), nn.Linear(16, 16)

    def forward(self, tokens, real):
        return self.mix((self.items(tokens) * real[..., None]).sum(dim=1) / real.sum(dim=1, keepdim=True))


class WithoutSteps(Adapter):
    sites: ClassVar = {"blocks.0": "mix"}
    has_steps = False

    def run(self, batch):
        return self.module(batch.tokens(), batch.real()).tanh()

    def weights(self):
        return self.module.items.weight[1:]


class Branching(RightSASRec):
    """Looks at the numbers of a batch to choose how it runs, which torch does not export."""

    def run(self, batch):
        return super().run(batch) if bool((batch.lengths > 3).all()) else 1 * super().run(batch)


def sasrec():
    return SASRec(41, 8, 16, 2, 2, 32, "gelu", 1e-12)


MODELS = {
    "sasrec": (RightSASRec, sasrec, "blocks.0"),
    "gru": (GRU, lambda: GRU4Rec(41, 16, 24, 2), "blocks.0"),
}


def envoy_of(kind, make, site):
    """A recommender with random weights, and a dictionary at the site."""
    torch.manual_seed(0)
    recommender = wrap(kind(make(), n_items=len(IDS), max_history=8), IDS)
    sae = random_sae("unsquared", recommender.fingerprint, site, d=recommender.model.width(site))
    return RecommenderEnvoy(recommender, sae)


@pytest.fixture(scope="module")
def envoys():
    return {name: envoy_of(*parts) for name, parts in MODELS.items()}


@pytest.fixture(scope="module")
def blocks(envoys):
    """The blocks of each, in base64, made when they are first asked for."""
    return cache(lambda name: blocks_of(envoys[name]))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with the library, and no recommender of its own."""
    runtime, study = read_runtime(PACKAGE), handmade_study(tmp_path_factory.mktemp("study"))
    content = render("dashboard", "By hand", page_data(study), runtime.blocks, library=runtime.script)
    path = tmp_path_factory.mktemp("page") / "dashboard.html"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(chromium, page):
    open_page(chromium, page.as_uri())
    return chromium


@pytest.fixture
def ask(opened, blocks):
    """Answers of an engine with the blocks of a recommender to these requests, one after another."""

    def answers(name, method, asked, **most):
        return opened.execute_async_script(ASK, blocks(name), method, asked, most)

    yield answers
    assert [entry["message"] for entry in opened.get_log("browser")] == []
    assert requests(opened) == []


def blocks_of(rec):
    (sae,), n = rec.saes.values(), len(rec.recommender.vocabulary)
    described, tensors, graph = graph_tensors(rec.recommender.model, sae)
    about = {
        "k": n,
        "keep_seen": False,
        "reach": {"concept": 2, "feature": 4},
        "items": {"id": list(range(n)), "concepts": [[0] * (item % 2) for item in range(n)]},
        "concepts": [{"name": "odd", "weak": False}],
        "features": [{"index": feature} for feature in range(sae.n_features)],
    }
    page = {"about": about, "histories": [[3, 1]], "aligned": [[0, 1, 2]], "p99": [P99] * sae.n_features}
    content = {"model": as_block({**described, **page}, tensors), "graph": graph}
    return {name: base64.b64encode(block).decode() for name, block in content.items()}


def drawn(n, seed=0):
    """Histories of 1 to 12 items, as codes; the recommenders read 8."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, len(IDS), rng.integers(1, 13)).tolist() for _ in range(n)]


def ids(codes):
    return [IDS[code] for code in codes]


def steer_of(rec):
    return rec.steer_of(AMOUNTS, op="add")


def scores_in(rows):
    """Scores by item of a list of the whole catalogue; its order is checked."""
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    return {row["item"]: row["score"] for row in rows}


@needs_onnx
@needs_web
@pytest.mark.parametrize("name", MODELS)
def test_scores_and_lists_are_pythons(ask, envoys, name):
    rec, codes = envoys[name], drawn(60)
    answers = ask(name, "run", [{"history": row, "settings": SETTINGS, "reasons": False} for row in codes])
    histories = rec.recommender.histories([ids(row) for row in codes])
    plain = rec.score(histories).numpy()
    with rec.steer(steer_of(rec)):
        steered = rec.score(histories).numpy()
    assert np.abs(steered - plain).max(axis=1).min() > 1e-3
    for answer, row, before, after in zip(answers, codes, plain, steered, strict=True):
        for rows, expected in ((answer["before"], before), (answer["after"], after)):
            scores = scores_in(rows)
            assert scores.keys() == set(range(len(IDS))) - set(row)
            np.testing.assert_allclose([*scores.values()], expected[[*scores]], atol=1e-4)


@needs_onnx
@needs_web
@pytest.mark.parametrize("name", MODELS)
def test_features_are_pythons(ask, envoys, name):
    rec, codes = envoys[name], drawn(20)
    (sae,), site = rec.saes.values(), rec.only_site()
    for row, lights in zip(codes, ask(name, "lights", [{"history": row} for row in codes], lit=99), strict=True):
        hidden = rec.hidden(rec.recommender.histories([ids(row)]), site)[0]
        expected, values = sae.encode(hidden).numpy(), np.zeros((len(row), sae.n_features))
        for step, light in enumerate(lights):
            assert light["item"] == row[step]
            for feature, activation in light["features"]:
                values[step, feature] = activation
        read = len(expected)
        np.testing.assert_allclose(values[len(row) - read :], expected, atol=1e-4)
        assert not values[: len(row) - read].any()


@needs_onnx
@needs_web
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("settings", "amounts"), [(SETTINGS, AMOUNTS), (SETTINGS[1:], {1: -3 * P99})])
def test_reasons_are_pythons(ask, envoys, name, settings, amounts):
    """Differences of scores on 8 parts of the way, beside gradients at 16 points of it; alone, a feature is exact."""
    rec, codes, counted = envoys[name], drawn(5, seed=1), 0
    answers = ask(name, "run", [{"history": row, "settings": settings} for row in codes], k=K, reasons=99)
    for row, answer in zip(codes, answers, strict=True):
        moved = {entry["item"]: entry["move"] for entry in answer["before"] + answer["after"] if entry["move"]}
        table = feature_contributions(rec, [ids(row)], ids(moved), rec.steer_of(amounts, op="add"))
        size = float(table["change"].abs().max())
        for item, move in moved.items():
            changes = table[table["item"] == IDS[item]].set_index("feature")["change"]
            right = changes[changes > 0] if move == "enters" else changes[changes < 0]
            if right.empty:
                continue
            reason = answer["reasons"][str(item)]
            assert reason["total"] == pytest.approx(changes.sum(), abs=1e-3 * size)
            got = {part["feature"]: part["change"] for part in reason["features"]}
            assert got == pytest.approx(right.to_dict(), abs=1e-3 * size)
            counted += 1
    assert counted >= 5


@needs_onnx
@needs_web
@pytest.mark.parametrize("name", MODELS)
def test_explanations_are_pythons(ask, envoys, name):
    """Parts are measured ablations, and steps have the average attributions, by differences of scores."""
    rec, codes, item = envoys[name], drawn(4, seed=2), 7
    site, n = rec.only_site(), 40
    asked = [{"history": row, "settings": SETTINGS, "item": item} for row in codes]
    for row, answer in zip(codes, ask(name, "explain", asked, features=n, links=10_000), strict=True):
        history = [ids(row)]
        with rec.steer(steer_of(rec)):
            expected = why(rec, history, IDS[item], top=n)
            place = Place.of(rec, history, IDS[item], site)
            parts = {part["feature"]: part["part"] for part in answer["features"]}
            averages = average_attributions(rec, history, IDS[item], site, [*parts])
        size = float(expected.features["ablation"].abs().max())
        ablations = expected.features.set_index("feature")["ablation"].to_dict()
        assert answer["total"] == pytest.approx(expected.score, abs=1e-4)
        assert parts.keys() == set(torch.nonzero(place.features.sum(dim=0))[:, 0].tolist())
        for feature, ablation in ablations.items():
            assert parts[feature] == pytest.approx(ablation, abs=1e-2 * size)
        plain = rec.saes[site].encode(rec.hidden(place.history, site)[0])[:, [*parts]]
        own = averages * torch.where(place.features[:, [*parts]] > 0, plain / place.features[:, [*parts]], 0)
        first = len(row) - len(own)
        links = {(link["feature"], link["step"] - first): link["part"] for link in answer["links"]}
        for column, feature in enumerate(parts):
            got = [links.get((feature, step), 0) for step in range(len(own))]
            np.testing.assert_allclose(got, own[:, column], atol=1e-2 * size)
        sliders = {part["feature"]: part["part"] for part in answer["sliders"]}
        of_sliders = (averages - own).sum(dim=0).tolist()
        for feature, part in zip(parts, of_sliders, strict=True):
            assert sliders.get(feature, 0) == pytest.approx(part, abs=1e-2 * size)


@needs_onnx
@pytest.mark.parametrize("parts", [(Branching, sasrec, "blocks.0"), (WithoutSteps, Mean, "blocks.0")])
def test_what_does_not_export_is_said_in_one_line(parts):
    rec = envoy_of(*parts)
    (sae,) = rec.saes.values()
    with pytest.raises(InputError, match=r"^AdaptedRecommender cannot be exported by torch.export: [^\n]*$"):
        graph_tensors(rec.recommender.model, sae)


def test_another_package_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_runtime, "check_onnx", lambda: None)
    with pytest.raises(
        InputError, match=r"onnxruntime-web is not in .*, or not whole: npm install onnxruntime-web here, or say where"
    ):
        read_runtime(tmp_path)
    (tmp_path / "dist").mkdir()
    (tmp_path / "package.json").write_text(json.dumps({"version": "9.9"}))
    (tmp_path / "dist" / onnx_runtime.WASM).write_bytes(b"wasm")
    script = tmp_path / "dist" / onnx_runtime.SCRIPT
    script.write_text("const a = 1;export{a as Tensor,b as Other};\n//# sourceMappingURL=ort.map\n")
    with pytest.raises(InputError, match=r"has a form that is not known here: npm install onnxruntime-web@1\.30\.0"):
        read_runtime(tmp_path / "dist")
    script.write_text("const a = 1;export{a as Tensor,b as default,c as InferenceSession,d as env};\n//# map\n")
    runtime = read_runtime(tmp_path / "dist")
    assert runtime.script == "const a = 1;onnxRuntimeReady({InferenceSession:c,Tensor:a,env:d});\n"
    assert (runtime.wasm, runtime.version) == (b"wasm", "9.9")
