import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import Trainer

import recmodels.model
from recmodels import losses, trainer, training
from recmodels.config import TrainingConfig
from recmodels.errors import InputError
from recmodels.ranking import evaluate
from recmodels.recommender import MODELS, Recommender
from recmodels.sequences import Histories
from recmodels.training import build, fit, training_windows, validation_prefixes
from recmodels.vocabulary import Vocabulary

TINY = TrainingConfig(
    max_history=8, hidden_size=8, num_hidden_layers=1, batch_size=16, max_epochs=3, learning_rate=1e-2
)


def histories(lists, users=None):
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    codes = np.array([code for one in lists for code in one], dtype=np.int32)
    return Histories(pd.Index(range(len(lists)) if users is None else users), codes, offsets)


def as_lists(histories):
    return [one.tolist() for one in histories]


def table(rows):
    return pd.DataFrame(rows, columns=["user", "item", "time"])


def data(seed=0, users=40):
    """Walks on a circle of 12 items: train and validation."""
    starts = np.random.default_rng(seed).integers(0, 12, users)
    rows = table([(u, (start + s) % 12, s) for u, start in enumerate(starts) for s in range(6)])
    return rows[rows["user"] < 32], rows[rows["user"] >= 32]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What a run that is left alone gives, of every model."""
    folder = tmp_path_factory.mktemp("whole")
    return {model: fit(*data(), dataclasses.replace(TINY, model=model), folder / model) for model in MODELS}


lengths = st.lists(st.integers(1, 30), min_size=1, max_size=6).filter(lambda lengths: max(lengths) >= 2)


def numbered(lengths):
    """Histories in which no code occurs twice, so that a code tells the user and the step."""
    ends = np.cumsum(lengths)
    return [list(range(end - length, end)) for end, length in zip(ends, lengths, strict=True)]


@pytest.mark.parametrize(
    ("windows", "expected", "users"),
    [
        ("last", [[3, 4, 5, 6], [1, 2], [5, 6, 7, 8]], [10, 12, 13]),
        ("all", [[0, 1, 2, 3], [3, 4, 5, 6], [1, 2], [5, 6, 7, 8]], [10, 10, 12, 13]),
    ],
)
def test_windows_by_hand(windows, expected, users):
    made = training_windows(
        histories([[0, 1, 2, 3, 4, 5, 6], [9], [1, 2], [5, 6, 7, 8]], [10, 11, 12, 13]),
        TrainingConfig(max_history=3, windows=windows),
    )
    assert (as_lists(made), made.users.tolist()) == (expected, users)


@given(lengths, st.integers(1, 9))
def test_all_windows_predict_every_item_but_the_first_once(lengths, most):
    lists = numbered(lengths)
    config = TrainingConfig(max_history=most, windows="all")
    windows = as_lists(training_windows(histories(lists), config))
    assert all(2 <= len(window) <= most + 1 for window in windows)
    assert all(window == list(range(window[0], window[-1] + 1)) for window in windows)
    predicted = [code for window in windows for code in window[1:]]
    assert sorted(predicted) == [code for one in lists for code in one[1:]]


@given(lengths, st.integers(1, 9))
def test_last_windows_are_the_ends_of_histories(lengths, most):
    lists = numbered(lengths)
    windows = training_windows(histories(lists), TrainingConfig(max_history=most, windows="last"))
    assert as_lists(windows) == [one[-most - 1 :] for one in lists if len(one) >= 2]


def test_windows_that_cannot_be_cut():
    with pytest.raises(InputError, match=r"^windows is 'first': choose .last. or .all.$"):
        training_windows(histories([[1, 2]]), TrainingConfig(windows="first"))
    with pytest.raises(InputError, match=r"^no user has two interactions, so there is nothing to predict: \w+"):
        training_windows(histories([[1], [2]]), TrainingConfig())


NOBODY = histories([], [])


def test_nothing_that_was_trained_on_is_predicted_in_validation():
    """Of a, the last item alone is new; b is someone else of that name; c has nothing new, and d no history."""
    train = histories([[1, 2, 3], [9, 8], [5, 6]], ["a", "b", "c"])
    made = validation_prefixes(histories([[1, 2, 3, 4], [8, 9, 7], [5, 6], [3, 4]], ["a", "b", "c", "d"]), 2, train)
    assert as_lists(made) == [[1, 2, 3, 4], [8, 9, 7], [8, 9], [3, 4]]
    assert made.users.tolist() == ["a", "b", "b", "d"]


def test_prefixes_by_hand():
    made = validation_prefixes(histories([[1, 2, 3, 4], [5, 6], [7]], ["a", "b", "c"]), 2, NOBODY)
    assert as_lists(made) == [[1, 2, 3, 4], [1, 2, 3], [5, 6]]
    assert made.users.tolist() == ["a", "a", "b"]


@given(lengths, st.integers(1, 40))
def test_prefixes_as_lists(lengths, n):
    lists = numbered(lengths)
    expected = [one[: len(one) - cut] for one in lists for cut in range(n) if len(one) - cut >= 2]
    assert as_lists(validation_prefixes(histories(lists), n, NOBODY)) == expected


def test_fitting_learns_the_planted_data(recommender, histories, split):
    catalogue = np.arange(len(recommender.vocabulary))
    seen = np.bincount(recommender.vocabulary.encode(split.recommender["item"]), minlength=len(catalogue))
    popular = torch.from_numpy(seen).float()
    ndcg = evaluate(recommender.score, histories, catalogue)["ndcg@10"]
    baseline = evaluate(lambda batch: popular.expand(len(batch), -1), histories, catalogue)["ndcg@10"]
    assert baseline > 0.05
    assert ndcg > 2 * baseline


@pytest.mark.parametrize("model", MODELS)
def test_fitting_learns_which_items_go_together(tmp_path, model):
    """Each user takes 6 of the 10 items of one of two shelves: the other 4 are to be recommended."""

    def shelves(seed, users):
        rng = np.random.default_rng(seed)
        taken = [(user, rng.permutation(10)[:6]) for user in range(users)]
        return table([(user, 10 * (user % 2) + item, s) for user, items in taken for s, item in enumerate(items)])

    config = dataclasses.replace(TINY, model=model, hidden_size=16, dropout=0.0, batch_size=32, max_epochs=15)
    recommender = fit(shelves(0, 200), shelves(1, 20), config, tmp_path / "recommender")
    lists = recommender.recommend(shelves(2, 50), k=4)
    assert (lists["item"] // 10 == lists["user"] % 2).mean() > 0.95
    untrained = Recommender(build(config, 20), recommender.vocabulary).recommend(shelves(2, 50), k=4)
    assert (untrained["item"] // 10 == untrained["user"] % 2).mean() < 0.6


class Interrupted(KeyboardInterrupt):
    """Not a plain KeyboardInterrupt, which a test run takes for the user's."""


def count(monkeypatch, owner, name, last=None):
    """The list that calls of a method will be added to; the call number `last` (from 1) raises."""
    calls, method = [], getattr(owner, name)

    def counted(*args, **kwargs):
        calls.append(name)
        if len(calls) == last:
            raise Interrupted
        return method(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)
    return calls


def interrupted_fit(monkeypatch, owner, name, call, *inputs):
    with monkeypatch.context() as patch:
        count(patch, owner, name, call)
        with pytest.raises(Interrupted):
            fit(*inputs)


@pytest.mark.parametrize(
    ("model", "owner", "name", "call", "evaluations"),
    [
        # In the middle of epoch 2 (2 steps each): epochs 2 and 3 are left.
        ("gptrec", Trainer, "training_step", 4, 2),
        ("gptrec", trainer._Progress, "on_evaluate", 1, 3),
        ("gptrec", trainer._Progress, "on_evaluate", 3, 1),
        # The items that BERT4Rec hides are drawn anew in every epoch.
        ("bert4rec", Trainer, "training_step", 4, 2),
        ("bert4rec", trainer._Progress, "on_evaluate", 3, 1),
        # While the checkpoint of epoch 2 is being written, and just before its last file is.
        ("gptrec", Trainer, "_save_optimizer_and_scheduler", 2, 2),
        ("gptrec", Trainer, "_save_rng_state", 2, 2),
        # When all epochs are done but the recommender is not written.
        ("gptrec", trainer._Progress, "on_train_end", 1, 0),
        ("gptrec", Recommender, "save", 1, 0),
    ],
)
def test_an_interrupted_run_goes_on_to_the_same_weights(
    tmp_path, monkeypatch, uninterrupted, model, owner, name, call, evaluations
):
    """Also where the whole run was moved in between."""
    config = dataclasses.replace(TINY, model=model)
    interrupted_fit(monkeypatch, owner, name, call, *data(), config, tmp_path / "before" / "recommender")
    assert not (tmp_path / "before" / "recommender").exists()
    folder = (tmp_path / "before").rename(tmp_path / "after") / "recommender"
    evaluated = count(monkeypatch, trainer.RecommenderTrainer, "evaluate")
    assert fit(*data(), config, folder).fingerprint == uninterrupted[model].fingerprint
    assert len(evaluated) == evaluations
    assert [path.name for path in folder.parent.iterdir()] == ["recommender"]


@pytest.mark.parametrize("call", [1, 3])
def test_patience_counts_across_interruptions(tmp_path, monkeypatch, call):
    """As good as nothing is learnt: the first epoch stays the best, so 3 epochs more are waited for, 4 in all."""
    config = dataclasses.replace(TINY, learning_rate=1e-9, patience=3, max_epochs=9)
    inputs = (*data(), config, tmp_path / "recommender")
    interrupted_fit(monkeypatch, trainer._Progress, "on_save", call, *inputs)
    evaluated = count(monkeypatch, trainer.RecommenderTrainer, "evaluate")
    fit(*inputs)
    assert len(evaluated) == 4 - call


def test_checkpoints_of_other_settings_or_data_are_not_taken_up(tmp_path, monkeypatch, uninterrupted):
    other = dataclasses.replace(TINY, dropout=0.2)
    for inputs in ((*data(), other), (*data(seed=1), TINY)):
        inputs = (*inputs, tmp_path / "recommender")
        interrupted_fit(monkeypatch, trainer._Progress, "on_evaluate", 2, *inputs)
        assert list((tmp_path / "recommender.checkpoints").glob("checkpoint-*"))
    assert fit(*data(), TINY, tmp_path / "recommender").fingerprint == uninterrupted["gptrec"].fingerprint


@pytest.mark.parametrize("model", MODELS)
def test_the_seed_decides(tmp_path, uninterrupted, model):
    config = dataclasses.replace(TINY, model=model)
    torch.manual_seed(99)
    assert fit(*data(), config, tmp_path / "same").fingerprint == uninterrupted[model].fingerprint
    other = fit(*data(), dataclasses.replace(config, seed=1), tmp_path / "other")
    assert other.fingerprint != uninterrupted[model].fingerprint


@pytest.mark.parametrize("model", MODELS)
def test_the_initial_recommender_is_the_one_that_fitting_starts_from(tmp_path, model):
    """After an epoch of steps that are too small to see, the weights are still the initial ones."""
    config = dataclasses.replace(TINY, model=model, max_epochs=1, learning_rate=1e-9)
    state = torch.random.get_rng_state()
    before = training.initial(config, Vocabulary(pd.Index(range(12), name="item")))
    assert torch.equal(torch.random.get_rng_state(), state)
    after = fit(*data(), config, tmp_path / "fitted")
    assert after.vocabulary.ids.equals(before.vocabulary.ids)
    for weights, initial in zip(after.model.parameters(), before.model.parameters(), strict=True):
        torch.testing.assert_close(weights, initial, rtol=0, atol=1e-6)


def test_a_second_call_only_loads(tmp_path, monkeypatch):
    folder = tmp_path / "recommender"
    config = dataclasses.replace(TINY, max_epochs=1)
    first = fit(*data(), config, folder)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert fit(*data(), config, folder).fingerprint == first.fingerprint
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    fit(*data(), dataclasses.replace(config, max_history=7), folder)
    assert (folder / "model.safetensors").stat().st_mtime_ns != written


def test_items_of_other_names_are_other_data(tmp_path):
    config = dataclasses.replace(TINY, max_epochs=1)
    fit(*data(), config, tmp_path / "recommender")
    renamed = [part.assign(item=part["item"] + 100) for part in data()]
    made = fit(*renamed, config, tmp_path / "recommender")
    assert made.vocabulary.ids.tolist() == list(range(100, 112))
    wider = Vocabulary(pd.Index(range(100, 115), name="item"))
    assert len(fit(*renamed, config, tmp_path / "recommender", wider).vocabulary) == 15


def test_the_best_epoch_is_kept_not_the_last(tmp_path):
    """The model unlearns when its learning rate is absurd."""
    config = dataclasses.replace(TINY, learning_rate=0.3, max_epochs=4)
    rows = [fit(*data(), dataclasses.replace(config, max_epochs=n), tmp_path / str(n)) for n in (1, 2, 3, 4)]
    prefixes = validation_prefixes(rows[0].histories(data()[1]), 10, NOBODY)
    ndcg = [evaluate(row.score, prefixes, np.arange(12))["ndcg@10"] for row in rows]
    assert ndcg == sorted(ndcg)
    assert len({row.fingerprint for row in rows}) < len(rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "lstm"}, "^unknown model 'lstm': choose one of gptrec, bert4rec, or register your own first"),
        ({"windows": "first"}, r"^training\.windows is 'first': choose one of last, all"),
        ({"validation_items": 0}, r"^training\.validation_items is 0: it must be at least 1"),
    ],
)
def test_settings_that_make_no_sense(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        fit(*data(), dataclasses.replace(TINY, **change), tmp_path / "recommender")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("train", "validation", "message"),
    [
        (data()[0].head(1), data()[1], "^no user has two interactions"),
        (data()[0], data()[1].head(1), "^no held-out user has two interactions"),
        (data()[0].head(0), data()[1], "^no interactions, so no histories"),
        (data()[0], data()[1].head(0), "^no interactions, so no histories"),
    ],
)
def test_data_that_nothing_can_be_learnt_from(tmp_path, train, validation, message):
    with pytest.raises(InputError, match=message):
        fit(train, validation, TINY, tmp_path / "recommender")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", MODELS)
def test_build_makes_the_configured_model(kind):
    sizes = {"max_history": 7, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3}
    model = build(TrainingConfig(model=kind, dropout=0.5, **sizes), 5)
    assert type(model) is MODELS[kind]
    found = {name: getattr(model.config, name) for name in ("max_history", "hidden_size", "dropout", "n_items")}
    assert found == {"max_history": 7, "hidden_size": 12, "dropout": 0.5, "n_items": 5}
    backbone = model.backbone.config
    assert (backbone.num_hidden_layers, backbone.num_attention_heads, backbone.hidden_size) == (2, 3, 12)


def test_a_folder_may_be_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = fit(*data(), dataclasses.replace(TINY, max_epochs=1), "runs/recommender")
    made.save("copy")
    assert Recommender.load("copy").fingerprint == Recommender.load(tmp_path / "runs" / "recommender").fingerprint


def test_lists_that_may_repeat_do_so_in_training_and_after_loading(tmp_path):
    # Everyone goes to and fro between two of 12 items, so the next item is always one of the history.
    rows = table([(u, (u % 6) + 6 * (s % 2), s) for u in range(40) for s in range(6)])
    parts = rows[rows["user"] < 32], rows[rows["user"] >= 32]
    config = dataclasses.replace(TINY, max_epochs=6, validation_items=3)
    fresh = fit(*parts, config, tmp_path / "r")
    again = fit(*parts, config, tmp_path / "r", keep_seen=True)  # not the folder of other lists
    loaded = Recommender.load(tmp_path / "r")
    assert (fresh.keep_seen, again.keep_seen, loaded.keep_seen) == (False, True, True)
    users = loaded.histories([[0, 6, 0, 6]])
    assert set(loaded.recommend(users, 2)["item"]) == {0, 6}
    assert not fresh.recommend(users, 12)["item"].isin([0, 6]).any()
    assert fresh.fingerprint != again.fingerprint  # without a hit there is no epoch that is better than the first
    np.testing.assert_array_equal(fit(*parts, config, tmp_path / "r", keep_seen=True).rank(users), again.rank(users))


def test_padding_and_groups_of_like_length_change_no_gradient(monkeypatch):
    """Rows of 1 to 8 items, encoded one by one, in pairs, and together."""
    config = dataclasses.replace(TINY, dropout=0.0)
    batches = [histories([list(range(n + 1)) for n in (3, 8, 1, 5, 2)])]
    for model in MODELS:
        torch.manual_seed(0)
        network = build(dataclasses.replace(config, model=model), 12)
        torch.manual_seed(1)
        batch = network.training_batch(batches[0])
        made = []
        for group in (1, 2, 99):
            monkeypatch.setattr(recmodels.model, "GROUP", group)
            network.zero_grad()
            network(**batch).loss.backward()
            made.append([weights.grad.clone() for weights in network.parameters()])
        for gradients in made[:2]:
            for gradient, exact in zip(gradients, made[2], strict=True):
                torch.testing.assert_close(gradient, exact, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", ["sampled-softmax", "gbce"])
def test_sampled_losses_learn(loss):
    """Walks on a circle of 12 items, of which 8 are drawn."""
    lists = [[(start + step) % 12 for step in range(6)] for start in range(12)]
    config = dataclasses.replace(TINY, hidden_size=16, dropout=0.0, loss=loss, negatives=8)
    torch.manual_seed(0)
    model = build(config, 12)
    model.objective = losses.objective(config, model, np.ones(12))
    batch, optimizer = model.training_batch(histories(lists)), torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()
    hits = model(batch["input_ids"]).scores.argmax(dim=1).numpy() == [one[-1] for one in lists]
    assert hits.sum() >= 10


def test_a_sampled_loss_resumes_with_the_same_samples(tmp_path, monkeypatch):
    config = dataclasses.replace(TINY, loss="sampled-softmax", negatives=6)
    whole = fit(*data(), config, tmp_path / "whole")
    interrupted_fit(monkeypatch, Trainer, "training_step", 4, *data(), config, tmp_path / "interrupted")
    assert fit(*data(), config, tmp_path / "interrupted").fingerprint == whole.fingerprint


def test_many_items_are_sampled_by_default_and_this_is_said(tmp_path, monkeypatch, capsys):
    config = dataclasses.replace(TINY, max_epochs=1)
    monkeypatch.setattr(losses, "MOST_ITEMS", 11)
    fit(*data(), config, tmp_path / "sampled")
    fit(*data(), dataclasses.replace(config, loss="full"), tmp_path / "full")
    assert capsys.readouterr().out == (
        "12 items are many: training compares with 1,024 sampled ones (sampled-softmax, corrected); "
        "--training.loss full compares with all\n"
    )


def test_a_model_with_a_loss_of_its_own_takes_no_other(tmp_path):
    class OwnLoss(MODELS["gptrec"]):
        def forward(self, input_ids, labels=None):
            return super().forward(input_ids, labels)

    with pytest.raises(InputError, match=r"^training\.loss gbce plays no part in gptrec, which computes its own loss"):
        losses.objective(dataclasses.replace(TINY, loss="gbce"), OwnLoss(MODELS["gptrec"].config_class()), np.ones(1))
