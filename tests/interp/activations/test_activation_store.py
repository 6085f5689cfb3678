import json

import numpy as np
import pandas as pd
import pytest
import torch

from interp.activations import collecting
from interp.activations.activation_store import KIND, ActivationStore
from interp.activations.collecting import collect
from interp.model.envoys import RecommenderEnvoy
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.gptrec import GPTRec
from recmodels.recommender import MODELS, Recommender


@pytest.fixture
def few(histories):
    return histories.select(np.arange(12))


def hidden_by_hand(recommender, history):
    """What a hook reads at block 0 for one history without its last item, no padding involved."""
    seen = []
    hook = recommender.model.backbone.h[0].register_forward_hook(lambda *call: seen.append(call[-1]))
    recommender.model(torch.from_numpy(history[:-1][-32:].astype(np.int64) + 1)[None])
    hook.remove()
    return seen[0][0]


def test_rows_are_every_step_but_the_last_item(recommender, few, tmp_path):
    store = collect(RecommenderEnvoy(recommender), few, tmp_path / "store", batch_size=5)
    expected = torch.cat([hidden_by_hand(recommender, few[row]) for row in range(len(few))])
    torch.testing.assert_close(torch.from_numpy(np.array(store.activations)), expected, rtol=0, atol=1e-5)
    items = [recommender.vocabulary.decode(few[row][:-1][-32:]) for row in range(len(few))]
    assert store.rows["item"].tolist() == np.concatenate(items).tolist()
    assert store.rows["user"].tolist() == few.users.repeat([len(part) for part in items]).tolist()
    assert store.rows["step"].tolist() == [step for part in items for step in range(len(part))]
    assert store.mean == pytest.approx(expected.double().mean().item(), abs=1e-6)
    assert store.std == pytest.approx(expected.double().std(correction=0).item(), rel=1e-5)


def test_batch_size_changes_nothing(recommender, few, tmp_path):
    rec = RecommenderEnvoy(recommender)
    one, all_ = (collect(rec, few, tmp_path / str(size), batch_size=size) for size in (1, 50))
    np.testing.assert_allclose(one.activations, all_.activations, rtol=0, atol=1e-5)
    assert one.rows.equals(all_.rows)


def test_an_interrupted_collection_goes_on_where_it_was(recommender, few, tmp_path, monkeypatch):
    rec = RecommenderEnvoy(recommender)
    whole = collect(rec, few, tmp_path / "whole", batch_size=3)
    read, users = collecting._read, []

    def interrupted(rec, sites, batch):
        if len(users) == 6:
            raise KeyboardInterrupt
        users.extend(batch.users)
        return read(rec, sites, batch)

    monkeypatch.setattr(collecting, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        collect(rec, few, tmp_path / "part", batch_size=3)
    with pytest.raises(InputError, match="unfinished"):
        ActivationStore.load(tmp_path / "part")
    monkeypatch.setattr(collecting, "_read", lambda *call: users.extend(call[2].users) or read(*call))
    resumed = collect(rec, few, tmp_path / "part", batch_size=3)
    assert users == few.users.tolist()
    assert resumed.fingerprint == whole.fingerprint
    assert resumed.rows.equals(whole.rows)


def test_a_finished_store_is_only_opened_again(recommender, few, tmp_path, monkeypatch):
    rec = RecommenderEnvoy(recommender)
    first = collect(rec, few, tmp_path / "store")
    monkeypatch.setattr(collecting, "_read", lambda *_: pytest.fail("read again"))
    assert collect(rec, few, tmp_path / "store").fingerprint == first.fingerprint


def test_activations_that_are_not_finite_are_refused(recommender, few, tmp_path):
    model = GPTRec(recommender.model.config)
    model.load_state_dict(recommender.model.state_dict())
    rec = RecommenderEnvoy(Recommender(model, recommender.vocabulary))
    item = int(few[4][0])
    with torch.no_grad():
        model.get_input_embeddings().weight[item + 1] = torch.nan
    with pytest.raises(InputError, match="not finite") as error:
        collect(rec, few, tmp_path / "store")
    longest = model.config.max_history
    first = next(user for place, user in enumerate(few.users) if item in few[place][:-1][-longest:])
    assert f"of user {first!r} are" in str(error.value)
    assert "\n" not in str(error.value)


def test_one_item_histories_are_refused(recommender, tmp_path):
    item = recommender.vocabulary.ids[0]
    with pytest.raises(InputError, match="at least two"):
        collect(RecommenderEnvoy(recommender), [[item]], tmp_path / "store")


def test_an_altered_store_is_refused(recommender, few, tmp_path):
    store = collect(RecommenderEnvoy(recommender), few, tmp_path / "store")
    with (store.folder / "activations.npy").open("r+b") as handle:
        handle.truncate(1000)
    with pytest.raises(InputError, match="cut short or altered"):
        ActivationStore.load(store.folder)


def test_the_layout_on_disk_is_plain(stores):
    store = stores["test"]
    about = json.loads((store.folder / "store.json").read_text())
    assert about["site"] == "blocks.0"
    assert np.load(store.folder / "activations.npy", allow_pickle=False).dtype == np.float32
    assert list(pd.read_parquet(store.folder / "rows.parquet")) == ["user", "item", "step"]


@pytest.mark.parametrize("model", MODELS)
def test_all_windows_read_the_whole_history(recommenders, few, tmp_path, model):
    recommender = recommenders[model]
    store = collect(RecommenderEnvoy(recommender), few, tmp_path / "store", windows="all")
    inputs, _ = few.split_last()
    assert store.rows["item"].tolist() == recommender.vocabulary.decode(inputs.codes).tolist()
    assert store.rows["step"].max() == recommender.model.config.max_history - 1
    with pytest.raises(InputError, match='"last" or "all"'):
        collect(RecommenderEnvoy(recommender), few, tmp_path / "other", windows="some")


@pytest.mark.parametrize("fault", ["cut", "flipped", "lost", "more", "wrong count", "record"])
def test_rows_that_are_not_what_was_left_are_read_again(recommender, few, tmp_path, monkeypatch, caplog, fault):
    rec = RecommenderEnvoy(recommender)
    whole = collect(rec, few, tmp_path / "whole", batch_size=3)
    read, users = collecting._read, []
    with monkeypatch.context() as patch:
        patch.setattr(collecting, "describe", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            collect(rec, few, tmp_path / "part", batch_size=3)
    path, record = tmp_path / "part.partial" / "activations.npy", tmp_path / "part.partial" / "progress.json"
    content, about = path.read_bytes(), json.loads(record.read_text())
    if fault == "lost":
        path.unlink()
    elif fault == "wrong count":
        record.write_text(json.dumps(about | {"rows": about["rows"] - 1}))
    elif fault == "record":
        record.write_text("[" * 10**5)
    else:
        bad = {"cut": content[:-4], "flipped": content[:-4] + b"abcd", "more": content + b"more"}
        path.write_bytes(bad[fault])
    monkeypatch.setattr(collecting, "_read", lambda *call: users.extend(call[2].users) or read(*call))
    resumed = collect(rec, few, tmp_path / "part", batch_size=3)
    assert resumed.fingerprint == whole.fingerprint
    # Bytes behind the rows that were written do no harm, and are cut off.
    assert users == ([] if fault == "more" else few.users.tolist())
    assert ("does not match its record" in caplog.text) == (fault != "more")


@pytest.mark.parametrize("value", [0.0, 3.7, -1e-3])
def test_activations_that_are_all_equal_are_refused(recommender, few, tmp_path, monkeypatch, value):
    """A site that never varies, such as a layer whose weights are 0."""
    rec = RecommenderEnvoy(recommender)
    monkeypatch.setattr(
        rec,
        "hidden_states",
        lambda batch, sites: {site: torch.full((*rec.item_steps(batch).shape, 32), value) for site in sites},
    )
    with pytest.raises(InputError, match="nothing to learn from"):
        collect(rec, few, tmp_path / "store")
    with pytest.raises(InputError, match="unfinished"):
        ActivationStore.load(tmp_path / "store")


def test_a_folder_may_be_text(recommender, few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = collect(RecommenderEnvoy(recommender), few, "store")
    assert store.folder == tmp_path / "store"
    assert ActivationStore.load("store").fingerprint == store.fingerprint


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4',\n", b"[1, 2]"])
def test_what_is_no_array_is_refused_though_it_is_sealed(recommender, few, tmp_path, content):
    store = collect(RecommenderEnvoy(recommender), few, tmp_path / "store")
    (store.folder / "activations.npy").write_bytes(content)
    artifacts.seal(store.folder, KIND, {})
    with pytest.raises(InputError, match="is damaged"):
        ActivationStore.load(store.folder)
