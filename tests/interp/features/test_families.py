"""Families of near-duplicates, clusters of the map and their names, on planted groups."""

from math import comb

import numpy as np
import pytest
from scipy import sparse

from interp.features.families import ALIKE, cluster_names, clusters, families, heads, map_of


def test_planted_duplicates_are_families():
    """Features 2 and 5 twice with noise; 3 has the direction of 2 but other steps, 4 only its steps."""
    rng = np.random.default_rng(0)
    n, d = 4000, 32
    x = rng.random((n, 8)) * (rng.random((n, 8)) < 0.2)
    directions = rng.normal(size=(8, d))
    x = np.column_stack([x, x[:, 2] + 0.05 * rng.random(n), x[:, 5] * 3])
    directions = np.vstack([directions, directions[2] + 0.2 * rng.normal(size=d), directions[5] * 2])
    directions[3] = directions[2]
    x[:, 4] = x[:, 2]
    table = map_of(directions, rng.random((10, 2)), sparse.csc_array(x.astype(np.float32)))
    assert table["family"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 2, 5]


def test_a_chain_is_no_family():
    """0 is like 1 and 1 is like 2, but 0 is not like 2: by complete linkage the closest two are one family."""
    similarity = np.array([[1, 0.9, 0.2], [0.9, 1, 0.75], [0.2, 0.75, 1]])
    assert families(similarity).tolist() == [0, 0, 2]
    assert families(np.full((3, 3), ALIKE)).tolist() == [0, 0, 0]  # the limit itself counts
    assert families(np.full((3, 3), ALIKE - 0.01)).tolist() == [0, 1, 2]
    assert families(np.ones((1, 1))).tolist() == [0]


def test_the_head_is_the_first_in_the_order():
    assert heads(np.array([0, 1, 0, 0, 1]), np.array([3, 1, 2, 2, 1])).tolist() == [2, 1, 2, 2, 1]


def test_clusters_are_the_planted_groups():
    rng = np.random.default_rng(0)
    sizes, centres = [12, 20, 7], np.array([[0.0, 0.8], [-0.8, -0.5], [0.8, -0.5]])
    places = np.vstack(
        [centre + 0.03 * rng.normal(size=(size, 2)) for size, centre in zip(sizes, centres, strict=True)]
    )
    places = np.vstack([places, [[4, 4]]])  # apart from all
    assert clusters(places).tolist() == [1] * 12 + [0] * 20 + [2] * 7 + [-1]
    assert clusters(places[:5]).tolist() == [-1] * 5


def test_a_cluster_is_named_by_what_it_shares_and_the_rest_does_not():
    """By hand: 40 members, of which 6 are Horror; 5 of these are in a cluster of 6."""
    cluster = np.array([0] * 10 + [1] * 6 + [-1] * 24)
    terms = [*["Drama", None] * 5, *["Horror"] * 5, None, *["Drama"] * 19, "Horror", *[None] * 4]
    table = cluster_names(cluster, terms).set_index("cluster")
    assert table["name"].to_dict() == {0: "", 1: "Horror"}  # half of cluster 0 is Drama, as of the rest
    row = table.loc[1]
    assert row[["members", "count", "elsewhere", "others"]].tolist() == [6, 5, 1, 34]
    p = (comb(6, 5) * comb(34, 1) + 1) / comb(40, 6)
    assert row["q"] == pytest.approx(4 * p)  # two clusters and two terms: the smallest of four tests


def test_nothing_is_shared_by_chance_or_by_two():
    """Of 200 maps with names that were dealt at random, few have a named cluster; two of a name are not enough."""
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(-1, 9), 10)
    names = np.array(["a", "b", "c", "d", None], dtype=object)
    hits = sum((cluster_names(cluster, rng.choice(names, 100))["name"] != "").any() for _ in range(200))
    assert hits <= 20
    assert cluster_names(np.array([0, 0, *[-1] * 98]), ["x", "x", *[None] * 98])["name"].tolist() == [""]
