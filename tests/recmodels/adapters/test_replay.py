import json

import pytest
from adapters.checkpoints import replay as files
from adapters.recorded import check_scores, recorded
from peers.environments import run

from recmodels.adapters import wrap
from recmodels.adapters.replay import RePlay
from recmodels.errors import InputError
from recmodels.recommender import Recommender

NAMES = ["sasrec", "bert4rec", "bert4rec_tied", "sasrec_new"]


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_those_of_replay(name, tmp_path):
    path, ids = files(tmp_path, name)
    recommender = wrap(*RePlay.read(path, item_ids=ids, heads=2))
    check_scores(recommender, recorded(f"replay_{name}")[0]["expected"])
    recommender.save(tmp_path / "recommender")
    check_scores(Recommender.load(tmp_path / "recommender"), recorded(f"replay_{name}")[0]["expected"])


def test_each_pass_over_a_block_is_a_site(tmp_path):
    path, ids = files(tmp_path, "bert4rec_tied")
    sites = wrap(*RePlay.read(path, item_ids=ids)).model.sites
    assert [name for name in sites if name.startswith("blocks")] == ["blocks.0", "blocks.1", "blocks.2", "blocks.3"]


def test_the_heads_of_the_new_sasrec_must_be_told(tmp_path):
    path, ids = files(tmp_path, "sasrec_new")
    with pytest.raises(InputError, match="does not tell how many attention heads its model has: pass heads as well"):
        RePlay.read(path, item_ids=ids)


def test_ids_of_another_run_are_refused(tmp_path):
    path, ids = files(tmp_path, "sasrec")
    place = ids / "init_args.json"
    record = json.loads(place.read_text(encoding="utf-8"))
    mapping = record["encoder"]["encoding_rules"]["item_id"]["mapping"]
    del mapping["233"]
    place.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(InputError, match=r"scores 20 items, .* has 19: they are of different runs"):
        RePlay.read(path, item_ids=ids)
    mapping["233"] = 7
    place.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(InputError, match=r"the codes of .* are not 0 to 19, each once"):
        RePlay.read(path, item_ids=ids)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ti_modification": True}, "is a TiSasRec"),
        ({"block_count": 1}, "has the tensor"),
        ({"max_seq_len": 9}, "of shape (6, 8) where (9, 8) is expected"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message, tmp_path):
    path, ids = files(tmp_path, "sasrec", **changes)
    with pytest.raises(InputError) as refusal:
        RePlay.read(path, item_ids=ids)
    assert message in str(refusal.value)


@pytest.mark.peer
def test_replays_own_files_are_read(tmp_path):
    run("replay", "replay_scores.py", tmp_path)
    for name in NAMES:
        adapter, ids = RePlay.read(tmp_path / f"{name}.ckpt", item_ids=tmp_path / f"{name}.replay", heads=2)
        expected = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["expected"]
        check_scores(wrap(adapter, ids), expected)
