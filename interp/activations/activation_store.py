"""Collecting activations through a trace into a memory-mapped store with the user, item and step of every row.

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
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from interp.activations.growing_rows import growing_rows
from interp.model.envoys import RecommenderEnvoy
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.json_files import read_record
from recmodels.paths import as_path
from recmodels.sequences import Histories

KIND = artifacts.Kind("activations", ("activations.npy", "rows.parquet", "store.json"))
ABOUT = {"site": str, "recommender": str, "mean": float, "std": float}  # what store.json says
PROGRESS = "progress.json"
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


def collect(
    rec: RecommenderEnvoy,
    histories: Any,
    folder: Path | str,
    site: str | None = None,
    windows: str = "last",
    batch_size: int = 128,
) -> ActivationStore:
    """Write the activations of a site at every step of every history that holds an item.

    An interrupted run resumes where it stopped; if `folder` already holds the same activations, they are only opened.

    The data points are the paper's (docs/paper.md, 3): each history without its last item, and of that the last
    `max_history` steps. BERT4Rec's final [MASK] is read by the model but is not a data point. A model without steps,
    such as a factorisation, has one hidden state for each user, which is stored beside each of these items.

    Args:
        rec: the recommender.
        histories: in any form, at least two items each.
        folder: where the store is written.
        site: where to read, one of `recmodels.config.site_names`; by default the first block, or "final" where there is
            none.
        windows: "last" reads each history's last `max_history` steps, as the paper does; "all" reads the whole history
            in windows of that length, which gives a small data set more training data.
        batch_size: histories per forward pass.

    Raises:
        InputError: a history is too short, an activation is not finite, all of them are equal, or a name is unknown.
    """
    folder = as_path(folder)
    recommender = rec.recommender
    histories, _ = recommender.histories(histories).split_last()
    length = recommender.model.config.max_history
    if windows not in ("last", "all"):
        raise InputError(f'windows is {windows!r}: choose "last" or "all"')
    has_steps = recommender.model.has_steps
    histories = histories.windows(length) if windows == "all" and has_steps else histories.last(length)
    site = recommender.model.default_site if site is None else site
    rec.site(site)  # refuses an unknown one before anything is written
    inputs = {"recommender": recommender.fingerprint, "site": site, "histories": histories.fingerprint}
    if artifacts.is_current(folder, KIND, inputs):
        return ActivationStore.load(folder)

    with artifacts.writing(folder, KIND, inputs) as partial:
        width, progress = recommender.model.width(site), partial / PROGRESS
        with growing_rows(partial / "activations.npy", progress, histories.offsets, width) as growing:
            first_user = int(np.searchsorted(histories.offsets, growing.n_rows))
            with tqdm(desc="activations", total=len(histories), initial=first_user, unit="user", leave=False) as bar:
                for start in range(first_user, len(histories), batch_size):
                    batch = histories.select(slice(start, start + batch_size))
                    growing.add(_checked(_read(rec, site, batch), batch))
                    bar.update(len(batch))
        rows = pd.DataFrame(
            {
                "user": histories.users.repeat(histories.lengths),
                "item": recommender.vocabulary.decode(histories.codes),
                "step": np.arange(len(histories.codes)) - np.repeat(histories.offsets[:-1], histories.lengths),
                **histories.columns,
            }
        )
        describe(partial, rows, recommender.fingerprint, site)
        progress.unlink()
    return ActivationStore.load(folder)


def _read(rec: RecommenderEnvoy, site: str, batch: Histories) -> np.ndarray:
    """Hidden states of all item steps, float32 [n, d]; without steps, the user's one for each item of the history."""
    hidden = rec.hidden(batch, site)
    # Rows of the mask run over users, then steps, which is the order of `batch.codes`.
    rows = hidden.cpu()[rec.item_steps(batch)].float()
    if len(rows) < len(batch.codes):
        rows = rows.repeat_interleave(torch.from_numpy(batch.lengths), dim=0)
    return rows.numpy()


def _checked(hidden: np.ndarray, batch: Histories) -> np.ndarray:
    finite = np.isfinite(hidden).all(axis=1)
    if not finite.all():
        user = batch.users.repeat(batch.lengths)[int(finite.argmin())]
        raise InputError(
            f"the activations of user {user!r} are not finite: the recommender's weights are damaged; "
            f"train it again with a lower learning rate"
        )
    return hidden


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


def describe(partial: Path, rows: pd.DataFrame, recommender: str, site: str) -> None:
    """Complete a folder that holds activations.npy: write what its rows are, and their mean and standard deviation.

    Args:
        partial: the folder.
        rows: user, item and step of each row, and what else the recommender reads of a step.
        recommender: fingerprint of the recommender.
        site: where in it the activations are.

    Raises:
        InputError: all activations are equal.
    """
    rows.to_parquet(partial / "rows.parquet", index=False)
    written = np.load(partial / "activations.npy", mmap_mode="r", allow_pickle=False)
    chunks = [written[start : start + 65536] for start in range(0, len(written), 65536)]
    mean = sum(chunk.sum(dtype=np.float64) for chunk in chunks) / written.size
    std = float(np.sqrt(sum(np.square(chunk - mean, dtype=np.float64).sum() for chunk in chunks) / written.size))
    check_spread(float(mean), std)
    artifacts.write_json(
        partial / "store.json",
        {
            "site": site,
            "recommender": recommender,
            "mean": float(mean),
            "std": std,
        },
    )
