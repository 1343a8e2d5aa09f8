"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from draincheck.atomicfile import write_atomically


def entries(folder: Path) -> list[str]:
    """What is in a directory, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("data", "content"), [("größer\n", "größer\n".encode()), (b"\x00\xff\r\n", b"\x00\xff\r\n")])
def test_new_file_holds_exactly_the_data(tmp_path: Path, data: str | bytes, content: bytes) -> None:
    """Text is stored as UTF-8, bytes as they are, and nothing else is left in the directory."""
    write_atomically(tmp_path / "trace.json", data)
    assert (tmp_path / "trace.json").read_bytes() == content
    assert entries(tmp_path) == ["trace.json"]


def test_old_content_is_replaced(tmp_path: Path) -> None:
    """A longer old content leaves no rest."""
    path = tmp_path / "trace.json"
    path.write_text("a much longer old content", encoding="utf-8")
    write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert entries(tmp_path) == ["trace.json"]


def test_permissions_are_those_a_plain_write_gives(tmp_path: Path) -> None:
    """A new file gets the permissions of the umask, not the private ones of a temporary file."""
    (tmp_path / "plain").write_text("", encoding="utf-8")
    write_atomically(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_permissions_of_an_existing_file_stay(tmp_path: Path) -> None:
    """Replacing a file keeps its permissions."""
    path = tmp_path / "trace.json"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    write_atomically(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_link_stays_a_link(tmp_path: Path) -> None:
    """The file behind a symbolic link is written, the link is not replaced."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "real" / "trace.json")
    write_atomically(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "trace.json").read_text(encoding="utf-8") == "new"


def test_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    """What is no regular file is written to in place: replacing /dev/null by a file would harm the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_missing_directory_is_named(tmp_path: Path) -> None:
    """The error names the file that was asked for, not a temporary one, and nothing is made."""
    path = tmp_path / "missing" / "trace.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)
    assert entries(tmp_path) == []


def test_directory_is_not_replaced(tmp_path: Path) -> None:
    """A directory in place of the file is an error, and stays."""
    (tmp_path / "trace.json").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "trace.json", "new")
    assert entries(tmp_path) == ["trace.json"]


def test_file_in_place_of_a_directory_is_an_error(tmp_path: Path) -> None:
    """A path through a file is an error like any other."""
    (tmp_path / "file").write_text("old", encoding="utf-8")
    with pytest.raises(NotADirectoryError):
        write_atomically(tmp_path / "file" / "trace.json", "new")


def test_read_only_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be written is not replaced, though its directory would allow that."""
    path = tmp_path / "trace.json"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o444)
    # An administrator may write everything: the system's answer to others is played here.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError) as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_interrupted_write_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, error: BaseException
) -> None:
    """Whatever stops the write, and when: the old file stays whole and no temporary file is left behind."""
    path = tmp_path / "trace.json"
    path.write_text("old", encoding="utf-8")

    def fail(*_: object) -> None:
        assert len(entries(tmp_path)) == 2, "the new content does not go to a file of its own"
        raise error

    monkeypatch.setattr(os, "fsync", fail) if moment == "fsync" else monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(type(error)):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert entries(tmp_path) == ["trace.json"]


def test_very_long_name_is_no_problem(tmp_path: Path) -> None:
    """A name as long as the file system allows can be written: the temporary name is not made from it."""
    write_atomically(tmp_path / ("x" * 255), "new")
    assert (tmp_path / ("x" * 255)).read_text(encoding="utf-8") == "new"
