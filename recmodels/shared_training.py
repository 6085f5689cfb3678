"""A recommender that all ranks train together, each on its share of the rows of every batch.

A step is that of the whole batch: gradients are means over all positions to predict, whatever rank has their rows. What
is drawn for a step (dropout, hidden items, samples to compare with) follows from the seed, the step and the rank.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import TrainingArguments

from recmodels import rank_tensors, ranks
from recmodels.config import TrainingConfig
from recmodels.console import say
from recmodels.devices import usual_device
from recmodels.errors import InputError
from recmodels.model import IGNORE, SequentialRecommender
from recmodels.sequences import Histories
from recmodels.trainer import LENGTH, RecommenderTrainer


@contextmanager
def train_on_ranks(model: type[SequentialRecommender], config: TrainingConfig, share: bool) -> Iterator[None]:
    """Let ranks train a model together while the body runs, or let this one do so by itself.

    Raises:
        InputError: some ranks would never have a row.
    """
    if not share or ranks.count() == 1:
        with ranks.alone():
            yield
    elif model.forward is not SequentialRecommender.forward:
        say(f"{config.model} computes its own loss, which need not be a mean over rows: one rank trains it")
        with ranks.first_before_others(), ranks.alone():
            yield
    elif config.batch_size < ranks.count():
        raise InputError(
            f"training.batch_size is {config.batch_size}, which {ranks.count()} ranks cannot share: set it to "
            f"{ranks.count()} or more, or leave out share_batches"
        )
    else:
        with rank_tensors.connected(usual_device()):
            yield


class _OwnGPU(TrainingArguments):
    """Settings of transformers' Trainer that keep it on this rank's GPU: it takes the first, or all of them."""

    @cached_property
    def _setup_devices(self) -> torch.device:
        own = torch.cuda.current_device() if usual_device() == "cuda" else None
        device = super()._setup_devices
        if own is None:
            return device
        torch.cuda.set_device(own)
        self._n_gpu = 1
        return torch.device("cuda", own)


class SharedTrainer(RecommenderTrainer):
    """Walks through the same batches on every rank, and takes this rank's share of each; the first rank writes."""

    arguments = _OwnGPU

    def batch(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """The numbers of the windows: each rank makes its share of the batch when its step comes."""
        return {"rows": torch.tensor(rows)}

    def training_step(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """Leave the gradients of the whole batch, and return the loss of this rank's share."""
        model.train()
        n, loss = 0, torch.zeros((), device=self.args.device)
        with rank_tensors.shared_batch(inputs["rows"].cpu().numpy()) as rows, self._draws():
            if len(rows):
                share = self._prepare_inputs(super().batch(rows.tolist()))
                n = int((share["labels"] != IGNORE).sum())
            if n:
                loss = model(**share).loss
                loss.backward()
            rank_tensors.weigh_gradients(model, n)
        return loss.detach()

    @contextmanager
    def _draws(self) -> Iterator[None]:
        """Draw the numbers of this step and rank, and none from the state that ranks have in common."""
        key = [self.config.seed, self.state.global_step, rank_tensors.sharing()[0]]
        with torch.random.fork_rng(devices=[self.args.device] if self.args.device.type == "cuda" else []):
            torch.manual_seed(int(np.random.default_rng(key).integers(2**63)))
            yield

    def lists(self, histories: Histories) -> np.ndarray:
        """Each rank makes its share of the lists, and all get the same ones, so that they stop at the same epoch."""
        lists = np.zeros((len(histories), LENGTH), dtype=np.int64)
        with rank_tensors.shared_batch(np.arange(len(histories))) as rows:
            if len(rows):
                lists[rows] = super().lists(histories.select(rows))
            ranks.barrier()  # one may be slow, but must live
            return rank_tensors.total(torch.from_numpy(lists).to(self.args.device)).cpu().numpy()

    def _save_checkpoint(self, *inputs: Any) -> None:
        if ranks.is_first():
            super()._save_checkpoint(*inputs)

    def _load_best_model(self) -> None:
        if ranks.is_first():
            super()._load_best_model()
