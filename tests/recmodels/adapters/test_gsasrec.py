import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from adapters.checkpoints import gsasrec as checkpoint
from adapters.recorded import DATA, check_scores, recorded

from recmodels.adapters import read_recommender
from recmodels.errors import InputError
from recmodels.recommender import Recommender

# A checkout of github.com/asash/gSASRec-pytorch, which no package index has.
CHECKOUT = os.environ.get("GSASREC_PYTORCH")
CONFIG = """
from config import GSASRecExperimentConfig

config = GSASRecExperimentConfig(dataset_name='ml1m', sequence_length=6, {rest})
"""


@pytest.mark.parametrize("name", ["untied", "tied"])
def test_scores_are_those_of_its_get_predictions(name, tmp_path):
    recommender = read_recommender("gsasrec", checkpoint(tmp_path, name), {"heads": "2"})
    check_scores(recommender, recorded(f"gsasrec_{name}")[0]["expected"])
    recommender.save(tmp_path / "recommender")
    check_scores(Recommender.load(tmp_path / "recommender"), recorded(f"gsasrec_{name}")[0]["expected"])


def test_the_embeddings_that_are_read_are_not_those_that_score(tmp_path):
    model = read_recommender("gsasrec", checkpoint(tmp_path), {"heads": 2}).model
    tensors = recorded("gsasrec_untied")[1]
    torch.testing.assert_close(model.item_embeddings(), tensors["item_embedding.weight"][1:21])
    torch.testing.assert_close(model.output_weights(), tensors["output_embedding.weight"][1:21])


def test_positions_count_from_the_start_of_the_padding_so_the_width_stays(tmp_path):
    adapter = read_recommender("gsasrec", checkpoint(tmp_path), {"heads": 2}).model.adapter
    assert adapter.full_width
    with torch.no_grad():
        narrow = adapter.module(torch.tensor([[3, 4]]))[0, -1]
        wide = adapter.module(torch.tensor([[21, 21, 21, 21, 3, 4]]))[0, -1]
    assert (narrow - wide).abs().max() > 0.01


def test_heads_are_read_from_the_configuration_which_is_not_run(tmp_path):
    config = tmp_path / "config_shop.py"
    config.write_text(CONFIG.format(rest="num_heads=2") + "raise SystemExit", encoding="utf-8")
    recommender = read_recommender("gsasrec", checkpoint(tmp_path), {"config": config})
    check_scores(recommender, recorded("gsasrec_untied")[0]["expected"])
    config.write_text(CONFIG.format(rest=""), encoding="utf-8")  # four heads are the default
    assert read_recommender("gsasrec", checkpoint(tmp_path), {"config": config}).model.adapter.settings["heads"] == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CONFIG.format(rest="num_heads=1 + 1"), "gives num_heads as '1 + 1', not as a number: give heads=… instead"),
        ("heads = 2", "has no GSASRecExperimentConfig: give heads=… instead"),
        ("heads =", "cannot be read (invalid syntax"),
    ],
)
def test_a_configuration_without_heads_is_refused(text, message, tmp_path):
    (tmp_path / "config.py").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_recommender("gsasrec", checkpoint(tmp_path), {"config": tmp_path / "config.py"})
    assert message in str(refusal.value)


def test_what_does_not_fit_is_refused(tmp_path):
    path = checkpoint(tmp_path)
    with pytest.raises(
        InputError, match=r"does not tell how many heads its attention has: give heads=… or config=FILE"
    ):
        read_recommender("gsasrec", path)
    with pytest.raises(InputError, match="has width 8, which 3 attention heads cannot share"):
        read_recommender("gsasrec", path, {"heads": 3})
    (tmp_path / "ids.json").write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(InputError, match=r"has 2 ids, and .* 20 items: give one for each"):
        read_recommender("gsasrec", path, {"heads": 2, "item_ids": tmp_path / "ids.json"})
    with pytest.raises(InputError, match="has the tensor 'more', unknown here"):
        read_recommender("gsasrec", checkpoint(tmp_path, more=torch.ones(1)), {"heads": 2})
    torch.save({"weight": torch.ones(2)}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="is not a checkpoint of gSASRec-pytorch"):
        read_recommender("gsasrec", tmp_path / "model.pt", {"heads": 2})


@pytest.mark.peer
@pytest.mark.skipif(CHECKOUT is None, reason="GSASREC_PYTORCH does not name a checkout")
def test_the_checkout_gives_what_is_recorded(tmp_path):
    script = Path(__file__).parents[2] / "peers/gsasrec_scores.py"
    subprocess.run([sys.executable, str(script), str(CHECKOUT), str(tmp_path)], check=True)
    for name in ("untied", "tied"):
        assert (tmp_path / f"gsasrec_{name}.json").read_text() == (DATA / f"gsasrec_{name}.json").read_text()
