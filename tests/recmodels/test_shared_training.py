"""Ranks that train a recommender together, against one rank with the whole batch."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from rank_forks import launch
from test_training import TINY, data

from recmodels import rank_group, rank_tensors, ranks
from recmodels import recommender as recommenders
from recmodels.checkpoints import SealCheckpoints
from recmodels.rank_group import AGAIN
from recmodels.recommender import MODELS, Recommender
from recmodels.shared_training import SharedTrainer
from recmodels.trainer import RecommenderTrainer
from recmodels.training import fit

# 32 windows in batches of 15: the last of an epoch has 2 rows, so that of 4 ranks two have none.
EXACT = replace(TINY, dropout=0.0, batch_size=15, max_epochs=25, patience=6, learning_rate=1e-3)
RANDOM = replace(TINY, model="bert4rec", batch_size=15, loss="sampled-softmax", negatives=6)


def ragged():
    """Walks of 2 to 6 steps, so that rows have different numbers of positions."""
    train, validation = data()
    return train[train["time"] <= 1 + train["user"] % 5], validation


@pytest.fixture
def double(monkeypatch):
    """`fit` in double precision, in which Adam does not enlarge the rounding of gradients near 0."""
    monkeypatch.setattr(recommenders, "check_precision", lambda model: None)
    torch.set_default_dtype(torch.float64)
    yield fit.__wrapped__
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def validated(monkeypatch):
    """The NDCG@10 of each epoch of each training, after its step; those of ranks are in their own processes."""
    rows, evaluate = [], RecommenderTrainer.evaluate

    def recorded(self):
        rows.append([self.state.global_step, evaluate(self)["eval_ndcg@10"]])
        return {"eval_ndcg@10": rows[-1][1]}

    monkeypatch.setattr(RecommenderTrainer, "evaluate", lambda self, *_, **__: recorded(self))
    return rows


def keep(recommender, path):
    """Write the weights as they are in memory."""
    np.savez(path, **{name: x.numpy() for name, x in recommender.model.state_dict().items()})


def difference(one, other):
    one, other = np.load(one), np.load(other)
    assert {one[name].dtype for name in one} == {np.dtype(np.float64)}
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


@pytest.mark.parametrize("size", [2, 4])
def test_ranks_end_in_the_weights_of_one_rank_and_stop_at_its_epoch(monkeypatch, double, validated, tmp_path, size):
    def work(rank):
        before(
            RecommenderTrainer, "_finalize_training", lambda self, *_: keep(self.recommender, tmp_path / f"{rank}.npz")
        )
        double(*ragged(), EXACT, tmp_path / "shared", share_batches=True)
        return validated

    answers = launch(tmp_path, work, size)
    monkeypatch.setattr(
        RecommenderTrainer, "_load_best_model", lambda self: keep(self.recommender, tmp_path / "alone.npz")
    )
    double(*ragged(), EXACT, tmp_path / "alone")
    assert answers == [validated] * size
    assert 36 <= validated[-1][0] < 75  # steps; all stop at the same
    assert all(difference(tmp_path / "alone.npz", tmp_path / f"{rank}.npz") < 1e-9 for rank in range(size))
    assert not (tmp_path / "shared.checkpoints").exists()


def two_ranks(folder, owner=Recommender, name="save", call=0):
    """Train on two ranks, of which the first may be killed at a call of a method.

    Each gives the fingerprint of the recommender, the seeds of its draws, the sums of its last weights, and how often
    it sealed a checkpoint.
    """
    folder.mkdir(exist_ok=True)

    def work(rank):
        seeds, sums, sealed, calls = [], [], [], []
        before(SharedTrainer, "_finalize_training", lambda self, *_: sums.extend(map(total, self.model.parameters())))
        before(SealCheckpoints, "_seal", lambda *_: sealed.append(1))
        before(rank_tensors, "weigh_gradients", lambda *_: seeds.append(torch.initial_seed()))
        if rank == 0:
            before(owner, name, lambda *_: calls.append(1) or killed_if(len(calls) == call))
        made = fit(*data(), RANDOM, folder / "recommender", share_batches=True)
        return [made.fingerprint, seeds, sums, len(sealed)]

    return launch(folder, work, 2)


def before(owner, name, call):
    """In this process, call something before a method."""
    method = getattr(owner, name)
    setattr(owner, name, lambda *inputs, **more: (call(*inputs), method(*inputs, **more))[1])


def killed_if(now):
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


def total(x):
    return float(x.double().sum())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What two ranks give that are left alone."""
    return two_ranks(tmp_path_factory.mktemp("whole"))


def test_ranks_draw_numbers_of_their_own_and_keep_the_same_weights(whole):
    (fingerprint, seeds, sums, sealed), (other, other_seeds, other_sums, none) = whole
    assert len(set(seeds + other_seeds)) == 2 * 3 * TINY.max_epochs  # three steps an epoch
    assert (other, other_sums) == (fingerprint, sums)
    assert (sealed, none) == (TINY.max_epochs, 0)


@pytest.mark.parametrize(
    ("owner", "name", "call", "steps"),
    [
        (SealCheckpoints, "_seal", 2, 6),
        (Recommender, "save", 1, 0),
    ],
)
def test_after_the_first_rank_is_killed_the_same_command_goes_on(whole, tmp_path, owner, name, call, steps):
    killed, other = two_ranks(tmp_path, owner, name, call)
    assert killed == -signal.SIGKILL
    assert f"the process that keeps the ranks' counters has ended, or cannot be reached: {AGAIN}" in other
    (fingerprint, seeds, *_), (_, other_seeds, *_) = two_ranks(tmp_path)
    assert fingerprint == whole[0][0]
    assert seeds == whole[0][1][len(whole[0][1]) - steps :]
    assert other_seeds == whole[1][1][len(whole[1][1]) - steps :]
    assert not (tmp_path / "recommender.checkpoints").exists()


def test_another_number_of_ranks_goes_on(monkeypatch, double, validated, tmp_path):
    """Three, of which one is killed in the third epoch, and then one."""
    for module in (ranks, rank_group):
        monkeypatch.setattr(module, "BEAT", 0.2)  # seconds, of which others wait some for a word of that rank

    def work(rank):
        if rank == 2:
            before(SharedTrainer, "training_step", lambda self, *_: killed_if(self.state.global_step == 7))
        double(*ragged(), EXACT, tmp_path / "shared", share_batches=True)

    first, second, killed = launch(tmp_path, work, 3)
    assert killed == -signal.SIGKILL
    assert all(f"another rank has ended without a word: {AGAIN}" in answer for answer in (first, second))
    keep(double(*ragged(), EXACT, tmp_path / "shared", share_batches=True), tmp_path / "shared.npz")
    assert validated[0][0] == 9
    keep(double(*ragged(), EXACT, tmp_path / "alone"), tmp_path / "alone.npz")
    assert difference(tmp_path / "alone.npz", tmp_path / "shared.npz") < 1e-9


def test_fewer_rows_than_ranks_are_refused_in_a_line(tmp_path):
    few = replace(TINY, batch_size=1)
    answers = launch(tmp_path, lambda rank: fit(*data(), few, tmp_path / "r", share_batches=True), 2)
    says = "training.batch_size is 1, which 2 ranks cannot share: set it to 2 or more, or leave out share_batches"
    assert all(answer.endswith(says) for answer in answers)


def test_ranks_with_other_data_are_refused_in_a_line(tmp_path):
    answers = launch(tmp_path, lambda rank: fit(*data(seed=rank), TINY, tmp_path / "r", share_batches=True), 2)
    assert all("rank 1 has other data or settings than rank 0: give all machines the same" in one for one in answers)


def test_a_model_with_a_loss_of_its_own_is_trained_by_one_rank(tmp_path, monkeypatch, capfd):
    class OwnLoss(MODELS["gptrec"]):
        def forward(self, input_ids, labels=None):
            return super().forward(input_ids, labels)

    config, trained = replace(TINY, max_epochs=1, model="own"), []
    monkeypatch.setitem(MODELS, "own", OwnLoss)
    monkeypatch.setattr(SharedTrainer, "training_step", None)

    def work(rank):
        before(RecommenderTrainer, "training_step", lambda *_: trained.append(1))
        return [fit(*data(), config, tmp_path / "r", share_batches=True).fingerprint, len(trained)]

    (one, steps), (other, none) = launch(tmp_path, work, 2)
    assert (one, steps, none) == (other, 2, 0)
    assert capfd.readouterr().out.startswith("own computes its own loss, which need not be a mean over rows: one rank")
