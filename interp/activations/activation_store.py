"""A memory-mapped store of activations with the user, item and step of every row.

Disk layout, one folder (see `recmodels.artifacts`):

    activations.npy   float32 [n, d], row after row: users in order, each one's steps oldest first
    rows.parquet      user, item (your ids), step (0 is the first step the model read); n rows
    store.json        site, recommender fingerprint, mean and std over all entries

Axes: n rows (one user at one step), d hidden size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from recmodels import artifacts
from recmodels.errors import InputError, check_kind
from recmodels.json_files import read_record
from recmodels.paths import as_path

KIND = artifacts.Kind("activations", ("activations.npy", "rows.parquet", "store.json"))
ABOUT = {"site": str, "recommender": str, "mean": float, "std": float}  # what store.json says
ROUNDING = 1e-12  # of the mean; float32 activations that differ at all lie further apart


@dataclass(frozen=True)
class ActivationStore:
    """Activations of one site, memory-mapped.

    Attributes:
        folder: where it lies.
        activations: float32 [n, d], read-only.
        rows: the user, item and step of each row.
        site: the place in the recommender, one of `recmodels.config.site_names`.
        recommender: fingerprint of the recommender.
        mean: mean of all entries.
        std: standard deviation of all entries.
    """

    folder: Path
    activations: np.ndarray
    rows: pd.DataFrame
    site: str
    recommender: str
    mean: float
    std: float

    def __len__(self) -> int:
        return len(self.activations)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the activations, as the manifest records it."""
        return artifacts.read_manifest(self.folder, KIND)["files"]["activations.npy"]["sha256"]

    @cached_property
    def users(self) -> tuple[np.ndarray, pd.Index]:
        """Each row's user as a number from 0, int64 [n], and the users in that order."""
        return pd.factorize(self.rows["user"])

    def batches(self, size: int = 4096) -> Iterator[torch.Tensor]:
        """All rows in order, float32 [≤ size, d]."""
        for start in range(0, len(self), size):
            yield torch.from_numpy(np.array(self.activations[start : start + size]))

    @classmethod
    def load(cls, folder: Path | str) -> "ActivationStore":
        """Open a finished store after checking every file.

        Raises:
            InputError: the folder is missing, unfinished or altered.
        """
        folder = as_path(folder)
        artifacts.verify(folder, KIND)
        return cls.opened(folder)

    @classmethod
    def opened(cls, folder: Path) -> "ActivationStore":
        """A store whose files were written, or checked, just now.

        Raises:
            InputError: a file does not hold what it should.
        """
        advice = f"delete {folder} and run its step again"
        about = read_record(folder / "store.json", ABOUT, advice)
        try:
            activations = np.load(folder / "activations.npy", mmap_mode="r", allow_pickle=False)
            rows = pd.read_parquet(folder / "rows.parquet")
        except Exception as error:  # numpy reads a header by Python's own parser, which fails in many ways
            raise InputError(f"{folder} is damaged ({error}): {advice}") from None
        if activations.dtype != np.float32 or activations.ndim != 2 or len(rows) != len(activations):
            raise InputError(f"{folder} holds no float32 activations with a row of rows.parquet each: {advice}")
        return cls(folder, activations, rows, **{name: about[name] for name in ABOUT})


def check_spread(mean: float, std: float) -> None:
    """Refuse activations that are all equal: divided by their standard deviation, they would be rounding errors.

    Raises:
        InputError: the standard deviation is no more than what rounding the mean leaves.
    """
    if not std > ROUNDING * abs(mean):
        raise InputError(
            f"all activations are {mean:g}, so there is nothing to learn from: read another site, or train the "
            f"recommender again"
        )


def check_store(store: object) -> None:
    """Refuse what is no activation store.

    Raises:
        InputError: it is none.
    """
    check_kind(
        "the store of activations", store, ActivationStore, "what interp.collect returns, or study.activations()"
    )


def describe(partial: Path, rows: pd.DataFrame, recommender: str, site: str, moments: tuple[float, float]) -> None:
    """Complete a folder that holds activations.npy: write what its rows are, and their mean and standard deviation.

    Args:
        partial: the folder.
        rows: user, item and step of each row, and what else the recommender reads of a step.
        recommender: fingerprint of the recommender.
        site: where in it the activations are.
        moments: mean and standard deviation of all entries.

    Raises:
        InputError: all activations are equal.
    """
    check_spread(*moments)
    rows.to_parquet(partial / "rows.parquet", index=False)
    mean, std = moments
    about = {"site": site, "recommender": recommender, "mean": mean, "std": std}
    artifacts.write_json(partial / "store.json", about)
