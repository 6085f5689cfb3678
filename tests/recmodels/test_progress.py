"""Progress bars: how wide they are, where they are silent, and where the bar of a training ends."""

import io

import pytest
from transformers import TrainerState

from recmodels.config import TrainingConfig
from recmodels.progress import tqdm
from recmodels.trainer import _Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bars_are_silent_where_there_is_no_terminal():
    log, terminal = io.StringIO(), Terminal()
    for file in (log, terminal):
        list(tqdm(range(3), desc="counting", file=file, ncols=80))
    assert log.getvalue() == ""
    assert "counting:   0%|" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")  # and nothing is left of it


@pytest.fixture
def bar():
    """The bar of a training of 10 steps an epoch, 40 epochs at most, patience 3."""
    progress, state = _Progress(TrainingConfig(max_epochs=40, patience=3)), TrainerState(max_steps=400)
    progress.bar.disable = True  # its numbers alone
    return progress, state


def epoch(progress, state, ndcg):
    state.global_step += 10
    progress.on_step_end(None, state, None)
    progress.on_evaluate(None, state, None, metrics={"eval_ndcg@10": ndcg})
    state.best_metric = max(ndcg, state.best_metric or 0)


def test_a_training_ends_where_patience_does(bar):
    progress, state = bar
    progress.on_train_begin(None, state, None)
    totals = [progress.bar.total]
    for ndcg in (0.1, 0.2, 0.15, 0.2, 0.1):  # the last three are no better than the best
        epoch(progress, state, ndcg)
        totals.append(progress.bar.total)
    assert totals == [30, 40, 50, 50, 50, 50]
    assert state.global_step == progress.bar.total


def test_a_training_that_goes_on_starts_where_it_was(bar):
    progress, state = bar
    state.global_step, state.best_metric, state.best_global_step = 60, 0.2, 50
    progress.on_train_begin(None, state, None)
    assert (progress.bar.n, progress.bar.total) == (60, 80)
    state.global_step, state.best_global_step = 390, 390
    progress.on_train_begin(None, state, None)
    assert progress.bar.total == 400


def test_the_bar_of_a_training_fits_80_columns():
    bar = tqdm(
        desc="epoch 114 of ≥ 123",
        bar_format=_Progress.FORMAT,
        total=123_456,
        file=Terminal(),
        ncols=80,
        dynamic_ncols=False,
    )
    bar.n, bar.start_t = 98_765, bar.start_t - 3_000
    bar.set_postfix_str("NDCG 0.123, best 0.124", refresh=False)
    line = str(bar)
    bar.close()
    assert len(line) <= 80
    assert line.endswith("]")  # nothing was cut
    assert line.count("|") == 2
