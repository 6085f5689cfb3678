"""A few scores that are kept with a recommender, to notice later that its adapter computes something else.

A fingerprint of weights and ids does not see the code of an adapter, which may change between two sessions.
"""

from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.json_files import read_json
from recmodels.sequences import Histories
from recmodels.tolerance import is_close

SAMPLE = "sample.json"
ITEMS = 100  # of each history, at most


class Scorer(Protocol):
    """The part of a recommender that is used."""

    @property
    def model(self) -> Any:
        """The network."""

    def score(self, histories: Histories) -> Tensor:
        """[b, v] scores."""


def sample(recommender: Scorer) -> list[list[float]]:
    """Scores of the first items after a short and a long history of any items."""
    model = recommender.model
    histories = model.example_histories((min(2, model.config.max_history), model.config.max_history))
    return recommender.score(histories)[:, :ITEMS].tolist()


def write_sample(recommender: Scorer, folder: Path) -> None:
    """Keep a sample in the folder of a recommender."""
    artifacts.write_json(folder / SAMPLE, sample(recommender))


def check_sample(recommender: Scorer, folder: Path) -> None:
    """Compare with the sample that was kept in a folder, if there is one.

    Raises:
        InputError: the scores differ, or the file is damaged.
    """
    path = folder / SAMPLE
    if not path.exists():
        return
    now = torch.tensor(sample(recommender))
    try:
        kept = torch.tensor(read_json(path, f"delete {folder}"))
        same = kept.shape == now.shape and bool(is_close(now, kept).all())
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{path} is damaged: delete {folder} and run its step again") from None
    if not same:
        raise InputError(
            f"the adapter {recommender.model.config.adapter or type(recommender.model.adapter).__name__!r} gives other "
            f"scores than when {folder} was written: use the code of that time, or run the study in another folder "
            f"(--out)"
        )
