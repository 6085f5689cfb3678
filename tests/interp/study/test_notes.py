"""What people write about features: the door of its JSON, merging, and where it is shown."""

import json
import threading
import time
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

import interp
from interp.study.notes_file import Note, as_record, conflicts, given_names, parse_notes, votes
from interp.study.remarks import time_after
from recmodels.errors import InputError

N, OWN = 8, "ab" * 32
TEXTS = st.text(max_size=30)
TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
NOTES = st.fixed_dictionaries(
    {
        "feature": st.integers(-1, N) | VALUES,
        "by": TEXTS | VALUES,
        "at": TIMES | VALUES,
        "kind": st.sampled_from(["name", "vote", "comment", "other"]) | VALUES,
        "text": st.sampled_from(["up", "none", ""]) | TEXTS | VALUES,
    },
    optional={"more": VALUES},
)
GOOD = st.builds(
    Note,
    st.integers(0, N - 1),
    st.sampled_from(["Anna", "Ben"]),
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
    st.just("name"),
    st.sampled_from(["", "one", "two"]),
)


def record(*notes, **more):
    return {"kind": "interp notes", "version": 1, "dictionary": OWN, "notes": list(notes)} | more


def note(feature=3, by="Anna", at="2026-01-01T00:00:00Z", kind="name", text="Space horror"):
    return Note(feature, by, at, kind, text)


@given(
    st.recursive(VALUES | NOTES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
)
def test_whatever_comes_in_is_notes_or_one_line(value):
    for candidate in (value, record(value), record(*value) if isinstance(value, list) else record()):
        try:
            notes = parse_notes(candidate, "the file", OWN, N)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - most values are refused, not all
            continue
        text = json.dumps(as_record(notes, OWN)).encode().decode()
        assert parse_notes(json.loads(text), "the file", OWN, N) == notes
        for each in notes:
            assert 0 <= each.feature < N
            assert (each.by + each.text).encode()  # no half of a surrogate pair
            assert each.by.strip() == each.by != ""


@given(st.lists(GOOD, max_size=12), st.lists(GOOD, max_size=12))
def test_the_order_of_merges_does_not_matter_and_nothing_is_lost(one, other):
    both, turned = frozenset(one) | frozenset(other), frozenset(other) | frozenset(one)
    assert given_names(both) == given_names(turned)
    assert as_record(both, OWN) == as_record(turned, OWN)
    assert {tuple(asdict(each).values()) for each in both} == {
        tuple(row.values()) for row in as_record(both, OWN)["notes"]
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feature": 8}, "is about feature 8: this dictionary has 0 to 7"),
        ({"feature": True}, "is True, not a whole number"),
        ({"by": ""}, "the author of note 0 of the file is '': write some text"),
        ({"at": "2026-02-30T00:00:00Z"}, "a time is such as"),
        ({"kind": "vote", "text": "sideways"}, "choose one of up, down, none"),
        ({"text": "two\nlines"}, "has control characters"),
        ({"text": "\ud800"}, "has control characters"),
        ({"text": "x" * 101}, "is 101 characters long: write at most 100"),
        ({"more": 1}, "has parts that no note has"),
    ],
)
def test_what_is_no_note_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        parse_notes(record(asdict(note()) | change), "the file", OWN, N)


def test_other_files_are_refused():
    for wrong, message in (
        (record(dictionary="cd" * 32), "the features of another dictionary"),
        (record(version=2), "holds no notes of version 1"),
        (record(kind="steer"), "holds no notes of version 1"),
        ([], "is not a JSON object"),
    ):
        with pytest.raises(InputError, match=message):
            parse_notes(wrong, "the file", OWN, N)


def test_names_votes_and_conflicts_by_hand():
    first, second, third = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))
    notes = [
        note(text="Gore", at=first),
        note(text="Horror", at=second),  # Anna thought again
        note(text="horror", by="Ben", at=first),
        note(feature=4, text="Space", by="Ben", at=second),
        note(feature=4, text="Robots", at=first),
        note(feature=5, text="Wine", at=first),
        note(feature=5, text="", at=second),  # she takes it back
        note(kind="vote", text="up", at=first),
        note(kind="vote", text="down", at=second),
        note(kind="vote", text="up", by="Ben", at=third),
    ]
    names = {feature: [(name.text, name.by) for name in given] for feature, given in given_names(notes).items()}
    assert names == {3: [("horror", "Ben"), ("Horror", "Anna")], 4: [("Robots", "Anna"), ("Space", "Ben")]}
    assert list(conflicts(notes)) == [4]  # case does not count
    assert votes(notes) == {3: (1, 1)}


@pytest.fixture
def notes_of(study):
    yield study.remarks
    study.remarks.path.unlink(missing_ok=True)


def test_names_stand_beside_the_measured_ones(study, notes_of):
    before = study.names[3]
    notes_of.add(3, by="Anna", name=" Space horror ", vote="up", comment="Two\nlines")
    name = interp.open(study.folder).features[3].name
    assert (name.text, name.given, name.by) == (before.text, "Space horror", "Anna")
    assert study.names[3].said == f"{before.said}, called “Space horror” by Anna"
    assert "called “Space horror” by Anna" in repr(study.features[3])
    assert study.names[4] == interp.open(study.folder).measured_names[4]
    assert repr(notes_of).splitlines()[1:] == [f"  Anna, {notes_of.table['at'][0][:10]}: Two", "    lines"]
    assert notes_of.table["kind"].tolist() == ["comment", "name", "vote"]
    notes_of.add(3, by="Anna", name="")
    assert study.names[3].given == ""  # though it is the same second
    assert time_after("2999-12-31T23:59:59Z") == "3000-01-01T00:00:00Z"


def test_files_are_merged_whole_or_not_at_all(study, notes_of, tmp_path):
    dictionary = study.sae.fingerprint
    files = [tmp_path / name for name in ("anna.json", "ben.json", "other.json")]
    anna, ben = note(), note(by="Ben", text="Robots", at="2026-01-02T00:00:00Z")
    for file, notes, whose in zip(files, ([anna], [anna, ben], [anna]), (dictionary, dictionary, OWN), strict=True):
        file.write_text(json.dumps(as_record(notes, whose)))
    with pytest.raises(InputError, match="the features of another dictionary"):
        notes_of.merge(files[0], files[2])
    assert not notes_of.path.exists()
    assert notes_of.merge(files[0]).added == 1
    merged = notes_of.merge(files[1])
    assert (merged.added, merged.known) == (1, 1)
    assert "CONFLICT: feature 3 is called “Space horror” by Anna, “Robots” by Ben; the latest is shown" in repr(merged)
    assert notes_of.given[3].text == "Robots"
    assert notes_of.notes == {anna, ben}


def test_writers_do_not_overwrite_each_other(study, notes_of):
    def write(number):
        for _ in range(500):
            try:
                return notes_of.add(number, by="Anna", comment="mine")
            except InputError:  # another thread holds the lock
                time.sleep(0.01)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(notes_of.table["feature"]) == [0, 1, 2, 3]


def test_notes_about_another_dictionary_are_not_shown_and_every_view_says_so(study, notes_of):
    notes_of.path.write_text(json.dumps(as_record([note()], OWN)))
    assert study.names[3].given == ""
    assert "Notes of people are not shown:" in study.notes[-1]
    with pytest.raises(InputError, match="the features of another dictionary"):
        notes_of.add(3, by="Anna", name="Horror")


def test_the_command(study, notes_of, arguments, capsys):
    arguments("notes", study.folder, "add", 3, "--by", "Anna", "--name", "Space horror")
    arguments("notes", study.folder)
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == [str(notes_of.path), f"To see it in the page: interp dashboard {study.folder}"]
    assert out[2] == f"feature 3: {study.names[3].measured}; called “Space horror” by Anna"
    for words in (["add", "3"], ["add", "x", "--by", "Anna"], ["show", "3"], ["--by", "Anna"], ["merge"]):
        with pytest.raises(SystemExit):
            arguments("notes", study.folder, *words)
        assert capsys.readouterr().err.startswith("interp: ")
