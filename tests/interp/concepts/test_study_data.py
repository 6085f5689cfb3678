from dataclasses import replace

import pandas as pd
import pytest

from interp.concepts.study_data import study_data
from interp.config import StudyConfig
from recmodels.config import Columns, SplitConfig
from recmodels.errors import InputError
from recmodels.interactions import Dataset


@pytest.fixture
def files(tmp_path):
    """Twenty readers; everyone reads six of eight books, reader 3 one of them again."""
    loans = [(f"r{u}", f"00{(u + i) % 8}", f"2020-01-{u + 1:02d}T0{i}:00:00") for u in range(20) for i in range(6)]
    loans.append(("r3", "003", "2020-01-04T09:00:00"))
    pd.DataFrame(loans, columns=["reader", "isbn", "date"]).to_csv(tmp_path / "loans.csv", index=False)
    subjects = ["sea;war", "sea", "war", "", "sea;love", "love", "war", "love"]
    books = {
        "isbn": [f"00{i}" for i in range(8)],
        "name": list("ABCDEFGH"),
        "subjects": subjects,
        "kind": "book",
        "year": range(1979, 1987),
    }
    pd.DataFrame(books).to_csv(tmp_path / "books.csv", index=False)
    return StudyConfig(
        dataset="books",
        data=tmp_path / "loans.csv",
        items=tmp_path / "books.csv",
        columns=Columns("reader", "isbn", "date", "name", "subjects", ";"),
        split=SplitConfig(validation_share=0.2),
        min_support=2,
        other_attributes=("decade",),
    )


def rows(data):
    split = data.split
    return sum(map(len, (split.recommender, split.validation, split.sae, split.sae_validation, split.test)))


def test_own_tables_become_a_study(files):
    data = study_data(files)
    assert data.dataset.name == "books"
    assert (data.attribute, data.concepts.names) == ("subjects", ["love", "sea", "war"])
    assert data.other_concepts["decade"].names == ["1980s"]  # one book of the seventies is not enough
    assert set(data.split.test["user"]) == {"r18", "r19"}


def test_repeats_are_kept_or_dropped(files):
    assert rows(study_data(replace(files, repeats="first"))) == rows(study_data(files)) - 1


def test_concepts_can_be_chosen(files):
    data = study_data(replace(files, most_frequent=2))
    assert (data.attribute, data.concepts.names) == ("subjects", ["love", "sea"])
    with pytest.raises(InputError, match="no column 'mood'"):
        study_data(replace(files, attribute="mood"))


def test_a_dataset_of_ones_own_comes_first(files):
    given = study_data(files).dataset
    mine = Dataset("mine", given.interactions, given.items, "year")
    assert study_data(replace(files, min_support=1), mine).attribute == "year"


def test_links_need_the_tables_that_they_lead_to(files, tmp_path):
    with pytest.raises(InputError, match="links is set without tmdb: give the folder"):
        replace(files, links=tmp_path / "links.csv").check()


def test_what_tmdb_does_not_know_of_a_film_the_film_does_not_lack(files):
    given = study_data(files).dataset
    languages = ["en", "fr", "en", None, "fr", "en", None, "fr"]
    mine = replace(given, items=given.items.assign(language=languages))
    data = study_data(replace(files, other_attributes=("language", "decade")), mine)
    known = data.other_concepts["language"].is_known(mine.items.index)
    assert known.tolist() == [value is not None for value in languages]
    assert data.other_concepts["decade"].is_known(mine.items.index).all()


def test_items_need_interactions(files):
    with pytest.raises(InputError, match="--data FILE"):
        replace(files, data=None).check()


def test_concepts_must_tell_users_items_apart(files):
    with pytest.raises(InputError, match="all items or none have each value of attribute 'kind'"):
        study_data(replace(files, other_attributes=("kind",)))
    with pytest.raises(InputError, match="has the unknown concept 'peace': choose from love, sea, war"):
        study_data(replace(files, steered=("peace",)))


def test_own_data_are_two_tables():
    with pytest.raises(InputError, match="--data INTERACTIONS, and --items ITEMS"):
        study_data(StudyConfig(dataset="own"))


def test_leave_one_out_keeps_everyone_for_the_recommender(files):
    left = replace(files, split=replace(files.split, kind="leave-one-out"))
    split = study_data(left).split
    assert split.recommender["user"].nunique() == split.users["user"].nunique() == 20
    assert (len(split.users), len(split.validation), len(split.recommender)) == (121, 101, 81)
    with pytest.raises(InputError, match=r"^seen_users is set with leave-one-out, where the recommender knows"):
        study_data(left, seen="none")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("paper", "Left out are 3 of 24 users, with fewer than 2 interactions in their part"),
        ("leave-one-out", "Left out are 4 of 24 users, with fewer than 3 interactions, which leave-one-out needs."),
    ],
)
def test_users_with_too_few_interactions_are_counted(files, kind, says):
    loans = pd.read_csv(files.data, dtype=str)
    short = loans[:6].groupby("isbn").head(1)  # of one, one, one and two interactions, all on the first day
    extra = short.iloc[[0, 1, 2, 3, 4]].assign(reader=["one", "another", "third", "two", "two"])
    pd.concat([loans, extra]).to_csv(files.data, index=False)
    notes = study_data(replace(files, split=replace(files.split, kind=kind))).notes
    assert next(note for note in notes if note.startswith("Left out")).startswith(says)


def test_nobody_is_left_out_without_a_word_or_named_for_nothing(files):
    for kind in ("paper", "leave-one-out"):
        notes = study_data(replace(files, split=replace(files.split, kind=kind))).notes
        assert not any(note.startswith("Left out") for note in notes)
    pd.read_csv(files.data, dtype=str).groupby("reader").head(2).to_csv(files.data, index=False)
    with pytest.raises(InputError, match=r"^leave-one-out needs users with 3 interactions, and nobody has as many"):
        study_data(replace(files, split=replace(files.split, kind="leave-one-out")))
