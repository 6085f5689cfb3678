"""Archives: the same bytes for the same files, and nothing of a stranger's archive outside the folder."""

import stat
import zipfile

import pytest

from recmodels import archives
from recmodels.archives import check_name, unpack, write_archive
from recmodels.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for name, text in {"a.txt": "one", "b/c.txt": "two" * 1000}.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(text)
    return tmp_path / "folder"


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_and_back_again(folder, tmp_path):
    write_archive(folder, tmp_path / "new" / "x.zip")
    unpack(tmp_path / "new" / "x.zip", tmp_path / "out")
    assert content(tmp_path / "out") == content(folder)
    (folder / "a.txt").touch()  # another time, the same content
    write_archive(folder, tmp_path / "y.zip")
    assert (tmp_path / "y.zip").read_bytes() == (tmp_path / "new" / "x.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "new", "out", "y.zip"]


def archive_of(path, *entries):
    with zipfile.ZipFile(path, "w") as target:
        for entry, text in entries:
            target.writestr(entry, text)
    return path


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a\\..\\x", "C:x", "./x", "a//x", "a\nx", "x" * 501])
def test_names_that_lead_out_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="leads out of its folder: do not use it"):
        check_name(name, "it")
    archive = archive_of(tmp_path / "x.zip", (zipfile.ZipInfo("ok"), "x"), (name, "x"))
    with pytest.raises(InputError, match="leads out of its folder"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK])
def test_links_and_devices_are_refused(kind, tmp_path):
    entry = zipfile.ZipInfo("link")
    entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
    with pytest.raises(InputError, match="which is a link or no file"):
        unpack(archive_of(tmp_path / "x.zip", (entry, "/etc/passwd")), tmp_path / "out")


def test_what_grows_too_much_is_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        target.writestr("zeros", bytes(3_000_000))
    with pytest.raises(InputError, match="which grows too much when unpacked"):
        unpack(tmp_path / "bomb.zip", tmp_path / "out")
    archive = archive_of(tmp_path / "x.zip", ("a", "1234"), ("b", "5678"))
    monkeypatch.setattr(archives, "MOST_BYTES", 7)
    with pytest.raises(InputError, match="holds more than 7 bytes"):
        unpack(archive, tmp_path / "out")
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    with pytest.raises(InputError, match="has 2 files: at most 1"):
        unpack(archive, tmp_path / "out")


def test_a_size_that_lies_is_found(tmp_path):
    """The entry says 4 bytes, and holds 1,000."""
    archive = archive_of(tmp_path / "x.zip", ("a", "x" * 1000))
    raw = bytearray(archive.read_bytes())
    central = raw.index(b"PK\x01\x02")
    for start in (22, central + 24):  # sizes after unpacking, in both headers
        raw[start : start + 4] = (4).to_bytes(4, "little")
    archive.write_bytes(bytes(raw))
    with pytest.raises(InputError, match="is damaged or no archive"):
        unpack(archive, tmp_path / "out")


def test_damaged_archives_are_refused(tmp_path, folder):
    (tmp_path / "text.zip").write_text("no archive")
    write_archive(folder, tmp_path / "cut.zip")
    whole = (tmp_path / "cut.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    for name in ("text.zip", "cut.zip"):
        with pytest.raises(InputError, match="is damaged or no archive: get it again"):
            unpack(tmp_path / name, tmp_path / "out")
    twice = archive_of(tmp_path / "twice.zip", ("a", "1"), ("A", "2"))
    with pytest.raises(InputError, match="has the file 'A' twice"):
        unpack(twice, tmp_path / "out")
