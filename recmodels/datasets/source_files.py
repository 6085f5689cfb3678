"""The one place that reads source files: it returns their content, or a one-line error.

Archives are never unpacked: members are read by name into memory, so no path inside an archive is written to. Archives
that could fill the memory are refused.
"""

import codecs
import gzip
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from recmodels.errors import InputError, one_line

MAX_MEMBERS = 10_000
"""Files in an archive, at most."""
MAX_BYTES = 4 << 30
"""Size of an unpacked member of an archive, at most."""
SMALL_BYTES, MAX_RATIO = 64 << 20, 100
"""A member larger than the first may be at most the second times its packed size; for text tables this is about 5."""

OTHER_ENCODINGS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
Content = TypeVar("Content")


@dataclass(frozen=True)
class SourceFile:
    """A file's content.

    Attributes:
        where: what error messages call it: a path, for an archive followed by the member's name.
        data: its bytes.
    """

    where: str
    data: bytes

    @property
    def table(self) -> bytes:
        """The bytes of a table of text, with lines that end in a line feed and without a byte order mark.

        Raises:
            InputError: it is in UTF-16, or has a zero byte, as damaged files and those of other formats do.
        """
        data = self.data.removeprefix(codecs.BOM_UTF8)
        for mark, encoding in OTHER_ENCODINGS.items():
            if data.startswith(mark):
                raise InputError(f"{self.where} is in {encoding}: save it in UTF-8")
        if (place := data.find(b"\0")) >= 0:
            row = data.count(b"\n", 0, place) + 1
            raise InputError(
                f"{self.where}, row {row} has a zero byte: the file is damaged or not a text table; get it again"
            )
        # Before macOS, lines ended in a carriage return alone.
        return data if b"\n" in data else data.replace(b"\r", b"\n")


def read_path(path: Path) -> SourceFile:
    """A file by its path; one that ends in .gz is unpacked.

    Raises:
        InputError: it does not exist, is a folder, cannot be read, or unpacks to more than `MAX_BYTES`.
    """
    if path.suffix.lower() != ".gz":
        return SourceFile(str(path), reading(str(path), path.read_bytes))

    def unpacked() -> bytes:
        with gzip.open(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"{path} unpacks to more than {MAX_BYTES:,} bytes: unpack it, and pass the file")
        return data

    return SourceFile(str(path), reading(str(path), unpacked, "is not a whole .gz file: get it again"))


def has_file(source: Path, name: str) -> bool:
    """Whether a folder or archive has the file, under the rules of `read_file`."""
    if source.is_dir():
        return (source / name).is_file()
    return source.is_file() and bool(_members(source, name))


def read_file(source: Path, name: str) -> SourceFile:
    """A file in a folder, or in a zip archive (or wheel), where it may lie in any folder.

    Raises:
        InputError: there is no such folder, archive or file, or it is damaged, encrypted or over the limits.
    """
    if source.is_dir():
        path = source / name
        if not path.is_file():
            raise InputError(f"{source} has no file {name}: pass the folder that has it")
        return read_path(path)
    members = _members(source, name)
    if not members:
        raise InputError(f"{source} has no member {name}: pass the archive that has it")
    where = f"{source}, {members[0]}"

    def member() -> bytes:
        with zipfile.ZipFile(source) as archive:
            info = archive.getinfo(members[0])
            if info.flag_bits & 1:
                raise InputError(f"{where} is encrypted: unpack it, and pass the folder")
            if info.file_size > min(MAX_BYTES, max(SMALL_BYTES, MAX_RATIO * info.compress_size)):
                raise InputError(
                    f"{where} says {info.file_size:,} bytes in {info.compress_size:,}; at most {MAX_BYTES:,}, and "
                    f"{MAX_RATIO} times as many as packed, are read: unpack it, and pass the folder"
                )
            return archive.read(info)

    return SourceFile(where, reading(where, member, "is damaged: get the archive again"))


def file_names(source: Path) -> list[str]:
    """Names of the files of a folder, or of all members of an archive.

    Raises:
        InputError: it is neither, is damaged, or has too many members.
    """
    if source.is_dir():
        return reading(str(source), lambda: [path.name for path in source.iterdir()])
    if not source.is_file():
        raise InputError(f"{source} does not exist: pass a folder or a .zip archive that does")

    def members() -> list[str]:
        with zipfile.ZipFile(source) as archive:
            return archive.namelist()

    names = reading(str(source), members, "is neither a folder nor a whole .zip archive: get it again")
    if len(names) > MAX_MEMBERS:
        raise InputError(f"{source} has {len(names):,} members, and at most {MAX_MEMBERS:,} are read: unpack it")
    return names


def _members(archive: Path, name: str) -> list[str]:
    """Members that are called `name` or end in `/name`, the least deep one first."""
    parts = PurePosixPath(name).parts
    members = [member for member in file_names(archive) if PurePosixPath(member).parts[-len(parts) :] == parts]
    return sorted(members, key=lambda member: (member.count("/"), member))


def reading(where: str, read: Callable[[], Content], damaged: str = "cannot be read") -> Content:
    """The result of `read`, or a one-line error about `where`; `damaged` says what any other fault means."""
    try:
        return read()
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{where} does not exist: pass the path of a file that does") from None
    except IsADirectoryError:
        raise InputError(f"{where} is a folder: pass the path of a file") from None
    except PermissionError as error:
        raise InputError(f"{where} cannot be read ({error.strerror}): ask for the right to read it") from None
    except MemoryError:
        raise InputError(f"{where} does not fit into the memory: take a part of it") from None
    except Exception as error:  # whatever a parser of a damaged file raises
        reason = f" ({one_line(str(error))[:100]})" if damaged == "cannot be read" else ""
        raise InputError(f"{where} {damaged}{reason}") from None
