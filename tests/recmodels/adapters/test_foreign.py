"""Reading a checkpoint by the name of its adapter."""

import foreign_model
import numpy as np
import pytest
import torch

from recmodels.adapters import Adapter, read_recommender, register_adapter
from recmodels.adapters.registry import check_known
from recmodels.errors import InputError
from recmodels.recommender import Recommender

ITEMS = [str(number) for number in range(100, 112)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "model.pth"
    model = foreign_model.SASRec(len(ITEMS))
    torch.save({"state": model.state_dict(), "items": ITEMS, "size": 16}, path)
    return path


def test_the_scores_are_the_programs_own_and_ids_are_numbers(checkpoint):
    recommender = read_recommender("foreign", checkpoint)
    assert recommender.vocabulary.ids.tolist() == list(range(100, 112))
    history = [103, 100, 111]
    (own,) = foreign_model.expected_scores(torch.load(checkpoint), [[str(item) for item in history]])
    scores = recommender.score(recommender.histories([history]))[0]
    np.testing.assert_allclose(scores, own["scores"], atol=1e-5)


def test_options_are_the_parameters_of_the_adapters_read(checkpoint, tmp_path):
    (tmp_path / "ids.json").write_text(str(list(range(12))))
    recommender = read_recommender("foreign", str(checkpoint), {"item_ids": str(tmp_path / "ids.json"), "shift": "1"})
    assert recommender.vocabulary.ids.tolist() == [*range(1, 12), 0]


@pytest.mark.parametrize(
    ("adapter", "options", "message"),
    [
        ("nobody", {}, r"there is no adapter 'nobody': choose one of .*foreign"),
        ("foreign", {"heads": 2}, r"the adapter foreign has no option heads=…: it takes --item-ids, shift=…"),
        ("foreign", {"shift": "some"}, r"shift=… is 'some': give a whole number"),
    ],
)
def test_mistakes_are_told_in_a_line(checkpoint, adapter, options, message):
    with pytest.raises(InputError, match=message):
        read_recommender(adapter, checkpoint, options)


def test_an_option_that_is_needed_is_asked_for(checkpoint, monkeypatch):
    def read(cls, path, *, heads: int):
        raise AssertionError

    monkeypatch.setattr(foreign_model.ForeignSASRec, "read", classmethod(read))
    with pytest.raises(InputError, match="the adapter foreign needs heads=…: give it as well"):
        read_recommender("foreign", checkpoint)
    with pytest.raises(InputError, match=r"there is no checkpoint .*absent\.pth: give the file"):
        read_recommender("foreign", checkpoint.with_name("absent.pth"))


def test_what_an_adapter_makes_of_another_file_is_one_line(tmp_path):
    @register_adapter
    class Careless(Adapter):
        name = "careless"

        @classmethod
        def read(cls, path):
            return cls(torch.load(path, weights_only=True)["model"], n_items=3, max_history=5), [1, 2, 3]

    (tmp_path / "junk.pt").write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match=r"the adapter careless cannot read .*junk\.pt \(\w+: .*\): give a checkpoint"):
        read_recommender("careless", tmp_path / "junk.pt")


def test_a_saved_recommender_names_the_adapter_that_it_needs():
    with pytest.raises(InputError, match=r"needs the adapter 'nobody', .*interp --import FILE"):
        check_known("nobody")


def test_a_saved_recommender_whose_adapter_changed_is_refused(checkpoint, tmp_path, monkeypatch):
    recommender = read_recommender("foreign", checkpoint)
    recommender.save(tmp_path / "saved")
    assert Recommender.load(tmp_path / "saved").fingerprint == recommender.fingerprint
    monkeypatch.setattr(foreign_model.ForeignSASRec, "run", lambda self, b: self.module.log2feats(b.tokens(first=0)))
    with pytest.raises(InputError, match=r"the adapter 'foreign' gives other scores than when .*saved was written"):
        Recommender.load(tmp_path / "saved")
