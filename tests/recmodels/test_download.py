import hashlib
import http.server
import os
import socket
import stat
import threading
import time
import zipfile

import pytest

from recmodels.datasets import download
from recmodels.datasets.download import DownloadError, fetch, from_wheel
from recmodels.datasets.files import SourceFile, has_file, read_file
from recmodels.errors import InputError

CONTENT = b"user item time\n" * 1000
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path == "/absent":
            self.send_error(404)
            return
        if self.path == "/silent":
            self.server.released.wait(10)
            return
        content = CONTENT.replace(b"user", b"USER") if self.path == "/altered" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:700] if self.path == "/truncated" else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests, server.released = [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.released.set()
        server.shutdown()


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("checksum", [MD5, f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"])
def test_a_good_file_arrives_once(server, tmp_path, checksum):
    target = tmp_path / "new" / "a.zip"
    assert fetch(f"{server.url}/a.zip", target, checksum) == target
    assert fetch(f"{server.url}/a.zip", target, checksum).read_bytes() == CONTENT
    assert server.requests == ["/a.zip"]
    assert [path.name for path in target.parent.iterdir()] == ["a.zip"]


def test_without_a_checksum_an_archive_must_be_whole(server, tmp_path):
    target = make_zip(tmp_path / "a.zip", {"a.txt": "hello"})
    assert fetch(f"{server.url}/absent", target, None) == target  # a whole one is there already
    assert server.requests == []
    target.write_bytes(target.read_bytes()[:-10])
    with pytest.raises(DownloadError, match="altered or cut short"):
        fetch(f"{server.url}/a.zip", target, None)  # what the server holds is no archive
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/truncated", "/altered"])
def test_a_bad_download_is_refused_and_removed(server, tmp_path, path):
    with pytest.raises(DownloadError, match="altered or cut short"):
        fetch(server.url + path, tmp_path / "a.zip", MD5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x"])
def test_a_bad_copy_in_the_cache_is_fetched_again(server, tmp_path, content):
    target = tmp_path / "a.zip"
    target.write_bytes(content)
    assert fetch(f"{server.url}/a.zip", target, MD5).read_bytes() == CONTENT
    assert server.requests == ["/a.zip"]


def test_a_bad_copy_does_not_outlive_a_failed_download(server, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"bad")
    with pytest.raises(DownloadError, match=r"/absent cannot be downloaded \(Not Found\)"):
        fetch(f"{server.url}/absent", tmp_path / "a.zip", MD5)
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_nobody_answers_for_is_an_error(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.zip"
    with pytest.raises(DownloadError, match=r"a\.zip cannot be downloaded \(.*refused.*\)") as caught:
        fetch(url, tmp_path / "a.zip", MD5)
    assert "\n" not in str(caught.value)


def test_a_silent_host_fails_fast(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.2)
    start = time.monotonic()
    with pytest.raises(DownloadError, match="timed out"):
        fetch(f"{server.url}/silent", tmp_path / "a.zip", MD5)
    assert time.monotonic() - start < 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_named(server, tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(DownloadError, match=r"cannot be written to .* set INTERP_CACHE"):
        fetch(f"{server.url}/a.zip", tmp_path / "a.zip", MD5)


def test_a_cache_that_is_a_file_is_named(server, tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(DownloadError, match=r"cache cannot be written to .* set INTERP_CACHE"):
        fetch(f"{server.url}/a.zip", tmp_path / "cache" / "a.zip", MD5)


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("INTERP_CACHE", str(tmp_path))
    assert download.cache_folder() == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERP_CACHE", "~/x")
    assert download.cache_folder() == tmp_path / "home" / "x"
    monkeypatch.delenv("INTERP_CACHE")
    assert download.cache_folder() == tmp_path / "home" / ".cache" / "interp"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for the only package index, with one wheel in it."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel = make_zip(
        folder / "toy-1.0-py3-none-any.whl",
        {
            "toy/data/a.txt": "A",
            "../../escaped.txt": "E",
            "toy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
            "toy-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        },
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return wheel


def test_members_of_a_wheel_come_from_the_index_once(index, tmp_path):
    checksum = f"sha256:{hashlib.sha256(index.read_bytes()).hexdigest()}"
    cache = tmp_path / "cache"
    files = from_wheel("toy==1.0", checksum, ["toy/data/a.txt"], cache)
    assert [(name, file.data) for name, file in files.items()] == [("toy/data/a.txt", b"A")]
    index.unlink()
    assert from_wheel("toy==1.0", checksum, ["toy/data/a.txt"], cache) == files
    with pytest.raises(InputError, match=r"has no member toy/data/b\.txt"):
        from_wheel("toy==1.0", checksum, ["toy/data/b.txt"], cache)
    assert [path.name for path in cache.iterdir()] == ["toy-1.0.whl"]
    assert not list(tmp_path.parent.rglob("escaped.txt"))


def test_another_wheel_is_refused_and_removed(index, tmp_path):
    with pytest.raises(DownloadError, match=r"wheel of toy==1\.0 is not the expected one"):
        from_wheel("toy==1.0", "sha256:" + "0" * 64, ["toy/data/a.txt"], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wheel_that_pip_cannot_find_is_one_line(index, tmp_path):
    with pytest.raises(DownloadError, match=r"pip cannot download toy==2\.0 \(.*toy==2\.0") as caught:
        from_wheel("toy==2.0", "sha256:" + "0" * 64, [], tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_folders_and_archives_read_alike(tmp_path):
    (tmp_path / "u.data").write_bytes(b"1")
    archive = make_zip(tmp_path / "a.zip", {"deep/ml/u.data": "3", "ml/u.data": "2", "ml/xu.data": "4"})
    assert read_file(tmp_path, "u.data") == SourceFile(f"{tmp_path}/u.data", b"1")
    assert read_file(archive, "u.data") == SourceFile(f"{archive}, ml/u.data", b"2")
    assert read_file(archive, "deep/ml/u.data").data == b"3"
    assert has_file(tmp_path, "u.data")
    assert has_file(archive, "u.data")
    assert not has_file(tmp_path, "u.item")
    assert not has_file(archive, "data")
    assert not has_file(tmp_path / "absent", "u.data")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("absent", "absent does not exist: pass a folder or a .zip"),
        ("", "has no file u.item"),
        ("a.zip", "a.zip has no member u.item"),
        ("note.txt", "note.txt is neither a folder nor a whole .zip archive"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, source, message):
    (tmp_path / "note.txt").write_text("not a zip")
    make_zip(tmp_path / "a.zip", {"u.data": "1"})
    with pytest.raises(InputError, match=message):
        read_file(tmp_path / source, "u.item")


def test_a_damaged_archive_is_named(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"u.data": "1234567890"})
    archive.write_bytes(archive.read_bytes().replace(b"1234567890", b"1234567899"))
    with pytest.raises(InputError, match=r"a\.zip, u\.data is damaged: get the archive again"):
        read_file(archive, "u.data")
