"""What people write about features, as JSON: the one door by which notes come in, and how two files become one.

A file is a set of notes that only grows: a new name, vote or comment stands beside the earlier ones, so that files of
several people can be merged without losing anything. What holds is the latest of each person.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import category

from recmodels.errors import InputError, quote
from recmodels.json_files import check_record, read_json

KIND, VERSION = "interp notes", 1
NAME, VOTE, COMMENT = "name", "vote", "comment"
UP, DOWN, NONE = "up", "down", "none"
VOTES = (UP, DOWN, NONE)
LONGEST = {NAME: 100, VOTE: 4, COMMENT: 5_000, "by": 100}  # characters
MOST = 100_000  # notes in a file
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FORMAT = "%Y-%m-%dT%H:%M:%SZ"
FIELDS = {"feature": int, "by": str, "at": str, "kind": str, "text": str}
ADVICE = "give a file that a dashboard exported, or the notes.json of a study"


@dataclass(frozen=True)
class Note:
    """One thing that one person wrote.

    Attributes:
        feature: which feature.
        by: who wrote it.
        at: when, such as "2026-11-26T14:00:00Z".
        kind: "name", "vote" or "comment".
        text: the name, empty to take one's own back; "up", "down" or "none"; or the comment.
    """

    feature: int
    by: str
    at: str
    kind: str
    text: str


@dataclass(frozen=True)
class GivenName:
    """A name that a person gave."""

    text: str
    by: str
    at: str


def read_notes(path: Path, dictionary: str, n_features: int) -> frozenset[Note]:
    """The notes of a file.

    Args:
        path: the file, from whomever.
        dictionary: fingerprint of the dictionary that they must be about.
        n_features: how many features it has.

    Raises:
        InputError: the file cannot be read, is no file of notes, or is about another dictionary.
    """
    return parse_notes(read_json(path, ADVICE), path, dictionary, n_features)


def parse_notes(record: Any, name: object, dictionary: str, n_features: int) -> frozenset[Note]:
    """The notes of a JSON value; `name` is what a message calls it. As `read_notes`."""
    check_record(record, {"kind": str, "version": int, "dictionary": str, "notes": list}, name, ADVICE)
    if record["kind"] != KIND or record["version"] != VERSION:
        raise InputError(f"{name} holds no notes of version {VERSION}: {ADVICE}")
    if record["dictionary"] != dictionary:
        raise InputError(
            f"{name} is about the features of another dictionary ({quote(record['dictionary'][:8])}, this is "
            f"{dictionary[:8]}), whose numbers mean other things: give notes about this one, or move the file away"
        )
    if len(record["notes"]) > MOST:
        raise InputError(f"{name} has more than {MOST:,} notes: {ADVICE}")
    return frozenset(_note(note, f"note {place} of {name}", n_features) for place, note in enumerate(record["notes"]))


def checked(note: Note, name: str, n_features: int) -> Note:
    """A note, if it is one.

    Raises:
        InputError: a part of it cannot be; `name` is what the message calls it.
    """
    if not 0 <= note.feature < n_features:
        raise InputError(f"{name} is about feature {note.feature}: this dictionary has 0 to {n_features - 1}")
    if not TIME.fullmatch(note.at) or _time(note.at) is None:
        raise InputError(f"{name} was written at {quote(note.at)}: a time is such as 2026-11-26T14:00:00Z")
    if note.kind not in (NAME, VOTE, COMMENT):
        raise InputError(f"{name} is of kind {quote(note.kind)}: choose one of {NAME}, {VOTE} or {COMMENT}")
    if note.kind == VOTE and note.text not in VOTES:
        raise InputError(f"{name} is the vote {quote(note.text)}: choose one of {', '.join(VOTES)}")
    _check_text(note.by, f"the author of {name}", LONGEST["by"])
    _check_text(note.text, name, LONGEST[note.kind], empty=note.kind == NAME, lines=note.kind == COMMENT)
    return note


def as_record(notes: Iterable[Note], dictionary: str) -> dict[str, Any]:
    """Notes as a JSON value, in order of their time."""
    ordered = sorted(notes, key=lambda note: (note.at, astuple(note)))
    return {"kind": KIND, "version": VERSION, "dictionary": dictionary, "notes": [asdict(note) for note in ordered]}


def standing(notes: Iterable[Note], kind: str) -> dict[int, dict[str, Note]]:
    """For each feature, the latest note of this kind by each person, the latest person last."""
    latest: defaultdict[int, dict[str, Note]] = defaultdict(dict)
    for note in sorted((note for note in notes if note.kind == kind), key=lambda note: (note.at, note.by, note.text)):
        latest[note.feature].pop(note.by, None)
        latest[note.feature][note.by] = note
    return dict(latest)


def given_names(notes: Iterable[Note]) -> dict[int, list[GivenName]]:
    """For each feature, the names that people gave and did not take back, one a person; the last, latest, is shown."""
    names = {
        feature: [GivenName(note.text, note.by, note.at) for note in people.values() if note.text]
        for feature, people in standing(notes, NAME).items()
    }
    return {feature: given for feature, given in names.items() if given}


def conflicts(notes: Iterable[Note]) -> dict[int, list[GivenName]]:
    """The features to which people gave different names; case does not count."""
    return {
        feature: given
        for feature, given in given_names(notes).items()
        if len({name.text.casefold() for name in given}) > 1
    }


def votes(notes: Iterable[Note]) -> dict[int, tuple[int, int]]:
    """How many people vote for, and against, what each feature is called."""
    return {
        feature: (
            sum(note.text == UP for note in people.values()),
            sum(note.text == DOWN for note in people.values()),
        )
        for feature, people in standing(notes, VOTE).items()
    }


def _note(value: Any, name: str, n_features: int) -> Note:
    check_record(value, FIELDS, name, ADVICE)
    if value.keys() != FIELDS.keys():
        raise InputError(f"{name} has parts that no note has ({quote(sorted(value.keys() - FIELDS.keys()))}): {ADVICE}")
    return checked(Note(**value), name, n_features)


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, FORMAT)
    except ValueError:
        return None


def _check_text(text: str, name: str, longest: int, *, empty: bool = False, lines: bool = False) -> None:
    if len(text) > longest:
        raise InputError(f"{name} is {len(text):,} characters long: write at most {longest:,}")
    if text != text.strip() or not (text or empty):
        raise InputError(f"{name} is {quote(text)}: write some text, without blanks around it")
    if any(category(letter) in ("Cc", "Cs", "Zl", "Zp") and not (lines and letter == "\n") for letter in text):
        raise InputError(f"{name} has control characters, {quote(text)}: write plain text")
