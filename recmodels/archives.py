"""Archives (.zip) of folders: written the same for the same files, and read without trusting what is in them."""

import re
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from recmodels.errors import InputError, quote
from recmodels.files import saving
from recmodels.progress import tqdm

MOST_FILES = 10_000
MOST_BYTES = 2**34  # of all files together, after they are unpacked
MOST_GROWTH = 200  # bytes of a file for each byte that it has in the archive
TIME = (1980, 1, 1, 0, 0, 0)  # of every file, so that the archive follows from the content alone
CHUNK = 2**20


def write_archive(folder: Path, archive: Path) -> None:
    """Write all files below a folder as an archive, which replaces the one that is there.

    Raises:
        InputError: the disk is full.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(f"{archive.name}.partial")
    with saving(archive):
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as target:
                for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                    entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), TIME)
                    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, (stat.S_IFREG | 0o644) << 16
                    with path.open("rb") as source, target.open(entry, "w", force_zip64=True) as packed:
                        shutil.copyfileobj(source, packed, CHUNK)
            partial.replace(archive)
        finally:
            partial.unlink(missing_ok=True)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive of a stranger into an empty folder.

    Raises:
        InputError: it is no archive, is damaged or locked by a password; a name in it leads out of the folder or occurs
            twice; it has links; or it is too large.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            entries = [entry for entry in source.infolist() if not entry.is_dir()]
            _check(entries, archive)
            total = sum(entry.file_size for entry in entries)
            with tqdm(desc="unpacking", total=total, unit="B", unit_scale=True) as bar:
                for entry in entries:
                    target = folder / entry.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with source.open(entry) as packed, target.open("xb") as handle:
                        while block := packed.read(CHUNK):  # zipfile gives no more than the size that was checked
                            handle.write(block)
                            bar.update(len(block))
    except InputError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, ValueError, FileExistsError):
        raise InputError(f"{archive} is damaged or no archive: get it again") from None


def check_name(name: str, where: object) -> None:
    """Refuse the name of a file that leads out of its folder, or that some system cannot have.

    Raises:
        InputError: it is such a name.
    """
    path = PurePosixPath(name)
    inside = name and not path.is_absolute() and ".." not in path.parts and not re.search(r"[\\:\0]", name)
    if not inside or path.as_posix() != name or not name.isprintable() or len(name) > 500:
        raise InputError(f"{where} has a file called {quote(name)}, which leads out of its folder: do not use it")


def _check(entries: list[zipfile.ZipInfo], archive: Path) -> None:
    if len(entries) > MOST_FILES:
        raise InputError(f"{archive} has {len(entries):,} files: at most {MOST_FILES:,} are unpacked")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise InputError(f"{archive} holds more than {MOST_BYTES:,} bytes, which are not unpacked")
    names: set[str] = set()
    for entry in entries:
        check_name(entry.filename, archive)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise InputError(f"{archive} has {quote(entry.filename)}, which is a link or no file: do not use it")
        if entry.flag_bits & 0x1:
            raise InputError(f"{archive} is locked by a password: unpack it yourself, and open the folder")
        if entry.file_size > MOST_GROWTH * max(entry.compress_size, 1) + CHUNK:
            raise InputError(
                f"{archive} has {quote(entry.filename)}, which grows too much when unpacked: do not use it"
            )
        if entry.filename.lower() in names:
            raise InputError(f"{archive} has the file {quote(entry.filename)} twice: do not use it")
        names.add(entry.filename.lower())
