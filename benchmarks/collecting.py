"""How long collecting takes beside the forward passes that it cannot do without.

It reads the output of a block at every step of every history, in turns: ours, which checks, hashes and writes it; the
forward pass that stops after the block, which is the limit; the whole forward pass; a plain hook and a bare nnsight
trace of it, whose rows are kept in memory. nnterp gives language models common names, and traces as nnsight does. Then
all sites of a study at once, and one after another. The recommender has the size of ML-1M's, with random weights.
Waiting for the disk is left out: the system's `fsync` does nothing meanwhile.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import nnsight
import numpy as np
import pandas as pd
import torch

from benchmarks.timing import Row, checked, compare
from interp.activations.collecting import collect, collect_sites
from interp.model.envoys import RecommenderEnvoy
from interp.presets import SITES
from recmodels.gptrec import GPTRec, GPTRecConfig
from recmodels.recommender import Recommender
from recmodels.sequences import Histories, Vocabulary

SITE = "blocks.0"
BATCH = 256  # that of `collect`
ROWS = 300_000  # activations of a site


class _Stop(Exception):
    """Ends a forward pass."""


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """All rows: one site, and all sites of a study."""
    torch.set_num_threads(1)
    rec, histories = recommender(), of_items(2_000 if small else ROWS)
    with tempfile.TemporaryDirectory() as name, without_fsync():
        return one_site(rec, histories, Path(name), repeats) + all_sites(rec, histories, Path(name), repeats)


def one_site(rec: RecommenderEnvoy, histories: Histories, folder: Path, repeats: int) -> list[Row]:
    """Ours, the truncated forward pass, and a plain hook; our rows are those of the hook."""
    stores, kept, traces = [], [], []
    ways = {
        "ours": lambda: stores.append(collect(rec, histories, folder / f"one-{len(stores)}", SITE)),
        "forward pass up to the block": lambda: forward(rec, histories, SITE),
        "whole forward pass": lambda: forward(rec, histories),
        "plain hook, in memory": lambda: kept.append(hooked(rec, histories)),
        "bare nnsight trace, in memory": lambda: traces.append(traced(rec, histories)),
    }
    rows = compare(f"collecting {SITE}, {len(histories.codes) - len(histories)} rows", ways, repeats)
    apart = [float(np.abs(stores[-1].activations - other[-1]).max()) for other in (kept, traces)]
    ok = max(apart) <= 1e-5
    return checked(
        rows, "ours", ok, largest_difference_from_the_hook=apart[0], largest_difference_from_the_trace=apart[1]
    )


def all_sites(rec: RecommenderEnvoy, histories: Histories, folder: Path, repeats: int) -> list[Row]:
    """Ours in one pass, one site after another, and the forward pass up to the last site."""
    together, apart = [], []

    def each() -> None:
        place = folder / f"each-{len(apart)}"
        apart.append({site: collect(rec, histories, place / site, site) for site in SITES})

    ways = {
        "ours": lambda: together.append(
            collect_sites(rec, histories, {site: folder / f"all-{len(together)}" / site for site in SITES})
        ),
        "one site after another": each,
        "forward pass up to the last site": lambda: forward(rec, histories, SITES[-1]),
    }
    rows = compare(f"collecting {len(SITES)} sites", ways, repeats)
    same = all(together[-1][site].fingerprint == store.fingerprint for site, store in apart[-1].items())
    return checked(rows, "ours", same, same_bytes_as_one_after_another=same)


def recommender() -> RecommenderEnvoy:
    """An untrained GPTRec of the size of ML-1M's."""
    torch.manual_seed(0)
    items = 3706
    return RecommenderEnvoy(Recommender(GPTRec(GPTRecConfig(n_items=items)), Vocabulary(pd.RangeIndex(1, items + 1))))


def of_items(rows: int) -> Histories:
    """Histories of 65 different items each, so that a site has 64 rows of each."""
    users, rng = -(-rows // 64), np.random.default_rng(0)
    codes = np.concatenate([rng.permutation(3706)[:65] for _ in range(users)]).astype(np.int32)
    return Histories(pd.RangeIndex(users), codes, np.arange(0, 65 * users + 1, 65))


@torch.no_grad()
def forward(rec: RecommenderEnvoy, histories: Histories, site: str | None = None) -> None:
    """Bare forward passes, that end at a site if there is one; nothing is kept."""
    model = rec.recommender.model

    def stop(*_: object) -> None:
        if site:
            raise _Stop

    hook = model.get_submodule(model.sites[site or SITE]).register_forward_hook(stop)
    try:
        for batch in histories.split_last()[0].batches(BATCH):
            try:
                model(model.inference_inputs(batch))
            except _Stop:
                continue
    finally:
        hook.remove()


@torch.no_grad()
def hooked(rec: RecommenderEnvoy, histories: Histories) -> np.ndarray:
    """What a plain hook reads, [n, d], in whole forward passes."""
    model, outputs = rec.recommender.model, []
    hook = model.get_submodule(model.sites[SITE]).register_forward_hook(lambda *call: outputs.append(call[-1]))
    try:
        for batch in histories.split_last()[0].batches(BATCH):
            model(model.inference_inputs(batch))
    finally:
        hook.remove()
    return torch.cat(outputs).flatten(0, 1).numpy()


@torch.no_grad()
def traced(rec: RecommenderEnvoy, histories: Histories) -> np.ndarray:
    """What a bare trace of nnsight reads, [n, d]."""
    model, outputs = rec.recommender.model, []
    name, envoy = model.sites[SITE], nnsight.NNsight(rec.recommender.model)
    for batch in histories.split_last()[0].batches(BATCH):
        with envoy.trace(model.inference_inputs(batch)):
            output = envoy.get(name).output.save()
        outputs.append(output)
    return torch.cat(outputs).flatten(0, 1).numpy()


@contextmanager
def without_fsync() -> Iterator[None]:
    """What waits for the disk returns at once."""
    with mock.patch.object(os, "fsync"):
        yield
