"""Fitting a recommender with transformers' Trainer: early stopping on held-out users, resume after a kill."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.trainer import DEFAULT_PROGRESS_CALLBACK
from transformers.utils import logging as transformers_logging

from recmodels import artifacts, folders
from recmodels.checkpoints import SealCheckpoints, checkpoints_folder, last_checkpoint
from recmodels.config import TrainingConfig
from recmodels.console import say
from recmodels.devices import to_usual_device, usual_device
from recmodels.errors import InputError
from recmodels.losses import name_of_loss, objective
from recmodels.model import SequentialRecommender
from recmodels.paths import as_path
from recmodels.progress import tqdm
from recmodels.ranking import list_metrics
from recmodels.recommender import KIND, Recommender, lists_key, model_class
from recmodels.sequences import Histories, histories_of
from recmodels.steady import steady
from recmodels.vocabulary import Vocabulary

VALIDATED = 2**33  # scores after each epoch: all prefixes of ML-20M, 8,600 in a catalogue of a million items


@steady()
def fit(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    config: TrainingConfig,
    folder: Path | str,
    vocabulary: Vocabulary | None = None,
    keep_seen: bool = False,
) -> Recommender:
    """Train a recommender and write it to `folder`.

    A killed run resumes where it stopped; if `folder` already holds the result of the same data and configuration, it
    is only loaded.

    Args:
        train: interactions to learn from.
        validation: interactions of other users, whose last items are held out for early stopping; or of the same, with
            later items, of which none that was trained on is held out.
        config: model size and optimisation.
        folder: where the recommender is written. Checkpoints lie in `<folder>.checkpoints` until then.
        vocabulary: the items to know; by default those of `train` and `validation`.
        keep_seen: whether its lists may repeat the items of a history, here already, where they decide when to stop.

    Returns:
        The recommender of the epoch with the best validation NDCG@10.

    Raises:
        InputError: an unknown model; no user with two items to learn from or to validate on; another process trains
            it; `folder` holds something else; or the disk is full.
    """
    folder = as_path(folder)
    config.check()
    model_class(config.model)  # refuses an unknown one before any work is done
    vocabulary = vocabulary or Vocabulary.of(pd.concat([train, validation]))
    train_histories, validation_histories = histories_of(train, vocabulary), histories_of(validation, vocabulary)
    inputs: dict[str, Any] = {
        "training": config,
        "train": train_histories.fingerprint,
        "validation": validation_histories.fingerprint,
        # Histories hold codes: without the ids, the same sequences over other items would look the same.
        "vocabulary": artifacts.json_sha256(vocabulary.ids.tolist()),
        **lists_key(keep_seen),
    }
    checkpoints = checkpoints_folder(folder)
    if artifacts.is_current(folder, KIND, inputs):
        if folders.read_mark(checkpoints, str(KIND)):  # the run was killed before it deleted its checkpoints
            with artifacts.claim(folder, KIND):
                folders.remove(checkpoints, str(KIND))
        return Recommender.load(folder)
    windows = training_windows(train_histories, config)
    prefixes = affordable(
        validation_prefixes(validation_histories, config.validation_items, train_histories), len(vocabulary)
    )
    if not len(prefixes):
        raise InputError(
            "no held-out user has two interactions to stop by, the last of them not trained on: give longer histories"
        )
    with artifacts.claim(folder, KIND):
        folders.check_removable(checkpoints, str(KIND))
        return _train(windows, prefixes, vocabulary, config, folder, inputs, keep_seen)


def _train(
    windows: Histories,
    prefixes: Histories,
    vocabulary: Vocabulary,
    config: TrainingConfig,
    folder: Path,
    inputs: dict[str, Any],
    keep_seen: bool,
) -> Recommender:
    """Train, from the last checkpoint if there is one, and write the result."""
    transformers_logging.disable_progress_bar()
    checkpoints = checkpoints_folder(folder)
    folders.work_in(checkpoints, str(KIND), inputs)
    checkpoint = last_checkpoint(checkpoints)
    set_seed(config.seed)
    model = build(config, len(vocabulary))
    if config.loss is None and name_of_loss(config, len(vocabulary)) != "full" and model.has_usual_loss:
        say(
            f"{len(vocabulary):,} items are many: training compares with {config.negatives:,} sampled ones "
            f"(sampled-softmax, corrected); --training.loss full compares with all"
        )
    model.objective = objective(config, model, np.bincount(windows.codes, minlength=len(vocabulary)))
    recommender = Recommender(model, vocabulary, keep_seen)
    trainer = _Trainer(recommender, windows, prefixes, config, checkpoints)
    with _only_errors():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if not all(torch.isfinite(weights).all() for weights in model.parameters()):
        raise InputError("the training diverged, its weights are not finite: lower the learning rate")
    to_usual_device(model)
    recommender.save(folder, inputs)
    folders.remove(checkpoints, str(KIND))
    return recommender


def initial(config: TrainingConfig, vocabulary: Vocabulary) -> Recommender:
    """The recommender that `fit` starts from: the weights before the first step. No random state is touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = build(config, len(vocabulary))
    to_usual_device(model)
    return Recommender(model, vocabulary)


def build(config: TrainingConfig, n_items: int) -> SequentialRecommender:
    """An untrained model of the configured size."""
    model = model_class(config.model)
    return model(
        model.config_class(
            n_items=n_items,
            max_history=config.max_history,
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            dropout=config.dropout,
        )
    )


def training_windows(histories: Histories, config: TrainingConfig) -> Histories:
    """Stretches of at most `max_history` + 1 items to train on, each as a history of its own.

    With windows="last" each user gives the last one; with "all" the whole history is cut from its end, and
    neighbours share one item, so that every item but the first is predicted once.

    Raises:
        InputError: `windows` is neither, or no history has two items.
    """
    histories = histories.select(np.flatnonzero(histories.lengths >= 2))
    if not len(histories):
        raise InputError("no user has two interactions, so there is nothing to predict: give longer histories")
    length = config.max_history + 1
    if config.windows == "last":
        return histories.last(length)
    if config.windows == "all":
        return histories.windows(length, overlap=1)
    raise InputError(f'windows is {config.windows!r}: choose "last" or "all"')


def validation_prefixes(histories: Histories, n: int, train: Histories) -> Histories:
    """Each history cut after its last item, the one before, … `n` times, as long as two items are left.

    Where a history goes on from one of `train`, of the same user, only what comes after that is a last item.
    """
    lengths, known = train.lengths, np.zeros(len(histories), dtype=np.int64)
    for place, row in enumerate(train.users.get_indexer(histories.users)):
        if row >= 0 and np.array_equal(train[row], histories[place][: lengths[row]]):
            known[place] = lengths[row]
    owner, cut = np.repeat(np.arange(len(histories)), n), np.tile(np.arange(n), len(histories))
    starts, ends = histories.offsets[:-1][owner], histories.offsets[1:][owner] - cut
    kept = ends - starts >= np.maximum(known[owner] + 1, 2)
    return Histories.from_ranges(histories.users[owner[kept]], histories.codes, starts[kept], ends[kept])


def affordable(prefixes: Histories, n_items: int) -> Histories:
    """All prefixes, or as many, drawn at random, as give `VALIDATED` scores; it is said if some are left out."""
    most = max(VALIDATED // n_items, 1)
    if len(prefixes) <= most:
        return prefixes
    say(f"{n_items:,} items are many: training stops by {most:,} of {len(prefixes):,} held-out interactions")
    return prefixes.select(np.sort(np.random.default_rng(0).choice(len(prefixes), most, replace=False)))


class _Trainer(Trainer):
    """transformers' Trainer on windows of histories, validated by NDCG@10 of held-out users."""

    def __init__(
        self,
        recommender: Recommender,
        windows: Histories,
        validation: Histories,
        config: TrainingConfig,
        checkpoints: Path,
    ) -> None:
        self.held_out, self.recommender, model = validation, recommender, recommender.model
        super().__init__(
            model,
            TrainingArguments(
                output_dir=str(checkpoints),
                per_device_train_batch_size=config.batch_size,
                num_train_epochs=config.max_epochs,
                learning_rate=config.learning_rate,
                lr_scheduler_type="constant",
                weight_decay=0.0,
                max_grad_norm=0.0,
                eval_strategy="epoch",
                save_strategy="epoch",
                logging_strategy="no",
                load_best_model_at_end=True,
                # Otherwise patience would start anew with every resumption.
                restore_callback_states_from_checkpoint=True,
                metric_for_best_model="ndcg@10",
                greater_is_better=True,
                seed=config.seed,
                remove_unused_columns=False,
                dataloader_pin_memory=False,
                report_to=[],
                use_cpu=usual_device() == "cpu",
            ),
            train_dataset=range(len(windows)),
            eval_dataset=range(len(validation)),
            data_collator=lambda rows: model.training_batch(windows.select(np.array(rows))),
            callbacks=[EarlyStoppingCallback(config.patience), SealCheckpoints(), _Progress(config)],
        )
        self.remove_callback(DEFAULT_PROGRESS_CALLBACK)  # which is another one in Jupyter
        self.remove_callback(PrinterCallback)

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """NDCG@10 and the other ranking metrics on the held-out users."""
        self.recommender.model.eval()
        inputs, truth = self.held_out.split_last()
        values = list_metrics(self.recommender.rank(inputs), truth, np.arange(len(self.recommender.vocabulary)))
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in values.items()}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class _Progress(TrainerCallback):
    """One bar over steps that shows the validation metric.

    Its end is where early stopping would end if no epoch were better than the best so far, so it moves away as the
    metric rises.
    """

    FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"

    def __init__(self, config: TrainingConfig) -> None:
        self.config, self.best_epoch, self.steps = config, 0, 1
        self.bar = tqdm(desc=f"training {config.model}", bar_format=self.FORMAT)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps = max(1, state.max_steps // self.config.max_epochs)  # of an epoch
        self.best_epoch = (state.best_global_step or 0) // self.steps
        self.bar.initial = self.bar.n = state.global_step
        self._aim(state.global_step // self.steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update(state.global_step - self.bar.n)

    def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        ndcg, epoch = more["metrics"]["eval_ndcg@10"], state.global_step // self.steps
        if state.best_metric is None or ndcg > state.best_metric:
            self.best_epoch = epoch
        self.bar.set_postfix_str(f"NDCG {ndcg:.3f}, best {max(ndcg, state.best_metric or 0):.3f}", refresh=False)
        self._aim(epoch)

    def _aim(self, done: int) -> None:
        """Where the bar ends, after so many epochs."""
        last = min(self.config.max_epochs, self.best_epoch + self.config.patience)
        self.bar.total = last * self.steps
        least = "" if last == self.config.max_epochs else "≥ "
        self.bar.set_description_str(f"epoch {min(done + 1, last)} of {least}{last}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.close()


@contextmanager
def _only_errors() -> Iterator[None]:
    """Silence warnings of transformers about file times, which do not matter here."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)
