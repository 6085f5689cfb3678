"""Concepts inside others."""

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.concepts.hierarchies import Inside, hierarchies


def concepts(**items):
    names, count = sorted(items), 40
    matrix = np.zeros((count, len(names)), dtype=bool)
    for column, name in enumerate(names):
        matrix[items[name], column] = True
    return Concepts(names, pd.RangeIndex(count), matrix)


def test_most_animation_is_childrens_by_hand():
    """Of 5 animated items 4 are for children; 4/5 is 3.2 times the share of children's items, 10/40."""
    some = concepts(animation=[0, 1, 2, 3, 20], children=range(10))
    assert hierarchies(some, share=0.8, lift=3.2, items=4) == [Inside("animation", "children", 0.8)]
    assert hierarchies(some, share=0.81, lift=3.2, items=4) == []
    assert hierarchies(some, share=0.8, lift=3.3, items=4) == []
    assert hierarchies(some, share=0.8, lift=3.2, items=5) == []


def test_what_most_items_have_is_no_parent():
    """Half of all items are dramas, and so are half of the romances: that says nothing."""
    assert hierarchies(concepts(drama=range(20), romance=[*range(6), *range(20, 26)]), items=2) == []


def test_a_parent_without_items_of_its_own_is_none():
    assert hierarchies(concepts(inner=range(10), outer=range(11)), items=2) == []
