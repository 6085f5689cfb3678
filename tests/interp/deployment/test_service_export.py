import json
import re
from typing import ClassVar

import pytest
import torch
from tiny_recommenders import HISTORIES, IDS, every_steer, random_sae, tiny_envoy
from torch import nn

import interp.serving
from interp.deployment.service_export import export_service
from interp.model.envoys import RecommenderEnvoy
from interp.steering.serialization import save_steer
from interp.study.study import Study
from recmodels.adapters import Adapter, wrap
from recmodels.errors import InputError, quote


class SumOfItems(nn.Module):
    """Each step is the sum of the items so far, mixed by a layer."""

    def __init__(self):
        super().__init__()
        self.items, self.mix = nn.Embedding(41, 16, padding_idx=0), nn.Linear(16, 16)

    def forward(self, tokens, extra=0.0):
        return self.mix(self.items(tokens).cumsum(dim=1) + extra)


class Right(Adapter):
    sites: ClassVar = {"embedding": "items", "blocks.0": "mix"}
    side = "right"

    def run(self, batch):
        return self.module(batch.tokens()).tanh()

    def weights(self):
        return self.module.items.weight[1:]


class Wide(Right):
    full_width, side = True, "left"


class Branching(Right):
    def run(self, batch):
        if bool((batch.lengths > 0).all()):  # which way it goes depends on what is read
            return super().run(batch) * 2
        return super().run(batch)


class Timed(Right):
    columns = ("time",)

    def run(self, batch):
        return self.module(batch.tokens(), batch.extra("time")[..., None].float() * 1e-6)


def adapted(kind, site="blocks.0"):
    torch.manual_seed(0)
    recommender = wrap(kind(SumOfItems(), n_items=40, max_history=8), IDS)
    return RecommenderEnvoy(recommender, random_sae("unsquared", recommender.fingerprint, site))


@pytest.mark.parametrize("kind", [Right, Wide])
def test_an_adapted_recommender_is_served(kind, tmp_path):
    rec = adapted(kind)
    steers = {name: steer for name, steer in every_steer(rec).items() if name in ("set", "cap", "by_user_all")}
    service = interp.serving.load(export_service(rec, tmp_path / "service", steers, histories=HISTORIES))
    for name, steer in steers.items():
        with rec.steer(steer):
            expected = rec.score(rec.recommender.histories(HISTORIES))
        torch.testing.assert_close(service.score(HISTORIES, [name]), expected, rtol=1e-5, atol=1e-5)
        assert not torch.allclose(expected, service.score(HISTORIES))


def test_what_torch_cannot_export_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"AdaptedRecommender cannot be exported by torch.export: .*; serve it with"):
        export_service(adapted(Branching), tmp_path / "service")
    with pytest.raises(InputError, match="reads more than the last items of a history, such as times"):
        export_service(adapted(Timed), tmp_path / "service")
    assert not list(tmp_path.iterdir())


def test_steers_come_in_every_form(tmp_path):
    rec = tiny_envoy("gptrec")
    save_steer(rec.steer_of({3: 2.0}), tmp_path / "file.json")
    steers = {"file": tmp_path / "file.json", "edits": {3: 2.0}, "steer": rec.steer_of({3: 2.0})}
    folder = export_service(rec, tmp_path / "service", steers)
    service = interp.serving.load(folder)
    assert list(service.steers) == list(steers)
    scores = [service.score(HISTORIES, [name]) for name in steers]
    assert torch.equal(scores[0], scores[1])
    assert torch.equal(scores[0], scores[2])
    assert export_service(rec, folder, {"other": {4: 1.0}}) == folder  # in place of the first
    assert list(interp.serving.load(folder).steers) == ["other"]


@pytest.mark.parametrize(
    ("steers", "formats", "message"),
    [
        *(
            ({name: {3: 1.0}}, (), f"^{re.escape(quote(name))} cannot name a steer: use up to 100 letters, digits and")
            for name in ("../up", "", "..", "-x", ".x", "more horror", "a/b", "a:b", "a=b", "q'q", "😀", "a" * 101, 5)
        ),
        ({"Much": {3: 1.0}, "much": {4: 1.0}}, (), "the steers 'Much' and 'much' would be one file where capitals"),
        ({"ß": {3: 1.0}, "SS": {4: 1.0}}, (), "the steers 'ß' and 'SS' would be one file where capitals"),
        ({"much": {99: 1.0}}, (), "no feature 99"),
        ([{3: 1.0}], (), "give a mapping from name to steer"),
        ({}, ("pt2",), "give these, too"),
        ({"one": {3: 1.0}}, ("h5",), "choose among pt2, onnx"),
    ],
)
def test_mistakes_are_refused_before_anything_is_written(steers, formats, message, tmp_path):
    with pytest.raises(InputError, match=message):
        export_service(tiny_envoy("gptrec"), tmp_path / "service", steers, formats=formats)
    assert not list(tmp_path.iterdir())


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a service that this program wrote"):
        export_service(tiny_envoy("gptrec"), tmp_path)
    with pytest.raises(InputError, match="no dictionary is attached"):
        export_service(RecommenderEnvoy(tiny_envoy("gptrec").recommender), tmp_path / "service")


SOME = ("set", "cap", "by_user", "reconstruct", "push")


@pytest.mark.parametrize("kind", ["gptrec", "bert4rec"])
def test_recommender_and_steers_as_one_program(kind, tmp_path):
    """The programs are compared with the service when they are written; here with fewer users and other steers."""
    rec = tiny_envoy(kind, "top_k")
    has_onnx = _has("onnx", "onnxscript", "onnxruntime")
    steers = {name: steer for name, steer in every_steer(rec).items() if name in SOME}
    folder = export_service(rec, tmp_path / "one", steers, formats=("pt2", *["onnx"] * has_onnx))
    service, columns = interp.serving.load(folder), json.loads((folder / "steered.json").read_text())["columns"]
    program = torch.export.load(folder / "steered.pt2").module()
    for histories in (HISTORIES, {"ann": IDS[:1]}, {"ann": IDS[:30], "cyd": IDS[3:5]}):
        own = {"ann": ["by_user", "reconstruct"]} | ({"cyd": ["cap", "push"]} if "cyd" in histories else {})
        inputs = service.inputs(histories, own)
        assert inputs["values"].shape == (len(histories), len(columns))
        assert columns[0] == {"steer": "set", "edit": 0}
        expected = service.score(histories, own)
        results = [program(inputs["tokens"], inputs["values"])]
        if has_onnx:
            results.append(_run(folder / "steered.onnx", inputs))
        for scores in results:
            torch.testing.assert_close(scores, expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(InputError, match="applies them in this order"):
        service.inputs(HISTORIES, ["push", "set"])


def _has(*packages):
    from importlib.util import find_spec

    return all(find_spec(package) for package in packages)


def _run(path, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})[0])


@pytest.mark.skipif(_has("onnx", "onnxscript", "onnxruntime"), reason="onnx is installed")
def test_missing_packages_are_named(tmp_path):
    with pytest.raises(InputError, match="pip install onnx onnxscript onnxruntime"):
        export_service(tiny_envoy("gptrec"), tmp_path / "service", {"one": {3: 1.0}}, formats=("onnx",))


def test_a_study_is_exported_from_the_shell(study: Study, tmp_path, arguments, capsys):
    save_steer(study.recommender.steer_of({3: 2.0}), tmp_path / "turned.json")
    arguments("export-service", study.folder, "--to", tmp_path / "service", "--steers", tmp_path / "turned.json")
    assert capsys.readouterr().out.strip() == str(tmp_path / "service")
    service, users = interp.serving.load(tmp_path / "service"), study.users().select(slice(0, 40))
    histories = {user: users_items(study, users, n) for n, user in enumerate(users.users.tolist())}
    with study.recommender.steer({3: 2.0}):
        lists = study.recommender.recommend(users, 5)
    result = service.recommend(histories, 5, ["turned"])
    assert [place.item for places in result.values() for place in places] == lists["item"].tolist()


def users_items(study, users, n):
    return study.recommender.recommender.vocabulary.decode(users[n]).tolist()
