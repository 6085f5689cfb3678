"""Splitting interactions: by time and by user as the paper does, or by leaving out everyone's last item.

`new_users_split` and `cold_user_split` are RePlay's NewUsersSplitter and ColdUserRandomSplitter. All take
validated interactions (`user`, `item`, `time`; see `recmodels.interactions`), keep the order of rows and give
every part a fresh index.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from recmodels.config import SplitConfig, check_share
from recmodels.errors import InputError
from recmodels.sequences import Vocabulary
from recmodels.wording import counted

MIN_ROWS = 2


@dataclass(frozen=True, eq=False)
class Split:
    """Interactions in five parts. The last three have no user in common.

    Of `paper_split` no two parts have, and the catalogue is that of `recommender` and `validation` together; of
    `leave_one_out_split` the recommender knows everyone and all items.
    """

    recommender: pd.DataFrame
    """To fit the recommender on."""
    validation: pd.DataFrame
    """For early stopping of the recommender."""
    sae: pd.DataFrame
    """To fit the SAE on."""
    sae_validation: pd.DataFrame
    """To choose the SAE's settings on."""
    test: pd.DataFrame
    """The users who started last; no setting is chosen on them."""

    @property
    def users(self) -> pd.DataFrame:
        """All rows of those who train the dictionary, choose its settings, and test it."""
        return pd.concat([self.sae, self.sae_validation, self.test], ignore_index=True)

    @property
    def vocabulary(self) -> Vocabulary:
        """The items that the recommender knows."""
        parts = (self.recommender, self.validation, self.sae, self.sae_validation, self.test)
        return Vocabulary.of(pd.concat([part[["item"]].drop_duplicates() for part in parts]))


def new_users_split(interactions: pd.DataFrame, test_share: float = 0.1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train on the past, test on the users who started last.

    With s_u a user's first time and T the largest start with #{u: s_u >= T} >= test_share * users: test is
    every row of users with s_u >= T, train every row before T. Rows of older users from T on are in neither.

    Returns:
        (train, test).

    Raises:
        InputError: the share is not between 0 and 1, or all users would be test users.
    """
    check_share("test_share", test_share)
    start = interactions.groupby("user", sort=False)["time"].transform("min")
    starts = np.sort(start[~interactions["user"].duplicated()].to_numpy())[::-1]
    # Users with the same start come together: T is the start of the user with whom the share is reached.
    reached = np.arange(1, len(starts) + 1) >= test_share * len(starts)
    start_of_test = starts[reached.argmax()]
    train, test = (_rows(interactions, mask) for mask in (interactions["time"] < start_of_test, start >= start_of_test))
    if train.empty:
        raise InputError(
            f"no interaction is earlier than the start of the last {test_share:.0%} of {len(starts)} users: "
            f"give more users, a smaller test_share, or times that differ"
        )
    return train, test


def cold_user_split(
    interactions: pd.DataFrame, train_share: float = 0.6, seed: int = 42
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All rows of randomly drawn users, and all rows of the others.

    Of n users in the order of their first rows, `RandomState(seed).choice(n, round(train_share * n),
    replace=False)` are drawn.

    Returns:
        (rows of the drawn users, rows of the others).

    Raises:
        InputError: the share is not between 0 and 1, or there are too few users for both parts to have one.
    """
    check_share("train_share", train_share)
    user, users = pd.factorize(interactions["user"])
    size = round(train_share * len(users))
    if not 0 < size < len(users):
        raise InputError(
            f"{counted(len(users), 'user is', 'users are')} too few for a share of {train_share:g}: give more users"
        )
    in_first = np.zeros(len(users), bool)
    in_first[np.random.RandomState(seed).choice(len(users), size, replace=False)] = True
    first = in_first[user]
    return _rows(interactions, first), _rows(interactions, ~first)


def paper_parts(
    interactions: pd.DataFrame, config: SplitConfig | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The paper's three parts: recommender, SAE, test, the latter two restricted to items of the first.

    Users with fewer than 2 rows before the test users start are dropped; the restriction may leave others
    with fewer (`paper_split` drops these too).

    Raises:
        InputError: as `new_users_split` and `cold_user_split`.
    """
    config = config or SplitConfig()
    config.check()
    train, test = new_users_split(interactions, config.test_share)
    train = drop_short(train)
    recommender, sae = cold_user_split(train, config.recommender_share, config.seed)
    del train  # of many rows, before they are copied again
    catalogue = recommender["item"].unique()
    return recommender, restrict(sae, catalogue), restrict(test, catalogue)


def paper_split(interactions: pd.DataFrame, config: SplitConfig | None = None) -> Split:
    """`paper_parts`, with validation users held out of the recommender's and the SAE's part.

    The authors validate on users of the SAE part, which leaks into what the SAE is fitted on; here the
    recommender's validation users come from its own part. Items are restricted to those of the recommender's
    whole part, validation users included, and users whom this leaves fewer than 2 rows are dropped.

    Raises:
        InputError: as `paper_parts`, or the SAE or test part is left without users.
    """
    config = config or SplitConfig()
    config.check()
    whole, sae, test = paper_parts(interactions, config)
    recommender, validation = cold_user_split(whole, 1 - config.validation_share, config.seed)
    sae, sae_validation = cold_user_split(drop_short(sae), 1 - config.validation_share, config.seed)
    test = drop_short(test)
    if test.empty:
        raise InputError(f"no test user has {MIN_ROWS} items that the recommender knows: give more users")
    return Split(recommender, validation, sae, sae_validation, test)


def drop_short(interactions: pd.DataFrame, rows: int = MIN_ROWS) -> pd.DataFrame:
    """Without the users that have fewer than `rows` rows."""
    user, users = pd.factorize(interactions["user"])
    return _rows(interactions, np.bincount(user, minlength=len(users))[user] >= rows)


def restrict(interactions: pd.DataFrame, items: np.ndarray) -> pd.DataFrame:
    """Only the rows with one of these items."""
    return _rows(interactions, interactions["item"].isin(items))


def _rows(interactions: pd.DataFrame, mask: np.ndarray | pd.Series) -> pd.DataFrame:
    """Some rows with a fresh index. They are copied once, where reset_index copies them again, or not if all stay."""
    if mask.all() and interactions.index.equals(pd.RangeIndex(len(mask))):
        return interactions
    rows = interactions[mask]
    rows.index = pd.RangeIndex(len(rows))
    return rows


def trained_split(interactions: pd.DataFrame, may_test: np.ndarray, config: SplitConfig | None = None) -> Split:
    """The parts for a recommender that is trained already, so that no part of the users is needed to train it.

    Of the users that may test, those who started last are the test users: as many as `test_share` of all users, or all
    that may. Everyone else is in the SAE part, with all rows, and `validation_share` of them are held out there. Time
    is not cut, as nobody's future teaches the recommender anything here.

    Args:
        interactions: with items that the recommender knows alone.
        may_test: bool [row], which rows are of users that may be test users: those whom the recommender has not seen,
            where that is known.
        config: its shares and seed; `recommender_share` plays no part.

    Returns:
        The parts. `recommender` holds what popularity is counted on: the rows of the SAE part but the last of each
        user, which lists are tested on. `validation` is empty.

    Raises:
        InputError: too few users may test, or remain for the dictionary.
    """
    config = config or SplitConfig()
    config.check()
    whole = len(interactions)
    interactions = interactions.assign(_may=may_test)
    interactions = drop_short(interactions)
    starts = interactions.groupby("user", sort=False)["time"].min()
    candidates = starts[interactions.loc[interactions["_may"], "user"].unique()]
    if candidates.empty:
        raise InputError(
            f"no user may be a test user: of {whole:,} rows none is of a user whom the recommender has not seen and "
            f'who has {MIN_ROWS} items that it knows; give more users, or say seen_users="all"'
        )
    size = int(np.ceil(config.test_share * len(starts)))
    test_users = candidates.sort_values(kind="stable").index[-size:]
    is_test = interactions["user"].isin(test_users)
    interactions = interactions.drop(columns="_may")
    others, test = _rows(interactions, ~is_test), _rows(interactions, is_test)
    sae, sae_validation = cold_user_split(others, 1 - config.validation_share, config.seed)
    return Split(without_last(others), others.iloc[:0], sae, sae_validation, test)


def leave_one_out_split(interactions: pd.DataFrame, config: SplitConfig | None = None) -> Split:
    """Everyone's last item is for testing, the one before it for validation, the others train the recommender.

    This is the literature's usual protocol, with users of fewer than 3 rows left out. The dictionary's parts are of
    users, as in `trained_split`: nobody who tests a dictionary trains it, but the recommender knows them all, except
    for their last two items.

    Args:
        interactions: validated; ties in time are in row order.
        config: its shares of users; `recommender_share` plays no part.

    Returns:
        The parts. `validation` has everyone's rows but the last, so that `recmodels.training.fit` predicts the row that
        `recommender` lacks.

    Raises:
        InputError: nobody has 3 rows, or as `trained_split`.
    """
    interactions = drop_short(interactions, MIN_ROWS + 1)
    if interactions.empty:
        raise InputError(
            f"leave-one-out needs users with {MIN_ROWS + 1} interactions, and nobody has as many: give longer "
            f"histories, or leave --split out"
        )
    split = trained_split(interactions, np.ones(len(interactions), dtype=bool), config)
    validation = without_last(interactions)
    return replace(split, recommender=without_last(validation), validation=validation)


def without_last(interactions: pd.DataFrame) -> pd.DataFrame:
    """Without each user's last row: the latest, of several at one time the last of the table."""
    order = interactions.sort_values("time", kind="stable")
    last = order.index[~order["user"].duplicated(keep="last")]
    return interactions.drop(index=last).reset_index(drop=True)
