import json
import pickle
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch
from adapters import checkpoints
from adapters.checkpoints import SHOP
from adapters.recorded import DATA, check_scores, recorded
from peers.environments import run

from recmodels.adapters import read_recommender
from recmodels.adapters.recbole_checkpoint import RecBole
from recmodels.adapters.recbole_tokens import read_tokens
from recmodels.datasets import recbole as atomic
from recmodels.errors import InputError
from recmodels.recommender import Recommender

SEQUENTIAL = ["sasrec", "gru4rec", "bert4rec", "bert4rec_1.1"]
NUMBERINGS = json.loads((DATA / "recbole_numbers.json").read_text(encoding="utf-8"))


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a checkpoint with the content of one of RecBole's own, and what is changed."""
    return partial(checkpoints.recbole, tmp_path)


def opened(path: Path) -> Recommender:
    return read_recommender("recbole", path, {"atomic_files": SHOP})


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_scores_are_those_of_recbole(name, checkpoint):
    recommender, record = opened(checkpoint(name)), recorded(f"recbole_{name}")[0]
    assert recommender.vocabulary.ids.tolist() == record["items"]
    check_scores(recommender, record["expected"])


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_saved_recommender_opens_without_the_checkpoint(name, checkpoint, tmp_path):
    path = checkpoint(name)
    opened(path).save(tmp_path / "recommender")
    path.unlink()
    check_scores(Recommender.load(tmp_path / "recommender"), recorded(f"recbole_{name}")[0]["expected"])


def test_sites_are_those_of_our_own_recommenders(checkpoint):
    parts = [f"blocks.{block}{part}" for block in (0, 1) for part in (".attention", ".mlp", "")]
    assert list(opened(checkpoint("sasrec")).model.sites) == ["embedding", *parts, "final"]
    gru = opened(checkpoint("gru4rec")).model
    assert list(gru.sites) == ["embedding", "blocks.0", "blocks.1", "final"]


def test_bert4rec_from_1_2_on_does_not_see_the_first_item(checkpoint):
    recommender = opened(checkpoint("bert4rec"))
    items = recommender.vocabulary.ids.tolist()
    one, other = recommender.score(recommender.histories([[items[0]], [items[1]]]))
    torch.testing.assert_close(one, other)
    earlier = opened(checkpoint("bert4rec_1.1"))
    one, other = earlier.score(earlier.histories([[items[0]], [items[1]]]))
    assert (one - other).abs().max() > 0.1


def test_bpr_scores_by_user(checkpoint, tmp_path):
    record = recorded("recbole_bpr")[0]
    recommender = opened(checkpoint("bpr"))
    check_bpr(recommender, record)
    recommender.save(tmp_path / "recommender")
    check_bpr(Recommender.load(tmp_path / "recommender"), record)


def check_bpr(recommender, record):
    """Scores depend on the user alone; users come in another order than RecBole's."""
    assert recommender.vocabulary.ids.tolist() == record["items"]
    cases = record["expected"][::-1]
    for histories in ([case["history"] for case in cases], [record["items"][:1]] * len(cases)):
        scores = recommender.score(
            recommender.histories(dict(zip([case["user"] for case in cases], histories, strict=True)))
        )
        torch.testing.assert_close(scores, torch.tensor([case["scores"] for case in cases]), rtol=0, atol=1e-5)


# The numbers of items and users


@pytest.mark.parametrize(
    "place", [n for n, record in enumerate(NUMBERINGS) if record["config"]["rm_dup_inter"] is None]
)
def test_items_and_users_have_recboles_numbers(place):
    record = NUMBERINGS[place]
    tokens = read_tokens(SHOP, record["config"])
    assert tokens.items.tolist() == record["items"]
    assert tokens.users.tolist() == record["users"]


def test_the_recorded_filters_lead_to_different_numbers():
    assert len({tuple(record["items"]) for record in NUMBERINGS}) >= 5


@pytest.mark.parametrize("place", [n for n, record in enumerate(NUMBERINGS) if record["config"]["rm_dup_inter"]])
def test_numbers_after_removal_of_duplicates_need_different_times(place, tmp_path):
    record = NUMBERINGS[place]
    tokens = read_tokens(SHOP, record["config"])
    assert tokens.items.tolist() == record["items"]
    rows = (SHOP / "shop.inter").read_text(encoding="utf-8")
    (tmp_path / "shop.inter").write_text(f"{rows}u1\ti3\t5\t3\n", encoding="utf-8")
    with pytest.raises(InputError, match="interactions share a time: RecBole's order of items then depends on the"):
        read_tokens(tmp_path, record["config"])


def test_fields_that_share_numbers_and_files_that_are_split_are_read_in_recboles_order(tmp_path):
    config = NUMBERINGS[0]["config"] | {
        "load_col": None,
        "benchmark_filename": ["train", "test"],
        "alias_of_item_id": ["item_id_list"],
    }
    head = "user_id:token\titem_id:token\titem_id_list:token_seq\n"
    (tmp_path / "shop.train.inter").write_text(f"{head}a\tx\ty z\nb\tz\tw\n", encoding="utf-8")
    (tmp_path / "shop.test.inter").write_text(f"{head}a\tv\tx u\n", encoding="utf-8")
    tokens = read_tokens(tmp_path, config)
    # All of item_id first, in all files, then all of item_id_list.
    assert tokens.items.tolist() == ["x", "z", "v", "y", "w", "u"]
    assert tokens.users.tolist() == ["a", "b"]


def test_ids_are_those_of_the_reader_of_atomic_files(tmp_path):
    config = NUMBERINGS[0]["config"] | {"load_col": None}
    inter = "user_id:token\titem_id:token\ttimestamp:float\n7\t30\t1\n8\t4\t2\n7\t5\t3\n"
    (tmp_path / "shop.inter").write_text(inter, encoding="utf-8")
    (tmp_path / "shop.item").write_text("item_id:token\tclass:token\n4\ta\n5\tb\n30\ta\n", encoding="utf-8")
    tokens = read_tokens(tmp_path, config)
    dataset = atomic.load("shop", tmp_path)
    assert tokens.items.tolist() == ["30", "4", "5"]  # `read_recommender` makes numbers of them
    assert set(map(int, tokens.items)) == set(dataset.interactions["item"])


def test_the_users_that_recbole_numbered_are_those_it_was_trained_on(checkpoint):
    adapter, _ = RecBole.read(checkpoint("sasrec"), atomic_files=SHOP)
    assert adapter.users == recorded("recbole_sasrec")[0]["users"]


# What is refused


def test_nothing_of_a_checkpoint_is_run(checkpoint, tmp_path):
    trace = tmp_path / "trace"

    class Attack:
        def __reduce__(self):
            return exec, (f"open({str(trace)!r}, 'w').close()",)

    path = checkpoint("sasrec", harmful=Attack())
    pickle.loads(pickle.dumps(Attack()))
    assert trace.is_file()  # the attack works on another reader
    trace.unlink()
    check_scores(opened(path), recorded("recbole_sasrec")[0]["expected"])
    assert not trace.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "SASRecF"}, "holds RecBole's 'SASRecF': this adapter knows SASRec, BERT4Rec, GRU4Rec, BPR"),
        ({"n_heads": "2"}, "has '2' for n_heads"),
        ({"n_heads": 3}, "has an activation or heads that RecBole's SASRec cannot have"),
        ({"item_inter_num_interval": None}, "has 20 items, and"),
        ({"dataset": "../shop"}, "the checkpoint's data set is called '../shop', which is no name of a file"),
        ({"USER_ID_FIELD": None}, "settings of a data set that cannot be read (KeyError)"),
        ({"item_inter_num_interval": "[a,b]"}, "filters by '[a,b]', which is not an interval such as '[5,inf)'"),
        ({"dataset": "store"}, "store.inter cannot be read as an atomic file"),
        ({"tensors": lambda saved: saved | {"more": torch.ones(1)}}, "has the tensor 'more', unknown here"),
        ({"tensors": lambda saved: {}}, "lacks tensors of RecBole's SASRec"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message, checkpoint):
    with pytest.raises(InputError) as refusal:
        opened(checkpoint("sasrec", **changes))
    assert message in str(refusal.value)


def test_a_checkpoint_needs_the_atomic_files_or_the_order(checkpoint, tmp_path):
    path = checkpoint("sasrec")
    with pytest.raises(
        InputError, match=r"does not hold the ids of its items.*with shop\.inter \(--atomic-files FOLDER"
    ):
        RecBole.read(path)
    ids = recorded("recbole_sasrec")[0]["items"]
    (tmp_path / "ids.json").write_text(json.dumps(ids), encoding="utf-8")
    recommender = read_recommender("recbole", path, {"item_ids": tmp_path / "ids.json"})
    check_scores(recommender, recorded("recbole_sasrec")[0]["expected"])
    (tmp_path / "ids.json").write_text(json.dumps(ids[1:]), encoding="utf-8")
    with pytest.raises(InputError, match="has 20 items, and"):
        read_recommender("recbole", path, {"item_ids": tmp_path / "ids.json"})


def test_another_file_is_refused(tmp_path):
    torch.save({"config": {}, "state_dict": {}}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"is not a checkpoint of RecBole: give the \.pth file that its trainer saved"):
        opened(tmp_path / "other.pth")


# RecBole itself


@pytest.mark.peer
@pytest.mark.parametrize("environment", ["recbole", "recbole-1.1"])
def test_recboles_own_files_are_read(environment, tmp_path):
    models = ["SASRec", "GRU4Rec", "BERT4Rec", "BPR"]
    run(environment, "recbole_scores.py", tmp_path, *models)
    for path in tmp_path.glob("recbole_*.pth"):
        recommender = read_recommender("recbole", path, {"atomic_files": tmp_path / "shop"})
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if "bpr" in path.name:
            check_bpr(recommender, record)
        else:
            assert recommender.vocabulary.ids.tolist() == record["items"]
            check_scores(recommender, record["expected"])
    assert len(list(tmp_path.glob("recbole_*.pth"))) == len(models)
    assert "recbole" not in sys.modules


@pytest.mark.peer
def test_recboles_own_numbers_are_found_again(tmp_path):
    run("recbole", "recbole_scores.py", tmp_path, "numbers")
    for record in json.loads((tmp_path / "recbole_numbers.json").read_text(encoding="utf-8")):
        tokens = read_tokens(tmp_path / "shop", record["config"])
        pd.testing.assert_index_equal(pd.Index(tokens.items), pd.Index(record["items"]))
        pd.testing.assert_index_equal(pd.Index(tokens.users), pd.Index(record["users"]))
