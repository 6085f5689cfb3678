import json

import numpy as np
import pandas as pd
import pytest
import torch

from recmodels import artifacts, folders
from recmodels.config import TrainingConfig
from recmodels.errors import InputError
from recmodels.recommender import Recommender
from recmodels.training import build
from recmodels.vocabulary import Vocabulary

CONFIG = TrainingConfig(max_history=4, hidden_size=8, num_hidden_layers=1)


def toy(ids, seed=0):
    """An untrained recommender of these items."""
    torch.manual_seed(seed)
    return Recommender(build(CONFIG, len(ids)), Vocabulary(pd.Index(ids, name="item")))


@pytest.fixture
def saved(tmp_path):
    toy(["a", "b", "c"]).save(tmp_path / "recommender", {"seed": 0})
    return tmp_path / "recommender"


@pytest.mark.parametrize("ids", [["a", "b", "c"], [3, 5, 8]])
def test_what_is_saved_is_what_is_loaded(tmp_path, ids):
    made = toy(ids)
    made.save(tmp_path / "r", {"seed": 0})
    loaded = Recommender.load(tmp_path / "r")
    assert loaded.vocabulary.ids.tolist() == ids
    assert loaded.fingerprint == made.fingerprint
    histories = made.histories([ids, ids[:1]])
    assert torch.equal(loaded.score(histories), made.score(histories))
    assert not loaded.model.training
    assert artifacts.is_current(tmp_path / "r", "recommender", {"seed": 0})
    assert {path.suffix for path in (tmp_path / "r").iterdir()} == {".json", ".safetensors"}


def test_saving_again_replaces_and_ignores_leftovers(saved):
    folders.work_in(artifacts.partial_folder(saved), "recommender", {})
    (artifacts.partial_folder(saved) / "half.bin").write_bytes(b"h")
    toy(["d", "e"]).save(saved)
    assert Recommender.load(saved).vocabulary.ids.tolist() == ["d", "e"]
    assert not (saved / "half.bin").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocabulary.json"])
def test_an_altered_file_is_refused(saved, name):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InputError, match=f"{name} was cut short or altered: delete"):
        Recommender.load(saved)


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist: run the step that writes this recommender again"):
        Recommender.load(tmp_path / "absent")
    with artifacts.writing(tmp_path / "store", "activations", {}) as partial:
        (partial / "activations.npy").write_bytes(b"rows")
    with pytest.raises(InputError, match="holds activations, not a recommender"):
        Recommender.load(tmp_path / "store")
    with artifacts.writing(tmp_path / "llama", "recommender", {}) as partial:
        (partial / "config.json").write_text(json.dumps({"model_type": "llama"}))
        for name in ("model.safetensors", "vocabulary.json"):
            (partial / name).write_bytes(b"")
    with pytest.raises(InputError, match="unknown model 'llama': choose one of gptrec, bert4rec, or register"):
        Recommender.load(tmp_path / "llama")


def test_the_fingerprint_sees_every_weight_and_the_vocabulary():
    made = toy(["a", "b", "c"])
    before = made.fingerprint
    assert toy(["a", "b", "c"]).fingerprint == before
    others = {toy(["a", "b", "c"], seed=1).fingerprint, toy(["a", "b", "d"]).fingerprint}
    for weight in made.model.parameters():
        with torch.no_grad():
            weight.view(-1)[-1] += 1e-3
        others.add(Recommender(made.model, made.vocabulary).fingerprint)
    assert before not in others
    assert len(others) == 2 + len(list(made.model.parameters()))


def test_a_model_and_a_vocabulary_of_different_runs_are_refused():
    with pytest.raises(InputError, match="the model scores 3 items, the vocabulary has 2: they belong to"):
        Recommender(build(CONFIG, 3), Vocabulary(pd.Index(["a", "b"])))


def test_the_model_is_put_into_evaluation_mode():
    model = build(CONFIG, 3).train()
    histories = Recommender(model, Vocabulary(pd.Index(["a", "b", "c"]))).histories(["a", "b"])
    assert not model.training
    assert histories.codes.tolist() == [0, 1]


def test_recommended_are_the_best_scored_items_that_the_user_has_not_seen(recommender, histories, split):
    table = recommender.recommend(split.test, k=5)
    assert table.columns.tolist() == ["user", "rank", "item", "score"]
    assert table["rank"].tolist() == [1, 2, 3, 4, 5] * len(histories)
    assert table["user"].unique().tolist() == split.test["user"].unique().tolist()
    seen = split.test.groupby("user")["item"].agg(set)
    scores = pd.DataFrame(recommender.score(histories), histories.users, recommender.vocabulary.ids)
    for user, part in table.groupby("user"):
        left = scores.loc[user].drop(seen[user]).nlargest(5)
        assert part["item"].tolist() == left.index.tolist()
        np.testing.assert_allclose(part["score"], left, atol=1e-5)
    codes = recommender.vocabulary.encode(table["item"]).reshape(-1, 5)
    assert recommender.rank(split.test, k=5).tolist() == codes.tolist()


def test_more_histories_than_one_batch_holds():
    made = toy(list("abcdefgh"))
    lists = {f"u{i}": list(np.random.default_rng(i).permutation(list("abcdefgh"))[:3]) for i in range(300)}
    table = made.recommend(lists, k=2).set_index("user")
    assert table.index.unique().tolist() == list(lists)
    for user in ("u0", "u255", "u256", "u299"):
        assert table.loc[user, "item"].tolist() == made.recommend(lists[user], k=2)["item"].tolist()


def test_a_user_with_few_items_left_gets_a_shorter_list():
    table = toy(["a", "b", "c"]).recommend({"x": ["a", "b"], "y": ["c", "b", "a", "c"], "z": ["b"]}, k=2)
    assert table["user"].tolist() == ["x", "z", "z"]
    assert table["rank"].tolist() == [1, 1, 2]
    assert (table["item"][0], set(table["item"][1:])) == ("c", {"a", "c"})


@pytest.mark.parametrize(
    ("given", "k", "message"),
    [
        (["a"], 0, "^k is 0: ask for at least one item$"),
        (["z"], 1, r"^1 item is unknown to this recommender \('z'\)"),
        ([[]], 1, "^the history of user 0 is empty"),
    ],
)
def test_mistakes_are_explained(given, k, message):
    with pytest.raises(InputError, match=message):
        toy(["a", "b"]).recommend(given, k)
