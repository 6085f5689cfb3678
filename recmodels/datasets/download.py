"""Downloads with checksums: a wrong or incomplete file is never kept."""

import hashlib
import http.client
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from recmodels.datasets.source_files import SourceFile, read_file
from recmodels.errors import InputError, one_line
from recmodels.paths import as_path
from recmodels.progress import tqdm

TIMEOUT_SECONDS = 10.0
CHUNK_BYTES = 1 << 18


class DownloadError(InputError):
    """A file could not be downloaded from one source; another source may still have it."""


def cache_folder() -> Path:
    """Where downloads are kept: the environment variable INTERP_CACHE, or `~/.cache/interp`."""
    return as_path(os.environ.get("INTERP_CACHE") or "~/.cache/interp")


def fetch(url: str, target: Path, checksum: str | None) -> Path:
    """Make sure that `target` holds the file at `url`, downloading it unless a good copy is there.

    Args:
        url: where the file is.
        target: where it goes. A copy there with another checksum is removed and fetched again.
        checksum: the algorithm and the expected hex digest, such as `"md5:0e33…"` or `"sha256:9c99…"`; None for an
            archive that has no stable one, and is good if it is whole.

    Returns:
        `target`.

    Raises:
        DownloadError: the host cannot be reached, or sent another file than expected (which is not kept).
    """
    if is_good(target, checksum):
        return target
    with _partial(target) as partial:
        _stream(url, partial)
        if not is_good(partial, checksum):
            raise DownloadError(f"{url} came altered or cut short and was removed: try again")
        partial.replace(target)
    return target


def from_wheel(
    requirement: str, checksum: str, members: Iterable[str], cache: Path | None = None
) -> dict[str, SourceFile]:
    """Files inside a wheel on the package index, which pip can often reach where other hosts are blocked.

    Args:
        requirement: the pinned requirement, such as `"recbole==1.2.1"`. Nothing is installed.
        checksum: of the wheel, as in `fetch`.
        members: exact names inside the wheel.
        cache: folder that keeps the wheel; `cache_folder()` when absent.

    Raises:
        DownloadError: pip cannot get it, or got another wheel than expected (which is not kept).
        InputError: the wheel has no such member.
    """
    wheel = wheel_path(requirement, cache)
    if not is_good(wheel, checksum):
        with _partial(wheel) as partial:
            _pip_download(requirement, partial)
            if not is_good(partial, checksum):
                raise DownloadError(f"the wheel of {requirement} is not the expected one and was removed: try again")
            partial.replace(wheel)
    return {name: read_file(wheel, name) for name in members}


def wheel_path(requirement: str, cache: Path | None = None) -> Path:
    """Where `from_wheel` keeps a requirement's wheel."""
    return (cache or cache_folder()) / f"{requirement.replace('==', '-')}.whl"


def is_good(path: Path, checksum: str | None) -> bool:
    """Whether there is a file with this checksum, or, without one, a whole .zip archive."""
    if checksum is None:
        return zipfile.is_zipfile(path)
    algorithm, _, expected = checksum.partition(":")
    if not path.is_file():
        return False
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest() == expected


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to, gone afterwards unless it was renamed; removes `target`."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        partial.touch()
    except OSError as error:
        raise DownloadError(
            f"{partial.parent} cannot be written to ({error.strerror}): set INTERP_CACHE to a folder that can"
        ) from None
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _stream(url: str, path: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, path.open("wb") as handle:
            size = int(response.headers.get("Content-Length") or 0) or None
            name = PurePosixPath(url).name
            with tqdm(desc=one_line(name), total=size, unit="B", unit_scale=True) as bar:
                while block := response.read(CHUNK_BYTES):
                    handle.write(block)
                    bar.update(len(block))
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"{url} cannot be downloaded ({' '.join(str(reason).split())})") from None


def _pip_download(requirement: str, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--retries", "2", "-d", folder, requirement]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if process.returncode != 0 or len(wheels) != 1:
            reason = (process.stderr.strip() or "pip said nothing").splitlines()[-1]
            raise DownloadError(f"pip cannot download {requirement} ({reason})")
        path.write_bytes(wheels[0].read_bytes())
