"""Which concepts lie inside others, as the items say: most Animation is Children's."""

from dataclasses import dataclass

import numpy as np

from interp.concepts import Concepts

SHARE = 0.4  # of the child's items that must have the parent
LIFT = 2.0  # how many times as often as all items they must have it
ITEMS = 10  # that must have both, and that must have the parent alone


@dataclass(frozen=True)
class Inside:
    """A concept inside a larger one.

    Attributes:
        child: name of the smaller concept.
        parent: name of the larger one.
        share: share of the child's items that have the parent.
    """

    child: str
    parent: str
    share: float


def hierarchies(concepts: Concepts, share: float = SHARE, lift: float = LIFT, items: int = ITEMS) -> list[Inside]:
    """Pairs of concepts of which one lies inside the other, in the order of names.

    A pair counts if the parent has more items, at least `share` of the child's items have it, that is at least `lift`
    times its share of all items, and at least `items` have both and as many the parent without the child.
    """
    both = concepts.matrix.T.astype(float) @ concepts.matrix
    count = np.diag(both)
    of_child = both / np.maximum(count, 1)[:, None]
    expected = count / max(len(concepts.items), 1)
    inside = (
        (count[:, None] < count)
        & (of_child >= share)
        & (of_child >= lift * expected)
        & (both >= items)
        & (count - both >= items)
    )
    return [
        Inside(concepts.names[child], concepts.names[parent], float(of_child[child, parent]))
        for child, parent in np.argwhere(inside)
    ]
