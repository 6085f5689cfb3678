"""The scorecard: any number of dictionaries of any number of studies, side by side, by the same metrics.

Each row is kept in its study's folder, `scorecard/<site>/<dictionary>`, under the fingerprints of all that it follows
from, so that the same command goes on where it was interrupted, and a new dictionary costs one new row.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from interp.activations.training_times import training_times
from interp.features.linear_dictionaries import NAMES, linear_dictionary
from interp.pipeline.scorecard_bench import Bench
from interp.pipeline.scorecard_row import VERSION, dictionary_scores
from interp.pipeline.trained_baselines import DICTIONARY, EMBEDDINGS, FOLDER, UNTRAINED
from interp.plots.scorecard_columns import TABLE
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.keys import constants
from interp.store.table_files import read_tables, write_tables
from interp.study.study import Study
from interp.study.study import open as open_study
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.progress import tqdm
from recmodels.steady import steady

BASELINE = "baseline"  # the kind of a dictionary without training, or of other activations
ELSEWHERE = (UNTRAINED, EMBEDDINGS)  # baselines that are trained on other activations
SEEDS = (0, 1)  # of baselines, to tell how stable they are


@dataclass(frozen=True)
class Entry:
    """A dictionary of a study that gets a row.

    Attributes:
        study: the study.
        site: where it reads.
        name: the name of its folder, or of a baseline.
        trained: whether it lies in the study; if not, it is a baseline.
    """

    study: Study
    site: str
    name: str
    trained: bool

    @property
    def path(self) -> str:
        """Site and name, which `only` is compared with."""
        return f"{self.site}/{self.name}"

    @property
    def home(self) -> Path:
        """The folder of the dictionaries of its site."""
        return self.study.folder / "dictionaries" / self.site

    @property
    def elsewhere(self) -> Path | None:
        """The folder of a baseline that was trained on other activations."""
        return self.study.folder / FOLDER / self.name if self.name in ELSEWHERE and not self.trained else None

    @cached_property
    def sae(self) -> SparseAutoencoder:
        """The dictionary."""
        if self.elsewhere is not None:
            return SparseAutoencoder.load(self.elsewhere / DICTIONARY)
        return SparseAutoencoder.load(self.home / self.name) if self.trained else self.baseline(SEEDS[0])

    def baseline(self, seed: int) -> SparseAutoencoder:
        """The dictionary without training, from a seed."""
        store, chosen = self.study.activations("sae"), self.study.sae
        return linear_dictionary(self.name, store, seed, chosen.n_features, self.l0)

    @cached_property
    def l0(self) -> float:
        """Active features per step of the study's own dictionary."""
        return float(self.study.table("dictionary")["l0"].iloc[0])

    @cached_property
    def partners(self) -> list[SparseAutoencoder]:
        """The same dictionary from other seeds."""
        if self.elsewhere is not None:
            return []
        if not self.trained:
            return [self.baseline(seed) for seed in SEEDS[1:]]
        alike = replace(self.sae.config, seed=0)
        saes = [SparseAutoencoder.load(self.home / name) for name in trained(self.home) if name != self.name]
        return [sae for sae in saes if replace(sae.config, seed=0) == alike and sae.provenance == self.sae.provenance]

    @property
    def about(self) -> dict[str, Any]:
        """The first columns of its row."""
        config = self.sae.config if self.trained else None
        return {
            "run": self.study.folder.name,
            "site": self.site,
            "dictionary": self.name,
            "kind": config.trainer if config else BASELINE,
            "n_features": self.sae.n_features,
            "seed": config.seed if config else SEEDS[0],
        }


@steady()
def scorecard(*runs: Any, only: Iterable[str] = (), baselines: bool = True) -> pd.DataFrame:
    """Score the dictionaries of one or more studies by the same metrics: `interp.scorecard("artifacts/ml-1m")`.

    Args:
        *runs: folders of finished studies, or studies. All dictionaries at a study's site count, those that were
            trained into `dictionaries/<site>/` later included.
        only: patterns of a site and a name, such as "blocks.0/top_k-*"; by default all at each study's site.
        baselines: whether baselines get a row: neurons, PCA, ICA, random directions, and the study's dictionaries of
            the untrained recommender and of the item embeddings, if it has them.

    Returns:
        A row for each dictionary: run, site, dictionary, kind, n_features, seed, and the scores, NaN where one does not
        apply. `interp.plots.scorecard_columns` describes them, and docs/how-to/scorecard.md says how to read them.

    Raises:
        InputError: no run, one that is not finished, or no dictionary that a pattern fits.
    """
    if not runs:
        raise InputError("a scorecard needs runs: give the folders of one or more studies")
    studies = [run if isinstance(run, Study) else open_study(run) for run in runs]
    todo = [entry for study in studies for entry in _entries(study, list(only), baselines)]
    if not todo:
        raise InputError(f"no dictionary is called {' or '.join(only)}: the names are those in dictionaries/<site>")
    benches: dict[tuple[Path, str, Path | None], Bench] = {}
    rows = []
    for entry in tqdm(todo, desc="scoring dictionaries"):
        place = entry.study.folder, entry.site, entry.elsewhere
        if place not in benches:
            benches[place] = Bench(entry.study, entry.site, entry.elsewhere)
        rows.append(_row(entry, benches[place]))
    return pd.concat(rows, ignore_index=True)


def _entries(study: Study, only: list[str], baselines: bool) -> Iterator[Entry]:
    """The dictionaries of a study, each site's baselines after its own."""
    for home in sorted(path for path in (study.folder / "dictionaries").iterdir() if path.is_dir()):
        own = [Entry(study, home.name, name, True) for name in trained(home)]
        there = [
            name for name in ELSEWHERE if (study.folder / FOLDER / name / DICTIONARY / artifacts.MANIFEST).is_file()
        ]
        names = (*NAMES, *(there if home.name == study.site else [])) if baselines else ()
        others = [Entry(study, home.name, name, False) for name in names]
        for entry in (*own, *others):
            if any(fnmatch(entry.path, pattern) for pattern in only) if only else home.name == study.site:
                yield entry


def trained(home: Path) -> list[str]:
    """The names of the finished dictionaries in the folder of a site."""
    return sorted(path.name for path in home.iterdir() if (path / artifacts.MANIFEST).is_file())


def _row(entry: Entry, bench: Bench) -> pd.DataFrame:
    """The row of a dictionary, from its study's folder or computed."""
    folder = entry.study.folder / "scorecard" / entry.site / entry.name
    partners = entry.partners if entry.trained else []
    key = {
        "version": VERSION,
        "recommender": entry.study.record["fingerprints"]["recommender"],
        "activations": bench.fingerprints,
        "concepts": bench.concepts.fingerprint,
        "constants": artifacts.json_sha256(constants("interp.pipeline.scorecard_row")),
        "dictionary": entry.sae.fingerprint
        if entry.trained or entry.elsewhere
        else [entry.name, entry.study.sae.fingerprint],
        "partners": sorted(partner.fingerprint for partner in partners),
    }

    def make() -> dict[str, pd.DataFrame]:
        scores = dictionary_scores(bench, entry.sae, entry.partners, entry.name)
        return {TABLE.name: pd.DataFrame([entry.about | scores | {"minutes": float("nan")}])}

    write_tables(folder, (TABLE,), key, make)
    row = read_tables(folder, (TABLE,))[TABLE.name]
    seconds = training_times(entry.home).get(entry.name) if entry.trained else None
    return row.assign(run=entry.study.folder.name, minutes=float("nan") if seconds is None else seconds / 60)[
        list(TABLE.kinds)
    ]
