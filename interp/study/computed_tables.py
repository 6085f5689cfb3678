"""Tables of a study with another dictionary than the run chose: each analysis is computed when it is first asked for.

What does not depend on the dictionary is read from the run: items, users, the comparison of dictionaries. The rest is
computed from the run's recommender, users and activations, and kept under `features/<site>/<dictionary>/tables`. Two
inputs are less than the run had: the item table is the study's own (titles and the concepts' attribute, no further
columns), and there are no baselines and no further attributes, which only a run makes.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.collecting import collect
from interp.control.user_metrics import own_metrics
from interp.features.steered_sample import steered_sample
from interp.model.envoys import RecommenderEnvoy
from interp.store.analysis import Analysis, table_of
from interp.store.keys import analysis_key
from interp.store.registry import owner
from interp.store.table_files import TableReader, write_tables
from interp.study.bundle_record import check_in_bundle
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.recommender import lists_key
from recmodels.sequences import Histories

StudyParts: TypeAlias = Any  # interp.study.study_parts.StudyParts, which imports this module
Input: TypeAlias = Callable[[StudyParts, RecommenderEnvoy], Any]

# Inputs that are another with another dictionary; analyses that need one of them are computed again.
OF_DICTIONARY: dict[str, Input] = {
    "sae": lambda study, rec: study.sae,
    "site": lambda study, rec: study.site,
    "train_store": lambda study, rec: study.activations("sae"),
    "validation_store": lambda study, rec: study.activations("sae_validation"),
    "test_store": lambda study, rec: study.activations("test"),
    "train_features": lambda study, rec: study.feature_matrix("sae"),
    "validation_features": lambda study, rec: study.feature_matrix("sae_validation"),
    "test_features": lambda study, rec: study.feature_matrix("test"),
    "baselines": lambda study, rec: [],
}
OTHERS: dict[str, Input] = {
    "rec": lambda study, rec: rec,
    "concepts": lambda study, rec: study.concepts,
    "attribute": lambda study, rec: study.attribute,
    "other_concepts": lambda study, rec: {},
    "catalogue": lambda study, rec: _catalogue(study),
    "validation_users": lambda study, rec: study.users("sae_validation"),
    "test_users": lambda study, rec: study.users("test"),
    "steered_users": lambda study, rec: _steered(study, rec, "test"),
    "steered_validation_users": lambda study, rec: _steered(study, rec, "sae_validation"),
    "steered": lambda study, rec: list(study.config.get("steered", ())),
    "values": lambda study, rec: list(study.config["values"]),
    "own_metrics": lambda study, rec: own_metrics(),
}


class ComputedTables:
    """Reads a study's tables, after computing those of its other dictionary.

    Args:
        study: with a dictionary that the run did not choose.
        tables: those of the run.
    """

    def __init__(self, study: StudyParts, tables: TableReader) -> None:
        self.study = study
        self.tables = tables
        self.recommender = study.record["fingerprints"]["recommender"]
        self.folder = study.of_dictionary / "tables"
        self.computed = TableReader(self.folder, self.recommender)
        self.keys: dict[str, dict[str, Any]] = {}

    def __call__(self, name: str) -> pd.DataFrame:
        """A table by name, computed if it is not there.

        Raises:
            InputError: there is no such table, or it cannot be computed from what a study holds.
        """
        analysis = owner(name)
        if not _depends(analysis):
            return self.tables(name)
        self._make(analysis)
        return self.computed(name)

    @cached_property
    def rec(self) -> RecommenderEnvoy:
        """The recommender with the dictionary alone, as analyses of a run read it."""
        return RecommenderEnvoy(self.study.bare_recommender).attach(self.study.sae)

    def _make(self, analysis: Analysis) -> dict[str, Any]:
        """Compute an analysis, after those whose tables it needs, unless it is there; its key."""
        if analysis.name not in self.keys:
            key = analysis_key(analysis, {need: self._key(need) for need in analysis.needs})
            key |= lists_key(self.study.keep_seen)
            write_tables(
                self.folder / analysis.name,
                analysis.tables,
                key,
                lambda: analysis.compute(**{need: self._value(need) for need in analysis.needs}),
            )
            self.keys[analysis.name] = key
        return self.keys[analysis.name]

    def _key(self, need: str) -> Any:
        if need == "rec":
            return self.recommender
        table = table_of(need)
        if table is not None and _depends(owner(table)):
            return artifacts.json_sha256(self._make(owner(table)))
        return [self.study.sae.fingerprint, self.study.record["fingerprints"], own_metrics()]

    def _value(self, need: str) -> Any:
        table = table_of(need)
        if table is not None:
            return self(table)
        inputs = OF_DICTIONARY | OTHERS
        if need not in inputs:
            raise InputError(f"this needs {need}, which only a run has: make a study with this dictionary or site")
        return inputs[need](self.study, self.rec)


def _catalogue(study: StudyParts) -> pd.DataFrame:
    """The item table, as far as a study has it."""
    columns = {"title": "title", **({"concepts": study.attribute} if study.has_concepts else {})}
    return study.items[list(columns)].rename(columns=columns)


def _steered(study: StudyParts, rec: RecommenderEnvoy, part: str) -> Histories:
    return steered_sample(study.users(part), len(rec.recommender.vocabulary))


def _depends(analysis: Analysis) -> bool:
    """Whether an analysis says something else of another dictionary."""
    if OF_DICTIONARY.keys() & set(analysis.needs):
        return True
    others = {owner(table).name: owner(table) for need in analysis.needs if (table := table_of(need))}
    return any(_depends(other) for name, other in others.items() if name != analysis.name)


def activations_at(study: StudyParts, part: str) -> ActivationStore:
    """Hidden states of a part at a study's site; collected where the run did not, at the same steps of the same users.

    Raises:
        InputError: there is no such part, or its store is damaged.
    """
    check_in_bundle(study.folder, activations=True)
    folder = study.folder / "activations"
    if study.other is None or (folder / study.site / part).exists():
        return ActivationStore.load(folder / study.site / part)
    rec = RecommenderEnvoy(study.bare_recommender)
    rows = ActivationStore.load(folder / study.record["config"]["site"] / part).rows
    return collect(rec, _with_next(rows, rec), folder / study.site / part, study.site)


def _with_next(rows: pd.DataFrame, rec: RecommenderEnvoy) -> Histories:
    """The histories of a store's rows, each with one more step at its end, which `collect` leaves out."""
    starts = np.flatnonzero(rows["step"].to_numpy() == 0)
    ends = np.append(starts[1:], len(rows))
    place = np.concatenate([np.append(np.arange(start, end), end - 1) for start, end in zip(starts, ends, strict=True)])
    vocabulary, doubled = rec.recommender.vocabulary, rows.iloc[place]
    offsets = np.append(0, np.cumsum(ends - starts + 1)).astype(np.int64)
    extras = {name: doubled[name].to_numpy() for name in vocabulary.columns if name in rows}
    return Histories(pd.Index(rows["user"].to_numpy()[starts]), vocabulary.encode(doubled["item"]), offsets, extras)
