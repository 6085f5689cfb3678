"""How many users steering is measured on: a list costs a score of every item, and a sweep makes hundreds for each user.

All users, unless their lists take more than `SCORES` scores: then a random sample whose lists do not. In a catalogue of
30,000 items these are 3,333 users, who tell a mean share or NDCG to about 0.01. A study says so
(`interp.concepts.study_data.StudyData.notes`).
"""

from interp.features.examples import sample_users
from recmodels.item_blocks import MANY
from recmodels.sequences import Histories

SCORES = 100_000_000  # of one list of each user
FEWEST = 100  # users
ALL_SCORES = 50_000_000_000  # of the lists of all features and users, in a catalogue of more than `MANY` items


def sample_size(n_users: int, n_items: int) -> int:
    """Of how many users the lists are made under each steer."""
    return min(n_users, max(SCORES // max(n_items, 1), FEWEST))


def steered_sample(users: Histories, n_items: int) -> Histories:
    """A random sample of `sample_size` users in their order, or all users."""
    return sample_users(users, sample_size(len(users), n_items))


def affordable_lists(most: int, n_items: int) -> int:
    """How many lists all features and users may take together: `most`, or fewer in a large catalogue."""
    return most if n_items <= MANY else min(most, ALL_SCORES // n_items)


def sample_note(n_users: int, n_items: int) -> list[str]:
    """A line that says so; none where all users are measured."""
    size = sample_size(n_users, n_items)
    if size == n_users:
        return []
    return [f"What steering does is measured on {size:,} of {n_users:,} test users: {n_items:,} items make lists slow."]
