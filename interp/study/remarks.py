"""What people wrote about a study's features: names of their own, votes and comments, in `notes.json` beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from interp.study.notes_file import (
    COMMENT,
    FORMAT,
    NAME,
    VOTE,
    GivenName,
    Note,
    as_record,
    checked,
    conflicts,
    given_names,
    read_notes,
    votes,
)
from recmodels.errors import InputError, for_terminal, quote
from recmodels.files import write_json
from recmodels.locks import hold
from recmodels.paths import as_path
from recmodels.scalars import whole_number
from recmodels.wording import counted

StudyParts: TypeAlias = Any  # interp.study.study_parts.StudyParts, which imports this module
COLUMNS = ["feature", "by", "at", "kind", "text"]


@dataclass(frozen=True)
class Merged:
    """What a merge of notes did.

    Attributes:
        added: notes that were new.
        known: notes that were there.
        conflicts: the features to which people gave different names, with these; the latest, the last one, is shown.
        path: where all notes are now.
    """

    added: int
    known: int
    conflicts: dict[int, list[GivenName]]
    path: Path

    @for_terminal
    def __repr__(self) -> str:
        lines = [f"{counted(self.added, 'new note')}, {counted(self.known, 'known one')}: {self.path}"]
        for feature, names in self.conflicts.items():
            told = ", ".join(f"“{name.text}” by {name.by}" for name in names)
            lines.append(f"CONFLICT: feature {feature} is called {told}; the latest is shown, all are kept")
        return "\n".join(lines)


def time_after(earlier: str) -> str:
    """Now, or a second after an earlier time: what is said later of a feature must stand later."""
    now = datetime.now(UTC).strftime(FORMAT)
    if now > earlier:
        return now
    return (datetime.strptime(earlier, FORMAT) + timedelta(seconds=1)).strftime(FORMAT)


class Remarks:
    """The notes of people about one dictionary's features. It shows them; every view shows the names that they gave.

        study.remarks.add(412, by="Anna", name="Space horror", vote="up", comment="Also lit by *Alien*.")
        study.remarks.merge("from-ben.json")

    The file is `notes.json` in the study's folder; `notes-<fingerprint>.json` for a dictionary other than the run's.

    Args:
        study: whose features.
    """

    def __init__(self, study: StudyParts) -> None:
        self.study = study

    @property
    def path(self) -> Path:
        """The file, which need not be there."""
        name = "notes" if self.study.other is None else f"notes-{self.study.sae.fingerprint[:8]}"
        return self.study.folder / f"{name}.json"

    @property
    def stamp(self) -> tuple[int, int] | None:
        """What tells that the file has changed; None where there is none."""
        status = self.path.stat() if self.path.exists() else None
        return status and (status.st_mtime_ns, status.st_size)

    @property
    def notes(self) -> frozenset[Note]:
        """All notes.

        Raises:
            InputError: the file is damaged, or about another dictionary.
        """
        if not self.path.exists():
            return frozenset()
        return read_notes(self.path, self.study.sae.fingerprint, self.study.sae.n_features)

    @property
    def problem(self) -> list[str]:
        """Why the notes beside the study are not shown, in a line; nothing where they are, or where there are none."""
        try:
            self.notes  # noqa: B018 - reads the file
        except InputError as error:
            return [f"Notes of people are not shown: {error}"]
        return []

    @property
    def given(self) -> dict[int, GivenName]:
        """The name that is shown of each feature that people gave one: the latest.

        Raises:
            InputError: the file is damaged, or about another dictionary.
        """
        return {feature: names[-1] for feature, names in given_names(self.notes).items()}

    @property
    def table(self) -> pd.DataFrame:
        """A row for each note: feature, by, at, kind ("name", "vote" or "comment") and text, in order of time.

        Raises:
            InputError: the file is damaged, or about another dictionary.
        """
        return pd.DataFrame(as_record(self.notes, "")["notes"], columns=COLUMNS)

    def add(
        self,
        feature: Any,
        *,
        by: str,
        name: str | None = None,
        vote: str | None = None,
        comment: str | None = None,
    ) -> None:
        """Write what a person says of a feature.

        Args:
            feature: its number.
            by: who says it.
            name: what it shall be called; "" takes one's own name back.
            vote: "up" or "down", for or against what it is called; "none" takes one's own vote back.
            comment: any text.

        Raises:
            InputError: nothing was said, or something that no note can be; the file is damaged, or about another
                dictionary, or another process writes it.
        """
        said = {NAME: name, VOTE: vote, COMMENT: comment}
        if all(text is None for text in said.values()):
            raise InputError("nothing was said: give a name, a vote (up, down or none) or a comment")
        wrong = next((text for text in (by, *said.values()) if not isinstance(text, str | None)), None)
        if wrong is not None or by is None:
            raise InputError(f"{quote(wrong)} is no text: say who writes (by) and what, as text")
        number = whole_number("the feature", feature, 0, self.study.sae.n_features - 1)
        earlier = [note.at for note in self.notes if note.feature == number]
        now = time_after(max(earlier, default=""))
        notes = [
            checked(Note(number, by.strip(), now, kind, text.strip()), f"the {kind}", self.study.sae.n_features)
            for kind, text in said.items()
            if text is not None
        ]
        self._extend(notes)

    def merge(self, *files: Path | str) -> Merged:
        """Add the notes of files that others exported, or of another copy of the study. Nothing is lost by it.

        Raises:
            InputError: a file holds no notes, or is about another dictionary; then none is added.
        """
        if not files:
            raise InputError("there is no file to merge: give one that a dashboard exported")
        size = self.study.sae.n_features
        read = [read_notes(as_path(file), self.study.sae.fingerprint, size) for file in files]
        new: frozenset[Note] = frozenset().union(*read)
        before, after = self._extend(new)
        return Merged(len(after) - len(before), len(new & before), conflicts(after), self.path)

    def _extend(self, notes: Iterable[Note]) -> tuple[frozenset[Note], frozenset[Note]]:
        """Write notes beside those that are there, and return these and all."""
        with hold(self.path.with_suffix(".lock"), self.path):
            before = self.notes
            after = before.union(notes)
            if after != before:
                write_json(self.path, as_record(after, self.study.sae.fingerprint))
        return before, after

    @for_terminal
    def __repr__(self) -> str:
        notes = self.notes
        if not notes:
            return f"no notes: {self.path} is not there"
        names, voted = given_names(notes), votes(notes)
        lines = []
        for feature in sorted({note.feature for note in notes}):
            called = ", ".join(f"“{name.text}” by {name.by}" for name in reversed(names.get(feature, [])))
            up, down = voted.get(feature, (0, 0))
            told = [called and f"called {called}", f"{up} for, {down} against" if up + down else ""]
            measured = self.study.names[feature].measured
            lines.append("; ".join(filter(None, [f"feature {feature}: {measured}", *told])))
            comments = [note for note in notes if note.feature == feature and note.kind == COMMENT]
            for note in sorted(comments, key=lambda note: (note.at, note.by, note.text)):
                lines.append("\n    ".join(f"  {note.by}, {note.at[:10]}: {note.text}".split("\n")))
        return "\n".join(lines)
