"""Models with a vector for each user: factorisations, two towers, NCF."""

import json
import shutil

import numpy as np
import pytest
import torch
from adapters.checkpoints import id_files as ids
from adapters.recorded import DATA, check_scores, recorded
from peers.environments import run
from safetensors.torch import save_file

from interp.activations.collecting import collect
from interp.model.envoys import RecommenderEnvoy
from recmodels.adapters import wrap
from recmodels.adapters.foreign import read_recommender
from recmodels.adapters.ncf import NCF
from recmodels.adapters.user_vectors import UserVectors
from recmodels.errors import InputError
from recmodels.recommender import Recommender


def ncf(folder, whole: bool = False, **options) -> Recommender:
    record, tensors = recorded("ncf")
    content = tensors
    if whole:
        content = NCF({"n_users": 15, "n_items": 20, "factors": 4, "layers": 2, "parts": "NeuMF"}).module
        content.load_state_dict(tensors)
    torch.save(content, folder / "ncf.pth")
    return read_recommender("ncf", folder / "ncf.pth", ids(folder, record) | options)


@pytest.mark.parametrize("name", ["bpr", "als"])
def test_scores_are_those_of_implicit(name, tmp_path):
    record = json.loads((DATA / f"implicit_{name}.json").read_text(encoding="utf-8"))
    shutil.copy(DATA / f"implicit_{name}.npz", tmp_path / "model.npz")
    recommender = read_recommender("vectors", tmp_path / "model.npz", ids(tmp_path, record))
    check_scores(recommender, record["expected"])
    recommender.save(tmp_path / "recommender")
    check_scores(Recommender.load(tmp_path / "recommender"), record["expected"])


def test_biases_become_columns(tmp_path):
    rng = np.random.default_rng(0)
    parts = {name: rng.normal(size=size) for name, size in (("users", (3, 4)), ("items", (5, 4)))}
    biases = {"user_bias": rng.normal(size=3), "item_bias": rng.normal(size=5)}
    tensors = {name: torch.tensor(values) for name, values in (parts | biases | {"mean": 2.5}).items()}
    save_file(tensors, tmp_path / "mf.safetensors")
    record = {"items": list("abcde"), "users": [7, 8, 9]}
    recommender = read_recommender("vectors", tmp_path / "mf.safetensors", ids(tmp_path, record))
    expected = parts["users"] @ parts["items"].T + biases["user_bias"][:, None] + biases["item_bias"] + 2.5
    scores = recommender.score(recommender.histories({9: ["a"], 7: ["b"]}))
    np.testing.assert_allclose(scores, expected[[2, 0]], atol=1e-5)


@pytest.mark.parametrize("whole", [False, True])
def test_scores_are_those_of_ncf(whole, tmp_path):
    recommender = ncf(tmp_path, whole)
    check_scores(recommender, recorded("ncf")[0]["expected"])
    recommender.save(tmp_path / "recommender")
    check_scores(Recommender.load(tmp_path / "recommender"), recorded("ncf")[0]["expected"])


def test_weights_of_ncf_are_what_a_small_change_of_the_mean_user_does(tmp_path):
    model = ncf(tmp_path).model
    mean, step = model.module.user_vectors().mean(dim=0).double(), 1e-6
    with torch.no_grad():
        model.double()
        changes = [model.adapter.score(torch.stack([mean + step * way, mean - step * way])) for way in torch.eye(12)]
        slopes = torch.stack([(up - down) / (2 * step) for up, down in changes], dim=1)
        torch.testing.assert_close(model.output_weights(), slopes, atol=1e-5, rtol=1e-5)


def test_one_part_of_ncf_is_scored_if_the_options_say_so(tmp_path):
    record, tensors = recorded("ncf")
    tensors["predict_layer.weight"] = tensors["predict_layer.weight"][:, :4].clone()
    torch.save(tensors, tmp_path / "gmf.pth")
    with pytest.raises(InputError, match="scores with one part and does not tell which: pass parts=GMF or parts=MLP"):
        read_recommender("ncf", tmp_path / "gmf.pth", ids(tmp_path, record))
    recommender = read_recommender("ncf", tmp_path / "gmf.pth", ids(tmp_path, record) | {"parts": "GMF"})
    user, items = tensors["embed_user_GMF.weight"][3], tensors["embed_item_GMF.weight"]
    expected = (user * items) @ tensors["predict_layer.weight"][0] + tensors["predict_layer.bias"]
    torch.testing.assert_close(recommender.score(recommender.histories({"u3": [100]}))[0], expected)


def test_there_is_one_row_of_activations_for_each_user_and_a_steer_moves_its_scores(tmp_path):
    rec = RecommenderEnvoy(ncf(tmp_path))
    histories = {"u4": [100, 107, 114], "u2": [121, 128]}
    store = collect(rec, histories, tmp_path / "store", site="final")
    vectors = rec.recommender.model.module.user_vectors()
    np.testing.assert_allclose(store.activations, vectors[[4, 2]].detach(), rtol=1e-6)
    assert store.rows["item"].tolist() == [107, 121]
    assert rec.hidden(histories, "final").shape == (2, 1, 12)
    with rec.trace(histories):
        rec.final.output[:] = vectors[1]
        scores = rec.scores.save()
    expected = rec.score(rec.recommender.histories({"u1": [100]}))
    torch.testing.assert_close(scores, expected.expand(2, -1))


def test_other_users_and_files_are_refused(tmp_path):
    recommender = ncf(tmp_path)
    with pytest.raises(InputError, match="1 user is unknown to this recommender"):
        recommender.recommend({"u99": [100]})
    (tmp_path / "users.json").write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(InputError, match=r"has 15 users, .*users.json has 2: give the ids of this model"):
        NCF.read(tmp_path / "ncf.pth", item_ids=tmp_path / "items.json", user_ids=tmp_path / "users.json")
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(InputError, match=r"has no user_factors: save the vectors of all users under this name"):
        UserVectors.read(tmp_path / "other.npz", item_ids=tmp_path / "items.json", user_ids=tmp_path / "users.json")
    with pytest.raises(InputError, match="of the same width"):
        UserVectors.of(np.zeros((3, 2)), np.zeros((3, 4)))


def test_two_towers_in_memory_are_their_outputs():
    torch.manual_seed(0)
    users, items = torch.randn(4, 6) @ torch.randn(6, 3), torch.randn(5, 3)
    recommender = wrap(UserVectors.of(users, items), list("abcde"), users=list("wxyz"))
    scores = recommender.score(recommender.histories({"z": ["a"]}))
    torch.testing.assert_close(scores, users[3:] @ items.T)


@pytest.mark.peer
def test_implicits_own_files_are_read(tmp_path):
    run("rectools", "implicit_scores.py", tmp_path)
    for name in ("bpr", "als"):
        record = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        recommender = read_recommender("vectors", tmp_path / f"{name}.npz", ids(tmp_path, record))
        check_scores(recommender, record["expected"])
