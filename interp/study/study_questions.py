"""Questions about users, items and features of a study, a line each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from interp.control.list_entry import Entry, to_enter
from interp.features.explanations import Explanation, why
from interp.study.ablations import ablations_of
from interp.study.compare import Comparison, compare
from interp.study.drift import Drift, drift
from interp.study.group_comparison import GroupComparison, compare_groups
from interp.study.item import Item, item
from interp.study.item_names import item_of
from interp.study.study_parts import StudyParts
from interp.study.study_steering import StudySteering
from interp.study.users import with_item
from recmodels.sequences import Histories


@dataclass(frozen=True, repr=False)
class StudyQuestions(StudySteering):
    """Questions about users, items and features, a line each."""

    def why(self, history: Any, item: Any, top: int = 10) -> Explanation:
        """Why an item has its place in one history's list: the features behind its score (`interp.features`).

        Args:
            history: one history, such as `study.user(874)` or a list of item ids.
            item: any item that the recommender knows.
            top: how many features are ablated and reported.

        Raises:
            InputError: not one history, or an unknown item.
        """
        return replace(why(self.recommender, history, item, top, self.site), **self._words)

    def to_enter(self, history: Any, item: Any, k: int = 10, candidates: Sequence[Any] = ()) -> Entry:
        """What would have to change for an item to enter one history's list (`interp.control.list_entry.to_enter`).

        Args:
            history: one history, such as `study.user(874)` or a list of item ids.
            item: any item that the recommender knows and, unless `keep_seen`, the history lacks.
            k: length of the list.
            candidates: items to try at the end of the history.

        Returns:
            Ways into the list; one unit of a feature is its 99th percentile.

        Raises:
            InputError: not one history, an unknown item, or one that the history has.
        """
        units = self.table("features").set_index("feature")["p99"]
        entry = to_enter(self.recommender, history, item, k, units, candidates=candidates, site=self.site)
        return replace(entry, **self._words)

    def item(self, name: Any) -> Item:
        """One item: what lights up on it, which features promote it, in whose lists it is, and its nearest items.

            study.item("Alien")
            study.item(183).effects

        Args:
            name: an id, a title with or without its year, or words that only one title has.

        Raises:
            InputError: no item is called this, or several are.
        """
        return item(self, name)

    @property
    def _words(self) -> dict[str, Any]:
        """Titles of items and names of features, for displays."""
        return {
            "titles": self.items["title"].to_dict(),
            "names": {feature: name.shown for feature, name in self.names.items()},
        }

    def drift(self, before: Any, after: Any) -> Drift:
        """Which features rise or fade between two periods of histories, under the same recommender.

            study.drift(spring, summer)         # tables of interactions, or histories in any other form

        Rates are shares of steps on which a feature is active; their intervals come from resampling users, and the
        p-values are corrected for the number of features (`interp.features.activity_rates`). Each history is
        read from its first item of the period. Take users that the recommender was not trained on, in both alike.

        Args:
            before: the histories of the earlier period.
            after: those of the later one; a user may be in both.

        Raises:
            InputError: a history cannot be read, or a period has fewer than two users.
        """
        return drift(self, before, after)

    def compare(self, other: StudyParts, *, users: Any = None) -> Comparison:
        """What changed from this study to another of the same catalogue: features, concepts, lists (`interp.compare`).

            march.compare(april)
            study.at("blocks.0").compare(study.at("blocks.1"))      # two layers

        Args:
            other: the new study; it may be of another training, data, layer or dictionary.
            users: histories in any form; by default those of test users that neither was trained on.

        Raises:
            InputError: the studies have no item or no such user in common.
        """
        return compare(self, other, users=users)

    def who_watched(self, item: Any, users: Any = None) -> Histories:
        """The users whose history holds an item: their histories, which go wherever histories go.

            study.who_watched("Alien (1979)").users             # their ids
            study.compare_groups(study.who_watched(183))        # what distinguishes them from all others

        Args:
            item: an item id, a title (its year may be left out), or words that only one title has.
            users: histories in any form to look through; by default those of the test users.

        Raises:
            InputError: no item, or several, are called this; or nobody's history holds it.
        """
        return with_item(self.recommender.recommender, item_of(self, item), self.users() if users is None else users)

    def compare_groups(self, a: Any, b: Any = None, users: Any = None, k: int = 10) -> GroupComparison:
        """What distinguishes two groups of users: features, and concepts of histories and of lists.

            study.compare_groups([874, 875, 876], [901, 902])
            study.compare_groups(lambda history: len(history) > 100)

        A group is: a collection of user ids; a boolean for each user, as a Series by user id or in the order of
        `users`; histories, or a table with a column `user`; or a function that says of a history, a frame with user,
        item, title and concepts (a list, empty for an item without any) in order, whether its user is in the group. Two
        groups of histories may be of any users.

        Every user counts alike: a feature's rate in a group is the mean over users of the share of a user's steps on
        which it is active. Intervals come from resampling users within each group, p-values from permuting users
        between them, and q corrects p for the number of features or concepts (Benjamini and Hochberg).

        Args:
            a, b: the groups; without b, all other users.
            users: histories in any form that the groups are parts of; by default those of the test users.
            k: list length.

        Raises:
            InputError: a group is not readable, has fewer than two users or an unknown one, or the two overlap.
        """
        return compare_groups(self, a, b, users, k)

    def ablate_all(self, users: Any = None, k: int = 10) -> pd.DataFrame:
        """What each feature is good for: NDCG without it, most harmful loss first.

        Each feature alone is set to 0 at all steps, the reconstruction error kept, and the lists are ranked again. For
        the test users the result is kept beside the study's feature matrices.

        Args:
            users: histories in any form, the last item of each held out; by default those of the test users.
            k: list length.

        Returns:
            A row for each feature: feature, label, users (share of those on whose history it is active), lists (share
            of lists that change), overlap (mean share of a list that stays), ndcg (without it), change, with its bounds
            change_low and change_high over users, p (t-test over users that the mean change is 0), and q (p corrected
            for the number of features).

        Raises:
            InputError: a history cannot be read or has one item, or a steer is in force.
        """
        return ablations_of(self, users, k)
