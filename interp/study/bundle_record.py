"""What a bundle holds of its study, and what a study that was opened from one can therefore not do."""

from dataclasses import asdict, dataclass
from pathlib import Path

from recmodels.artifacts import write_json
from recmodels.errors import InputError
from recmodels.json_files import read_record

RECORD = "bundle.json"
TYPES = {"tables_left_out": list, "users": bool, "activations": bool}
ADVICE = "get the bundle again"


@dataclass(frozen=True)
class BundleRecord:
    """The content of a bundle, as its `bundle.json` says.

    Attributes:
        tables_left_out: names of the tables that name users.
        users: whether the tables and pages that name users are in it.
        activations: whether activations and feature matrices are in it.
    """

    tables_left_out: tuple[str, ...]
    users: bool
    activations: bool

    def write(self, folder: Path) -> None:
        """Write it to a bundle's folder."""
        write_json(folder / RECORD, asdict(self))


def bundle_record(folder: Path) -> BundleRecord | None:
    """What a bundle holds; None for the folder of a study.

    Raises:
        InputError: the record is damaged.
    """
    if not (folder / RECORD).is_file():
        return None
    record = read_record(folder / RECORD, TYPES, ADVICE)
    return BundleRecord(tuple(map(str, record["tables_left_out"])), record["users"], record["activations"])


def check_in_bundle(folder: Path, *, table: str = "", activations: bool = False, dictionary: str = "") -> None:
    """Refuse what a bundle lacks; nothing for a study's own folder.

    Args:
        folder: of the study.
        table: the name of a table that is needed.
        activations: whether activations are needed.
        dictionary: the name of a dictionary that is needed, and missing.

    Raises:
        InputError: the study is a bundle without it.
    """
    record = bundle_record(folder)
    if record is None:
        return
    if table in record.tables_left_out:
        raise InputError(
            f"the table {table!r} names users, and this study was opened from a bundle without them: "
            f"give histories of your own where that is offered (users=, --history), use the study itself, or make the "
            f"bundle with users (interp bundle … --with-users)"
        )
    if activations and not record.activations:
        raise InputError(
            "this study was opened from a bundle without activations, which this needs: use the study itself, or make "
            "the bundle with them (interp bundle … --with-activations)"
        )
    if dictionary:
        raise InputError(
            f"this study was opened from a bundle, which has no dictionary {dictionary!r}: it has the chosen"
        )
