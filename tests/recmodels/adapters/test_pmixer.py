import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from adapters.checkpoints import pmixer as checkpoint
from adapters.recorded import DATA, check_scores, recorded

from recmodels.adapters import read_recommender
from recmodels.errors import InputError
from recmodels.recommender import Recommender

NAMES = ["pre-norm", "post-norm", "original", "oldest"]
# A checkout of github.com/pmixer/SASRec.pytorch, which no package index has.
CHECKOUT = os.environ.get("SASREC_PYTORCH")


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_those_of_its_predict(name, tmp_path):
    recommender = read_recommender("pmixer", checkpoint(tmp_path, name))
    check_scores(recommender, recorded(f"pmixer_{name}")[0]["expected"])
    recommender.save(tmp_path / "recommender")
    check_scores(Recommender.load(tmp_path / "recommender"), recorded(f"pmixer_{name}")[0]["expected"])


def test_padding_is_read_so_the_width_stays(tmp_path):
    recommender = read_recommender("pmixer", checkpoint(tmp_path, "post-norm"))
    adapter = recommender.model.adapter
    assert adapter.full_width
    with torch.no_grad():
        narrow = adapter.module(torch.tensor([[3, 4]]))[0, -1]
        wide = adapter.module(torch.tensor([[0, 0, 0, 0, 3, 4]]))[0, -1]
    assert (narrow - wide).abs().max() > 0.01


def test_sites_are_those_of_our_own_recommenders(tmp_path):
    parts = [f"blocks.{block}{part}" for block in (0, 1) for part in (".attention", ".mlp", "")]
    assert list(read_recommender("pmixer", checkpoint(tmp_path, "pre-norm")).model.sites) == [
        "embedding", *parts, "final"
    ]  # fmt: skip


def test_ids_of_your_own_stand_for_the_numbers(tmp_path):
    (tmp_path / "ids.txt").write_text("\n".join(f"film {n}" for n in range(20)), encoding="utf-8")
    recommender = read_recommender("pmixer", checkpoint(tmp_path, "pre-norm"), {"item_ids": tmp_path / "ids.txt"})
    cases = recorded("pmixer_pre-norm")[0]["expected"]
    renamed = [
        case | {key: [f"film {item - 1}" for item in case[key]] for key in ("history", "items")} for case in cases
    ]
    check_scores(recommender, renamed)
    (tmp_path / "ids.txt").write_text("film 0", encoding="utf-8")
    with pytest.raises(InputError, match=r"has 1 id, and .* 20 items: give one for each"):
        read_recommender("pmixer", checkpoint(tmp_path, "pre-norm"), {"item_ids": tmp_path / "ids.txt"})


def test_what_args_txt_would_tell_can_be_given(tmp_path):
    expected = recorded("pmixer_pre-norm")[0]["expected"]
    path = checkpoint(tmp_path, "pre-norm", arguments=False)
    with pytest.raises(
        InputError, match=r"has no args\.txt beside it: give kind=… as one of original, post-norm, pre-"
    ):
        read_recommender("pmixer", path)
    check_scores(read_recommender("pmixer", path, {"kind": "pre-norm"}), expected)
    path = checkpoint(tmp_path, "pre-norm", arguments=False, file="best.pth")
    with pytest.raises(InputError, match=r"neither args\.txt nor the name of .* tells maxlen: give it \(maxlen=…\)"):
        read_recommender("pmixer", path, {"kind": "pre-norm"})
    check_scores(read_recommender("pmixer", path, {"kind": "pre-norm", "maxlen": "6", "heads": "2"}), expected)
    oldest = checkpoint(tmp_path, "oldest", arguments=False)  # has one kind of blocks
    check_scores(read_recommender("pmixer", oldest), recorded("pmixer_oldest")[0]["expected"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maxlen": 9}, "has 7 positions and width 8: maxlen=9 or heads=2 is wrong"),
        ({"heads": 3}, "has 7 positions and width 8: maxlen=6 or heads=3 is wrong"),
        (
            {"kind": "both"},
            "cannot have blocks of the kind 'both': give kind=… as one of original, post-norm, pre-norm",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message, tmp_path):
    with pytest.raises(InputError) as refusal:
        read_recommender("pmixer", checkpoint(tmp_path, "post-norm"), options)
    assert message in str(refusal.value)


def test_another_file_is_refused(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"is not a checkpoint of SASRec\.pytorch"):
        read_recommender("pmixer", tmp_path / "other.pth")
    with pytest.raises(InputError, match="has the tensor 'more', unknown here"):
        read_recommender("pmixer", checkpoint(tmp_path, "pre-norm", more=torch.ones(1)))


@pytest.mark.peer
@pytest.mark.skipif(CHECKOUT is None, reason="SASREC_PYTORCH does not name the python folder of a checkout")
@pytest.mark.parametrize("name", ["pre-norm", "post-norm"])
def test_the_checkout_gives_what_is_recorded(name, tmp_path):
    script = Path(__file__).parents[2] / "peers/pmixer_scores.py"
    subprocess.run([sys.executable, str(script), str(CHECKOUT), str(tmp_path), name], check=True)
    assert (tmp_path / f"pmixer_{name}.json").read_text() == (DATA / f"pmixer_{name}.json").read_text()
