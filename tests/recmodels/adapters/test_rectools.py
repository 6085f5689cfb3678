import json
import sys

import pytest
import torch
from adapters.checkpoints import rectools as checkpoint
from adapters.recorded import check_scores, recorded
from peers.environments import run

from recmodels.adapters import wrap
from recmodels.adapters.batch import Batch
from recmodels.adapters.rectools import RecTools
from recmodels.errors import InputError
from recmodels.recommender import Recommender

UNTIMED = ["sasrec", "sasrec_masked", "ligr", "bert4rec", "hstu_untimed"]


@pytest.mark.parametrize("name", UNTIMED)
def test_scores_are_those_of_rectools(name, tmp_path):
    recommender = wrap(*RecTools.read(checkpoint(tmp_path, name)))
    check_scores(recommender, recorded(f"rectools_{name}")[0]["expected"])


def test_hstu_reads_the_times_of_steps_and_of_the_request(tmp_path):
    path, expected = checkpoint(tmp_path, "hstu"), recorded("rectools_hstu")[0]["expected"]
    check_scores(wrap(*RecTools.read(path, request_gap=5000)), expected)
    with pytest.raises(AssertionError):
        check_scores(wrap(*RecTools.read(path)), expected)
    with pytest.raises(InputError, match="reads the time of each step: give a table with this column"):
        wrap(*RecTools.read(path)).recommend([expected[0]["history"]])


def test_a_saved_study_opens_without_the_checkpoint(tmp_path):
    path = checkpoint(tmp_path, "sasrec_masked")
    wrap(*RecTools.read(path)).save(tmp_path / "recommender")
    path.unlink()
    check_scores(Recommender.load(tmp_path / "recommender"), recorded("rectools_sasrec_masked")[0]["expected"])


def test_sasrec_depends_on_its_padding_and_so_keeps_its_width(tmp_path):
    adapter, _ = RecTools.read(checkpoint(tmp_path, "sasrec"))
    codes = torch.tensor([[3, 4]])
    with torch.no_grad():
        wide, narrow = (adapter.run(Batch(codes, 20, width=width))[:, -1] for width in (6, None))
    assert adapter.full_width
    assert not torch.allclose(wide, narrow, atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pos_encoding_type": "shop.Rotary"}, "has the pos_encoding_type 'shop.Rotary', which this adapter does not"),
        ({"n_blocks": 1}, "has the tensor 'transformer_layers.transformer_blocks.1"),
        ({"n_blocks": 3}, "lacks the tensor 'transformer_layers.transformer_blocks.2"),
        ({"session_max_len": 7}, "of shape (6, 8) where (7, 8) is expected"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message, tmp_path):
    with pytest.raises(InputError) as refusal:
        RecTools.read(checkpoint(tmp_path, "sasrec", **changes))
    assert message in str(refusal.value)


def test_another_checkpoint_is_refused(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(InputError, match=r"is not a checkpoint of a transformer of RecTools: save the model with"):
        RecTools.read(tmp_path / "other.ckpt")


@pytest.mark.peer
@pytest.mark.parametrize("name", [*UNTIMED, "hstu"])
def test_rectools_own_files_are_read(name, tmp_path):
    run("rectools", "rectools_scores.py", tmp_path, name)
    expected = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["expected"]
    check_scores(wrap(*RecTools.read(tmp_path / f"{name}.ckpt", request_gap=5000)), expected)
    assert "rectools" not in sys.modules
    assert "pytorch_lightning" not in sys.modules
