"""What changed from one study to another: after a retraining, with another seed, architecture or data.

Axes: n users, k places of a list, v items.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interp.concepts.evidence import FEATURES
from interp.control.receipts import Receipt, receipt
from interp.features.matching import NEW, OLD
from interp.store.rerun import tables_of_this_release
from interp.study.carry import Carried, carry
from interp.study.compare_text import as_text
from interp.study.glance import highlights
from interp.study.matches import PERMUTATIONS, Matches, match_studies
from interp.study.shared_histories import SharedHistories
from interp.study.study_parts import StudyParts, check_is_study
from recmodels import files
from recmodels.errors import for_terminal
from recmodels.paths import as_path

K = 10  # places of a list
QUALITY = ("n_features", "l0", "explained_variance", "ndcg", "ndcg_reconstructed")
SIDES = (OLD, NEW)
EVIDENCE = ("unseen_items", "unseen_items_low", "unseen_items_high", "passes")


@dataclass(frozen=True)
class Comparison:
    """Two studies beside each other. It has a display for a terminal.

    Attributes:
        old, new: the studies.
        matches: which features match (`interp.study.matches.Matches`).
        concepts: a row for each concept of either study: concept, its top feature in each (feature_old, feature_new),
            match (that of the old one, −1 where none holds), same (whether this is the new study's top feature), and
            for both what `study.table("evidence")` says: unseen_items with its interval, and passes. Each is measured
            on its own study's test users.
        lists: the lists of users that neither study was trained on: the old recommender's are `before`, the new one's
            `after`. Overlap, NDCG and the concepts' shares, with intervals over users.
        quality: measure, old, new: the two dictionaries and recommenders, each on its own study's test users. Old_low,
            old_high, new_low and new_high: 95% bounds over these users, for NDCG@10 only.
    """

    old: StudyParts
    new: StudyParts
    matches: Matches
    concepts: pd.DataFrame
    lists: Receipt
    quality: pd.DataFrame

    @property
    def features(self) -> pd.DataFrame:
        """A row for each feature of both (`Matches.table`)."""
        return self.matches.table

    def carry(self, steer: Any, *, leave_out: bool = False, **how: Any) -> Carried:
        """`interp.carry` from the old study to the new one, by these matches."""
        return carry(steer, self.old, self.new, leave_out=leave_out, matches=self.matches, **how)

    def save(self, folder: Path | str) -> list[Path]:
        """Write features.csv, concepts.csv, lists.csv, shares.csv and quality.csv, and return their paths.

        Raises:
            InputError: the folder cannot be written.
        """
        to = as_path(folder)
        tables = {
            "features": self.features,
            "concepts": self.concepts,
            "lists": self.lists.measures,
            "shares": self.lists.shares.drop(columns="target"),
            "quality": self.quality,
        }
        with files.saving(to):
            to.mkdir(parents=True, exist_ok=True)
            for name, table in tables.items():
                files.write_text(to / f"{name}.csv", table.to_csv(index=False))
        return [to / f"{name}.csv" for name in tables]

    @for_terminal
    def __repr__(self) -> str:
        return as_text(self.matches, self.concepts, self.lists, self.quality)


def compare(old: StudyParts, new: StudyParts, *, users: Any = None, draws: int = PERMUTATIONS) -> Comparison:
    """Compare two studies of the same catalogue.

        comparison = interp.compare(interp.open("artifacts/march"), interp.open("artifacts/april"))
        print(comparison)
        comparison.save("march-april")

    Features are matched by the correlation of their activations on the same histories, which both recommenders read
    (`interp.features.matching`); beside it stands how alike they change scores, and on which items they are active.

    Args:
        old, new: the studies; recommenders, dictionaries, sites and data may differ.
        users: histories in any form, the last item of each to be predicted. By default test users that neither study
            was trained on (`interp.study.shared_histories.shared_histories`).
        draws: how often the new recommender reads histories with permuted items, to know what chance gives.

    Raises:
        InputError: the studies have no item or no such user in common.
    """
    for study in (old, new):
        check_is_study(study)
    with tables_of_this_release(old.folder, new.folder):
        quality = _quality(old, new)  # what a study of an earlier release lacks is said at once
        for study in (old, new):
            if study.has_concepts:
                study.table("evidence")
        matches = match_studies(old, new, users, draws)
        concepts = _concepts(old, new, matches)
    return Comparison(old, new, matches, concepts, _lists(matches.histories), quality)


def _concepts(old: StudyParts, new: StudyParts, matches: Matches) -> pd.DataFrame:
    sides = []
    if not (old.has_concepts and new.has_concepts):
        columns = [
            "feature_old",
            "feature_new",
            "match",
            "same",
            *(f"{name}_{side}" for side in SIDES for name in EVIDENCE),
        ]
        return pd.DataFrame(columns=["concept", *columns])
    for name, study in ((OLD, old), (NEW, new)):
        evidence = study.table("evidence")
        table = evidence[evidence["source"] == FEATURES].set_index("concept")[list(EVIDENCE)]
        table["passes"] = table["passes"].astype(object)  # a concept of one study has no value for the other
        table.insert(0, "feature", study.table("concepts").set_index("concept")["feature"])
        sides.append(table.add_suffix(f"_{name}"))
    table = sides[0].join(sides[1], how="outer")
    counterpart = matches.holding["match"]
    match = table["feature_old"].map(counterpart)
    table.insert(2, "match", match.fillna(-1).astype(int))
    table.insert(3, "same", match.notna() & (match == table["feature_new"]))
    return table.sort_values("unseen_items_old", ascending=False, kind="stable").reset_index()


def _lists(histories: SharedHistories) -> Receipt:
    """The lists of both recommenders, as codes of all items that either knows."""
    old, new = histories.studies
    ids = new.items.index.append(old.items.index.difference(new.items.index, sort=False))
    lists, truth = [], None
    for study, read in zip(histories.studies, histories.both, strict=True):
        inputs, last = read.split_last()
        vocabulary = study.recommender.recommender.vocabulary
        codes = ids.get_indexer(vocabulary.ids)
        ranked = study.recommender.rank(inputs, min(K, len(old.items), len(new.items)))
        lists.append(np.where(ranked >= 0, codes[ranked], -1))
        truth = codes[last]
    names = [name for name in new.concepts.names if name in old.concepts.names]
    labels = np.zeros((len(ids), len(names)), dtype=bool)
    for study in histories.studies:
        own = study.items.index
        columns = [study.concepts.index(name) for name in names]
        labels[ids.get_indexer(own)] = study.concepts.labels(own)[:, columns]
    popularity = new.items["popularity"].reindex(ids).fillna(old.items["popularity"].reindex(ids)).to_numpy()
    return receipt(lists[0], lists[1], labels, names, popularity, truth, ids=ids)


def _quality(old: StudyParts, new: StudyParts) -> pd.DataFrame:
    sides = [highlights(study) for study in (old, new)]
    columns: dict[str, list[float]] = {}
    for name, side in zip(SIDES, sides, strict=True):
        columns[name] = [float(getattr(side, measure)) for measure in QUALITY]
        bounds = [getattr(side, f"{measure}_bounds", (np.nan, np.nan)) for measure in QUALITY]
        columns |= {f"{name}_low": [low for low, _ in bounds], f"{name}_high": [high for _, high in bounds]}
    return pd.DataFrame({"measure": QUALITY, **columns})
