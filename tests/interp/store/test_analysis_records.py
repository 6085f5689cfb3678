"""What an analysis says of itself, the order in which analyses are made, and what their keys hold."""

import pandas as pd
import pytest

from interp.analyses import TOPICS
from interp.store import keys, registry
from interp.store.analysis import Analysis, Table, parameters
from interp.store.claim import Claim
from recmodels.errors import InputError

TAIL = 3


def twice(features_table):
    return {"twice": features_table.assign(density=2 * features_table["density"])}


def thrice(twice_table, site):
    return {"thrice": twice_table.tail(TAIL).assign(site=site)}


TWICE = Analysis("twice", "Twice", twice, (Table("twice", "doubled"),))
THRICE = Analysis("thrice", "Thrice", thrice, (Table("thrice", "tripled", "feature:int site:text"),))


@pytest.fixture
def registered(monkeypatch):
    """A registry of its own, which holds the analyses of the package."""
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY) or {a.name: a for a in registry.analyses()})
    return registry.register_analysis


def test_needs_are_the_names_of_parameters():
    assert THRICE.needs == ("twice_table", "site")
    assert THRICE.tables[0].file == "thrice.csv"
    assert THRICE.tables[0].kinds == {"feature": "int", "site": "text"}
    assert TWICE.tables[0].file == "twice.parquet"


def test_the_topics_are_registered_in_an_order_in_which_they_can_be_made():
    made = set()
    for analysis in registry.analyses():
        needed = {need.removesuffix("_table") for need in analysis.needs if need.endswith("_table")}
        assert needed <= made, analysis.name
        made |= set(analysis.table_names)
    assert {analysis.name for analysis in registry.analyses()} == set(TOPICS)


def test_claims_and_tables_name_what_there_is():
    tables = {table.name for analysis in registry.analyses() for table in analysis.tables}
    for analysis in registry.analyses():
        for claim in analysis.claims:
            named = {need.removesuffix("_table") for need in parameters(claim) if need.endswith("_table")}
            assert named <= tables, claim


def test_an_analysis_comes_after_what_it_needs_in_whatever_order_they_are_registered(registered):
    registered(THRICE)
    registered(TWICE)
    names = [analysis.name for analysis in registry.analyses()]
    assert names.index("alignment") < names.index("twice") < names.index("thrice")
    assert registry.owner("twice") is TWICE


def test_a_table_that_none_makes_is_refused(registered):
    registered(Analysis("lost", "Lost", lambda nowhere_table: {}, ()))
    with pytest.raises(InputError, match="analysis lost needs a table 'nowhere', which no analysis makes"):
        registry.analyses()


def test_analyses_that_need_each_other_are_refused(registered):
    registered(Analysis("one", "One", lambda b_table: {}, (Table("a", "a"),)))
    registered(Analysis("two", "Two", lambda a_table: {}, (Table("b", "b"),)))
    with pytest.raises(InputError, match="one → two → one"):
        registry.analyses()


def test_two_analyses_cannot_make_a_table_of_one_name(registered):
    with pytest.raises(InputError, match="analyses alignment and mine both make a table features: rename one"):
        registered(Analysis("mine", "Mine", twice, (Table("features", "again"),)))


def test_an_unknown_table_is_told_which_there_are():
    with pytest.raises(
        InputError, match=r"there is no table 'nonsense': choose one of alignment, attribute_evidence, .*, users$"
    ):
        registry.describe("nonsense")


def test_a_key_changes_with_constants_version_and_needs(monkeypatch):
    needs = {"twice_table": "abc", "site": "blocks.0"}
    key = keys.analysis_key(THRICE, needs)
    assert key == keys.analysis_key(THRICE, needs)
    monkeypatch.setattr(f"{__name__}.TAIL", 4)
    others = [
        keys.analysis_key(THRICE, needs),
        keys.analysis_key(Analysis("thrice", "Thrice", thrice, THRICE.tables, version=2), needs),
        keys.analysis_key(THRICE, needs | {"site": "blocks.1"}),
    ]
    monkeypatch.undo()
    assert all(other != key for other in others)
    assert keys.analysis_key(THRICE, needs) == key


@pytest.mark.parametrize(
    ("analysis", "constant"),
    [
        ("labels", "interp.features.labels.F1"),
        ("labels", "interp.features.item_activity.QUANTILE"),
        ("other_methods", "interp.analyses.other_methods.tables.BOOSTS"),
        ("doses", "interp.control.targets.COUNT"),
        ("doses", "interp.concepts.alignment.UNALIGNED"),
        ("causal", "interp.analyses.causal.tables.LISTS"),
        ("neighbours", "interp.features.neighbours.PERPLEXITY"),
    ],
)
def test_constants_of_what_an_analysis_imports_are_in_its_key(analysis, constant):
    compute = next(one for one in registry.analyses() if one.name == analysis).compute
    assert constant in keys.constants(compute.__module__)


def test_sizes_of_batches_are_in_no_key():
    for analysis in registry.analyses():
        names = [name.rpartition(".")[2] for name in keys.constants(analysis.compute.__module__)]
        assert not [name for name in names if name.startswith("_")]


def test_a_claim_is_judged_from_what_its_parameters_name(study):
    from interp.pages.verdicts import _judge

    def claim(concepts_table: pd.DataFrame, attribute: str) -> Claim:
        return Claim("beyond", "", "", f"{len(concepts_table)} {attribute}", True, ("concepts",))

    assert _judge(claim, study).measured == f"{len(study.table('concepts'))} {study.attribute}"
