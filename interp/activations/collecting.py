"""Collecting activations of one or several sites in one pass over the histories.

While the recommender reads a batch, a second thread checks, hashes and writes the one before.

Axes: n rows (one user at one step), d hidden size.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from interp.activations.activation_store import KIND, ActivationStore, describe
from interp.activations.growing_rows import GrowingRows, NotFinite, growing_rows
from interp.activations.shards import rows_reader, shards
from interp.model.envoys import RecommenderEnvoy, check_envoy
from recmodels import artifacts, ranks
from recmodels.errors import InputError
from recmodels.paths import as_path
from recmodels.progress import tqdm
from recmodels.sequences import Histories

PROGRESS = "progress.json"


def collect(
    rec: RecommenderEnvoy,
    histories: Any,
    folder: Path | str,
    site: str | None = None,
    windows: str = "last",
    batch_size: int = 256,
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
    check_envoy(rec)
    site = rec.recommender.model.default_site if site is None else site
    return collect_sites(rec, histories, {site: folder}, windows, batch_size)[site]


def collect_sites(
    rec: RecommenderEnvoy,
    histories: Any,
    folders: Mapping[str, Path | str],
    windows: str = "last",
    batch_size: int = 256,
) -> dict[str, ActivationStore]:
    """`collect` at several sites, site → folder, in one pass over the histories; a store for each site.

    A site whose folder already holds its activations is not read again, and one that was interrupted goes on. Several
    ranks (`recmodels.ranks`) each read some of the histories (`interp.activations.shards`).
    """
    recommender = rec.recommender
    histories, _ = recommender.histories(histories).split_last()
    length = recommender.model.config.max_history
    if windows not in ("last", "all"):
        raise InputError(f'windows is {windows!r}: choose "last" or "all"')
    in_windows = windows == "all" and recommender.model.has_steps
    histories = histories.windows(length) if in_windows else histories.last(length)
    inputs = {}
    for site in folders:
        rec.site(site)  # refuses an unknown one before anything is written
        inputs[site] = {"recommender": recommender.fingerprint, "site": site, "histories": histories.fingerprint}
    places = {site: as_path(folder) for site, folder in folders.items()}
    todo = {site: place for site, place in places.items() if not artifacts.is_current(place, KIND, inputs[site])}
    if ranks.count() > 1 and todo:
        with shards(todo, inputs, histories, batch_size) as parts:
            for part in ranks.share(parts):
                _collect_shard(rec, histories.select(part.users), part.folders, batch_size)
            if ranks.is_first():
                _write(rec, histories, todo, inputs, batch_size, rows_reader(parts))
    elif todo:
        _write(rec, histories, todo, inputs, batch_size)
    return {site: ActivationStore.opened(place) for site, place in places.items()}


def _collect_shard(rec: RecommenderEnvoy, histories: Histories, places: Mapping[str, Path], batch_size: int) -> None:
    """The activations of some histories as stores of their own, unless they are there."""
    about = {"recommender": rec.recommender.fingerprint, "histories": histories.fingerprint}
    inputs = {site: {"site": site, **about} for site in places}
    todo = {site: place for site, place in places.items() if not artifacts.is_current(place, KIND, inputs[site])}
    if todo:
        _write(rec, histories, todo, inputs, batch_size)


def _write(
    rec: RecommenderEnvoy,
    histories: Histories,
    places: Mapping[str, Path],
    inputs: Mapping[str, dict[str, Any]],
    batch_size: int,
    read_rows: Callable[[Sequence[str], int, int], dict[str, np.ndarray]] | None = None,
) -> None:
    """Write the store of each site; `read_rows` gives rows that were collected before, by their numbers."""
    with ExitStack() as stack:
        digests: dict[str, dict[str, str]] = {site: {} for site in places}
        partials = {
            site: stack.enter_context(artifacts.writing(place, KIND, inputs[site], digests[site]))
            for site, place in places.items()
        }
        growing = _write_rows(rec, histories, partials, batch_size, read_rows)
        rows = _rows(rec, histories)
        for site, partial in partials.items():
            digests[site]["activations.npy"] = growing[site].sha256
            describe(partial, rows, rec.recommender.fingerprint, site, growing[site].moments)
            (partial / PROGRESS).unlink()


def _write_rows(
    rec: RecommenderEnvoy,
    histories: Histories,
    partials: Mapping[str, Path],
    batch_size: int,
    read_rows: Callable[[Sequence[str], int, int], dict[str, np.ndarray]] | None,
) -> dict[str, GrowingRows]:
    """Read the histories from the first that a site lacks, and add their rows to each site that lacks them."""
    growing: dict[str, GrowingRows] = {}
    with ExitStack() as stack:
        for site, partial in partials.items():
            path, width = partial / "activations.npy", rec.recommender.model.width(site)
            file = growing_rows(path, partial / PROGRESS, histories.offsets, width)
            growing[site] = stack.enter_context(file)
        first = int(np.searchsorted(histories.offsets, min(rows.n_rows for rows in growing.values())))
        writer = stack.enter_context(ThreadPoolExecutor(1, "activations"))
        bar = stack.enter_context(tqdm(desc="activations", total=len(histories), initial=first, unit="user"))
        written: Future[None] | None = None
        for start in range(first, len(histories), batch_size):
            batch = histories.select(slice(start, start + batch_size))
            rows = int(histories.offsets[start]), int(histories.offsets[start + len(batch)])
            hidden = _read(rec, list(growing), batch) if read_rows is None else read_rows(list(growing), *rows)
            if written is not None:
                written.result()
            written = writer.submit(_add, growing, hidden, histories.users, rows[0])
            bar.update(len(batch))
        if written is not None:
            written.result()
    return growing


def _read(rec: RecommenderEnvoy, sites: Sequence[str], batch: Histories) -> dict[str, np.ndarray]:
    """Hidden states of all item steps, float32 [n, d]; without steps, the user's one for each item of the history."""
    # Rows of the mask run over users, then steps, which is the order of `batch.codes`.
    places = rec.item_steps(batch).flatten().nonzero().squeeze(1)
    if len(places) < len(batch.codes):
        places = places.repeat_interleave(torch.from_numpy(batch.lengths))
    rows: dict[str, np.ndarray] = {}
    for site, hidden in rec.hidden_states(batch, sites).items():
        states = hidden.flatten(0, 1)
        if len(places) != len(states):  # else they are all states, in their order
            states = states.index_select(0, places.to(states.device))
        rows[site] = states.float().cpu().numpy()
    return rows


def _add(growing: Mapping[str, GrowingRows], hidden: Mapping[str, np.ndarray], users: pd.Index, first: int) -> None:
    """Add the rows of a batch, the first of which is row `first`, to each site that lacks them."""
    for site, rows in growing.items():
        if rows.n_rows < first + len(hidden[site]):
            try:
                rows.add(hidden[site][rows.n_rows - first :])
            except NotFinite as error:
                user = users[[error.user]].tolist()[0]
                raise InputError(
                    f"the activations of user {user!r} are not finite: the recommender's weights are damaged; "
                    f"train it again with a lower learning rate"
                ) from None


def _rows(rec: RecommenderEnvoy, histories: Histories) -> pd.DataFrame:
    """User, item and step of each row, and what else the recommender reads of a step."""
    return pd.DataFrame(
        {
            "user": histories.users.repeat(histories.lengths),
            "item": rec.recommender.vocabulary.decode(histories.codes),
            "step": np.arange(len(histories.codes)) - np.repeat(histories.offsets[:-1], histories.lengths),
            **histories.columns,
        }
    )
