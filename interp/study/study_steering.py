"""A study's steers in Python: what they change, how far to go, and how good the lists still are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import pandas as pd

from interp.control.accuracy import accuracy
from interp.control.dose_search import Goal
from interp.control.doses import Dose
from interp.control.least_collateral import LeastCollateral
from interp.control.mix_doses import MixDose
from interp.control.own_mix import Calibration
from interp.control.receipts import Receipt, steering_receipt
from interp.control.user_doses import UserDoses
from interp.steering.validation import check_not_empty
from interp.study.study_doses import calibration_of, dose_of, least_collateral_of, mix_dose_of, user_doses_of
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError


@dataclass(frozen=True, repr=False)
class StudySteering(StudyParts):
    """What steers do to a study's users, and how far to steer."""

    def receipt(self, edits: Any, users: Any = None, k: int = 10, **how: Any) -> Receipt:
        """What a steer changes in the lists of many users, with intervals over users (`interp.control.receipts`).

        Args:
            edits: a `Steer`, or what `RecommenderEnvoy.steer` makes one from, such as {"Sci-Fi": 1.0}.
            users: histories in any form, the last item of each held out; by default the test users.
            k: list length.
            **how: op, at, unit, weight and reconstruct, as in `RecommenderEnvoy.steer`.

        Raises:
            InputError: the steer cannot be carried out, or a history cannot be read.
        """
        steer = self.recommender.steer_of(edits, **how)
        check_not_empty(edits, steer)
        histories = self.users() if users is None else users
        popularity = self.items["popularity"]
        return steering_receipt(
            self.recommender, histories, steer, self.concepts, popularity, k, targets=steer.concepts
        )

    def evaluate(self, edits: Any = None, users: Any = None, k: int | Sequence[int] = 10, **how: Any) -> pd.DataFrame:
        """How well the lists rank each user's held-out item: NDCG@k, HitRate@k and MRR@k, with intervals over users.

            study.evaluate(k=(5, 10, 20))                   # the recommender as it is
            study.evaluate({"Horror": 1.0}, unit="p99")     # steered, beside unsteered

        It measures accuracy alone. Concepts, coverage, popularity and overlap under a steer are on its `receipt`.

        Args:
            edits: a steer in any form; by default none, which measures the recommender without one.
            users: histories in any form, the last item of each held out; by default the test users.
            k: a list length, or several.
            **how: op, at, unit, weight and reconstruct, as in `RecommenderEnvoy.steer`.

        Returns:
            A row for each measure: measure, value, low and high; with a steer, as in `Receipt.measures`: measure,
            before, after and change, each with its bounds.

        Raises:
            InputError: the steer cannot be carried out, or a history cannot be read or has one item.
        """
        steer = None if edits is None else self.recommender.steer_of(edits, **how)
        if steer is not None:
            check_not_empty(edits, steer)
        return accuracy(self.recommender, self.users() if users is None else users, steer, k)

    @overload
    def dose(
        self,
        concept: str,
        share: float,
        *,
        at_most: bool = False,
        k: int = 10,
        users: Any = None,
        cost: str | None = None,
    ) -> Dose: ...

    @overload
    def dose(self, concept: Mapping[str, Any], *, k: int = 10, users: Any = None) -> MixDose: ...

    def dose(
        self,
        concept: Any,
        share: Any = None,
        *,
        at_most: bool = False,
        k: int = 10,
        users: Any = None,
        cost: str | None = None,
    ) -> Dose | MixDose:
        """How far features must be turned for a concept, or several, to have a share of the lists.

            study.dose("Horror", 0.3)
            study.dose({"Horror": 0.3, "Drama": interp.at_most(0.2)})

        One concept is turned by its aligned features, several by their least-collateral steers together
        (`interp.control.mix_doses`).

        Args:
            concept: what is asked for; `concept:12` where a feature could be meant. Or a mapping from concept to share,
                or to `at_most(share)`.
            share: the mean share of the list that it is to have, such as 0.4; for one concept.
            at_most: ask for at most this share; for one concept.
            k: list length.
            users: histories in any form to find the dose on, and to make its receipt on. By default it is found on
                users held out of the SAE part, and its receipt made on the test users.
            cost: of the steers that reach the share, the one with the highest mean of this metric is taken: one of your
                own (`interp.register_metric`), "overlap", or by default "ndcg"; for one concept.

        Raises:
            InputError: an unknown concept or metric, or a share that is not valid.
        """
        if isinstance(concept, Mapping):
            if share is not None or at_most or cost is not None:
                raise InputError("share, at_most and cost are for one concept: with several, write each goal's own")
            return mix_dose_of(self, concept, k, users)
        return dose_of(self, Goal(concept, share, at_most, k), users, cost)

    def user_doses(
        self,
        concept: str,
        share: float,
        *,
        at_most: bool = False,
        k: int = 10,
        users: Any = None,
        cost: str | None = None,
    ) -> UserDoses:
        """The same for each user's own list (`interp.control.user_doses`).

        Args:
            concept, share, at_most, k: as in `dose`, of each user's list.
            users: histories in any form; by default the test users. Held-out items are not used.
            cost: of the lists that reach the share, the one with the largest value of this metric is taken: one of your
                own that needs no held-out item, or by default "overlap".

        Raises:
            InputError: an unknown concept or metric, a share that is not valid, or a user with two histories.
        """
        return user_doses_of(self, Goal(concept, share, at_most, k), users, cost)

    def calibrate(self, users: Any = None, *, by: float = 0.5, k: int = 10) -> Calibration:
        """Bring each user's list closer to the mix of concepts of the user's own past (`interp.control.own_mix`).

            calibration = study.calibrate(histories)        # half of the miscalibration goes
            with study.recommender.steer(calibration.steer):
                ...

        Args:
            users: histories in any form; by default the test users. Held-out items are not used.
            by: the part of the mean miscalibration that is to go; users who pay least go furthest.
            k: list length.

        Raises:
            InputError: a user with two histories, a part that makes no sense, or a study without concepts.
        """
        return calibration_of(self, users, by, k)

    def least_collateral(self, concept: str | None = None, *, items: Any = None) -> LeastCollateral:
        """At most 20 features that move a concept's items, or any items, and leave other scores alone.

            steer = study.least_collateral("Horror")           # shows the features with their labels
            with study.recommender.steer(steer.steer(1.0)):     # all users alike
                ...
            study.receipt(steer.for_users(study.recommender, histories, share=0.4), histories)

        Weights are learnt on users of the SAE part (`interp.control.least_collateral`), for a concept while the study
        is made, for other items when this is called, which takes seconds.

        Args:
            concept: its name.
            items: item ids of a set, in place of a concept.

        Raises:
            InputError: neither or both are given, an unknown concept or item, or a concept that all items have.
        """
        return least_collateral_of(self, concept, items)
