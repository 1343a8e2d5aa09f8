"""Object code that was made before: kept for the next time, loaded only from where nobody else can write, missed by nobody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import sleep

import pytest

from draincheck.native import cache
from draincheck.native.cache import folder, kept
from draincheck.native.code import loaded


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder()


class Maker:
    """Makes code, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> bytes:
        self.times += 1
        return b"code %d" % self.times


def test_what_was_made_is_kept_under_its_key(place: Path) -> None:
    """The same key finds it again, another one does not; the directory is the user's alone."""
    make = Maker()
    assert [kept(key, make) for key in (b"one", b"one", b"two")] == [b"code 1", b"code 1", b"code 2"]
    assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"", b"short", bytes(40), sha256(b"other").digest() + b"code 1"])
def test_what_has_another_digest_is_made_anew(place: Path, content: bytes) -> None:
    """A file that was cut, or changed, is not loaded, and is there again afterwards."""
    make = Maker()
    kept(b"one", make)
    (file,) = place.iterdir()
    file.write_bytes(content)
    assert [kept(b"one", make), kept(b"one", make)] == [b"code 2", b"code 2"]


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707, 0o701])
def test_a_directory_that_others_may_enter_is_left_alone(place: Path, mode: int) -> None:
    """Nothing is loaded from there, and nothing is put there; what is asked for is made each time."""
    make = Maker()
    kept(b"one", make)
    place.chmod(mode)
    assert [kept(b"one", make), kept(b"two", make)] == [b"code 2", b"code 3"]
    assert len([*place.iterdir()]) == 1


def test_a_directory_of_somebody_else_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns it may put anything there, whatever its mode."""
    make = Maker()
    kept(b"one", make)
    monkeypatch.setattr("os.geteuid", lambda: place.stat().st_uid + 1)
    assert kept(b"one", make) == b"code 2"


def test_a_link_is_no_directory(place: Path, tmp_path: Path) -> None:
    """Where it leads may change at any time."""
    make = Maker()
    kept(b"one", make)
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    assert kept(b"one", make) == b"code 2"


@pytest.mark.parametrize("there", ["a file", "nowhere", "no home"])
def test_what_cannot_be_kept_is_no_error(there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code is made each time where it has no place."""
    (tmp_path / "file").touch()
    home = {"a file": str(tmp_path / "file"), "nowhere": "/proc/nowhere", "no home": "relative"}[there]
    monkeypatch.setenv("XDG_CACHE_HOME", home)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    make = Maker()
    assert [kept(b"one", make), kept(b"one", make)] == [b"code 1", b"code 2"]


def test_the_oldest_go(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory does not grow without an end."""
    monkeypatch.setattr(cache, "MOST", 3)
    make = Maker()
    for key in b"abcde":
        kept(bytes([key]), make)
    assert len([*place.iterdir()]) == 3
    assert kept(b"e", make) == b"code 5"


def test_texts_are_written_one_at_a_time() -> None:
    """Python 3.11 cannot parse in two threads at once."""
    inside, most = list[int](), 0

    def write(result: int) -> str:
        nonlocal most
        inside.append(result)
        most = max(most, len(inside))
        sleep(0.05)
        inside.remove(result)
        return f"define i64 @number() {{\n  ret i64 {result}\n}}\n"

    with ThreadPoolExecutor(3) as threads:
        codes = [threads.submit(loaded, f"key {n}", partial(write, n), 0) for n in range(3)]
        assert [code.result().call("number") for code in codes] == [0, 1, 2]
    assert most == 1
