"""How many users steering is measured on: a list costs a score of every item, and a sweep makes hundreds for each user.

All users in a catalogue of up to 20,000 items and 15,000 users; in one of a million items some hundreds of them, drawn
at random. A study says so (`interp.concepts.study_data.StudyData.notes`).
"""

from interp.features.examples import sample_users
from recmodels.sequences import Histories

SCORES = 300_000_000  # of one list of each user
FEWEST = 100  # users


def sample_size(n_users: int, n_items: int) -> int:
    """Of how many users the lists are made under each steer."""
    return min(n_users, max(SCORES // n_items, FEWEST))


def steered_sample(users: Histories, n_items: int) -> Histories:
    """A random sample of `sample_size` users in their order, or all users."""
    return sample_users(users, sample_size(len(users), n_items))


def sample_note(n_users: int, n_items: int) -> list[str]:
    """A line that says so; none where all users are measured."""
    size = sample_size(n_users, n_items)
    if size == n_users:
        return []
    return [f"What steering does is measured on {size:,} of {n_users:,} test users: {n_items:,} items make lists slow."]
