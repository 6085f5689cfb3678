"""A study of a recommender that another program trained: nothing of it is trained, and what is not known is said."""

from interp.store.registry import analyses


def test_every_analysis_has_its_tables(foreign_study):
    for analysis in analyses():
        for table in analysis.tables:
            assert len(foreign_study.table(table.name)), table.name
