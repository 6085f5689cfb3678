"""Fitting a recommender with transformers' Trainer: early stopping on held-out users, resume after a kill."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import set_seed
from transformers.utils import logging as transformers_logging

from recmodels import artifacts, folders, ranks
from recmodels.checkpoints import checkpoints_folder, last_checkpoint
from recmodels.config import TrainingConfig
from recmodels.config_keys import description
from recmodels.console import say
from recmodels.devices import to_usual_device
from recmodels.errors import InputError
from recmodels.losses import name_of_loss, objective
from recmodels.model import SequentialRecommender
from recmodels.paths import as_path
from recmodels.recommender import KIND, Recommender, lists_key, model_class
from recmodels.sequences import Histories, histories_of
from recmodels.shared_training import SharedTrainer, train_on_ranks
from recmodels.steady import steady
from recmodels.trainer import RecommenderTrainer, only_errors
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
    share_batches: bool = False,
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
        share_batches: whether ranks (`recmodels.ranks`), all of which call this, train it together, each on its share
            of every batch. Weights then differ by rounding, and by the numbers that are drawn.

    Returns:
        The recommender of the epoch with the best validation NDCG@10.

    Raises:
        InputError: an unknown model; no user with two items to learn from or to validate on; another process trains
            it; `folder` holds something else; or the disk is full. Of ranks that share batches: fewer rows in a batch
            than ranks; or another rank has ended.
    """
    config.check()
    with train_on_ranks(model_class(config.model), config, share_batches):
        return _fit(train, validation, config, as_path(folder), vocabulary, keep_seen)


def _fit(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    config: TrainingConfig,
    folder: Path,
    vocabulary: Vocabulary | None,
    keep_seen: bool,
) -> Recommender:
    """`fit` on the ranks that train together, the first of which writes."""
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
    ranks.agree("other data or settings", artifacts.json_sha256(description(inputs)))
    checkpoints = checkpoints_folder(folder)
    if ranks.gather(ranks.is_first() and artifacts.is_current(folder, KIND, inputs))[0]:
        # The run may have been killed before it deleted its checkpoints.
        if ranks.is_first() and folders.read_mark(checkpoints, str(KIND)):
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
    with artifacts.claim(folder, KIND) if ranks.is_first() else nullcontext():
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
    if ranks.is_first():
        folders.check_removable(checkpoints, str(KIND))
        folders.work_in(checkpoints, str(KIND), inputs)
    last = last_checkpoint(checkpoints) if ranks.is_first() else None
    if last := ranks.gather(last and last.name)[0]:
        ranks.see(checkpoints / last / artifacts.MANIFEST)
    set_seed(config.seed)
    model = build(config, len(vocabulary))
    if config.loss is None and name_of_loss(config, len(vocabulary)) != "full" and model.has_usual_loss:
        say(
            f"{len(vocabulary):,} items are many: training compares with {config.negatives:,} sampled ones "
            f"(sampled-softmax, corrected); --training.loss full compares with all"
        )
    model.objective = objective(config, model, np.bincount(windows.codes, minlength=len(vocabulary)))
    recommender = Recommender(model, vocabulary, keep_seen)
    trainer = RecommenderTrainer if ranks.count() == 1 else SharedTrainer
    with only_errors():
        trainer(recommender, windows, prefixes, config, checkpoints).train(
            resume_from_checkpoint=str(checkpoints / last) if last else None
        )
    ranks.barrier()  # until nobody reads checkpoints
    with ranks.first_before_others():
        if not ranks.is_first():
            ranks.see(folder / artifacts.MANIFEST)
            return Recommender.load(folder)
        return _saved(recommender, folder, inputs)


def _saved(recommender: Recommender, folder: Path, inputs: dict[str, Any]) -> Recommender:
    """Write what was trained, and delete the checkpoints."""
    model = recommender.model
    if not all(torch.isfinite(weights).all() for weights in model.parameters()):
        raise InputError("the training diverged, its weights are not finite: lower the learning rate")
    to_usual_device(model)
    recommender.save(folder, inputs)
    folders.remove(checkpoints_folder(folder), str(KIND))
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
