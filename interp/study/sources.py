"""Where a study is opened from: a folder, an archive, or a model hub. The last two are unpacked into the cache."""

import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from interp.optional import needing
from interp.store.study_folder import RECORD
from recmodels import artifacts
from recmodels.archives import MOST_BYTES, MOST_FILES, check_name, unpack
from recmodels.datasets.download import cache_folder
from recmodels.errors import InputError, quote
from recmodels.files import file_sha256
from recmodels.folders import MANIFEST
from recmodels.paths import as_path
from recmodels.progress import tqdm

HUB = re.compile(r"hf:/{1,2}(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")  # pathlib makes // one
KIND = artifacts.Kind("unpacked bundle", (RECORD,))


def study_source(source: Any) -> Path:
    """The folder of a study, wherever it is.

    Args:
        source: a folder; an archive (.zip) of one; or `hf://OWNER/NAME`, with `@REVISION` if it is not the newest.

    Raises:
        InputError: there is no such place, it cannot be reached, or what is there is damaged or not to be trusted.
    """
    text = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
    if isinstance(text, str) and text.startswith("hf:"):
        match = HUB.fullmatch(text)
        if match is None:
            raise InputError(f"{quote(text)} names no place on a hub: write hf://OWNER/NAME")
        return _from_hub(match["repo"], match["revision"])
    path = as_path(source)
    return _from_archive(path) if path.is_file() and path.suffix == ".zip" else path


def _from_archive(archive: Path) -> Path:
    digest = file_sha256(archive)
    return _cached(digest, {"sha256": digest}, lambda folder: unpack(archive, folder))


def _from_hub(repo: str, revision: str | None) -> Path:
    """A snapshot of a model repository, without the links that the hub's own cache has."""
    with needing("huggingface_hub"):
        import huggingface_hub
    endpoint = os.environ.get("HF_ENDPOINT")  # of a mirror; the library reads it once, when it is imported
    try:
        about = huggingface_hub.HfApi(endpoint).model_info(repo, revision=revision, files_metadata=True)
    except Exception as error:  # of the network, the hub, or a name that it refuses
        raise InputError(f"hf://{repo} cannot be had ({_reason(error)})") from None
    files = {file.rfilename: file.size or 0 for file in about.siblings or ()}
    for name in files:
        check_name(name, f"hf://{repo}")
    if len(files) > MOST_FILES or sum(files.values()) > MOST_BYTES:
        raise InputError(f"hf://{repo} has {len(files):,} files of {sum(files.values()):,} bytes: that is too large")
    if RECORD not in files:
        raise InputError(f"hf://{repo} holds no study: it has no {RECORD}")

    def download(folder: Path) -> None:
        def one(name: str) -> None:
            huggingface_hub.hf_hub_download(repo, name, revision=about.sha, local_dir=folder, endpoint=endpoint)

        try:
            with ThreadPoolExecutor(8) as pool:
                list(tqdm(pool.map(one, sorted(files)), f"hf://{repo}", len(files)))
        except Exception as error:
            raise InputError(f"hf://{repo} cannot be had ({_reason(error)})") from None
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # of huggingface_hub

    return _cached(f"hub-{about.sha}", {"repo": repo, "sha": about.sha}, download)


def _cached(name: str, inputs: dict[str, Any], fill: Callable[[Path], None]) -> Path:
    """A folder of the cache, by what identifies its content; filled unless it is there."""
    folder = cache_folder() / "bundles" / name[:48]
    with suppress(InputError):
        artifacts.read_manifest(folder, KIND)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    artifacts.discard_partial(folder, KIND)
    try:
        with artifacts.writing(folder, KIND, inputs) as partial:
            fill(partial)
            (partial / MANIFEST).unlink(missing_ok=True)  # the bundle's own; this folder gets another
            if not (partial / RECORD).is_file():
                raise InputError(f"the archive holds no study: it has no {RECORD}")
    finally:
        artifacts.discard_partial(folder, KIND)  # of an archive that is refused
    return folder


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__
