"""What holds for all tests."""

import gc
import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache

import pytest
from hypothesis import settings

from check_invariants import files
from check_invariants.__main__ import SELDOM
from draincheck.exploration import loop
from tests.support.clocks import hurry, stumped
from tests.support.parts import pytest_runtest_setup
from tests.support.projects import empty_folder

__all__ = [
    "empty_folder",
    "files_of_the_program",
    "hurry",
    "loops_by_text",
    "object_code",
    "one_core",
    "pytest_runtest_setup",
    "stumped",
]

#: as in the command itself
gc.set_threshold(*SELDOM)

pytest_plugins = ["pytester", "tests.support.costs", "tests.support.measured"]

# nor does an example of hypothesis fail because the machine is busy
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# however slow the machine is, commands show no progress here; tests of that ask for it
os.environ["CHECK_INVARIANTS_PROGRESS"] = "off"

# how wide the tests' own terminal is says nothing of how wide the commands' is
os.environ.pop("COLUMNS", None)


@pytest.fixture(autouse=True, scope="session")
def one_core() -> Iterator[None]:
    """Tests run side by side already: a command forks no processes here, unless it is told to (`-j 2`), and so finds what others have loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def loops_by_text() -> Iterator[None]:
    """A search is a text that Python compiles: the same one, which many tests search with, once; the last few hundred are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "compile", lru_cache(300)(compile), raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def files_of_the_program() -> Iterator[None]:
    """Before a command writes it looks at the file of each module: of the thousands that tests load, which stay where they are, once.

    Nor does a test wait until what it has written is safe from a power failure.
    """
    loaded = {id(module): module for module in sys.modules.values()}
    files_of_these = {str(getattr(module, "__file__", "")) for module in loaded.values()}
    places = {(there.st_dev, there.st_ino) for there in map(os.stat, filter(os.path.exists, files_of_these))}
    real = files._is_of_one

    def is_of_one(there: os.stat_result, modules: Iterable[object]) -> bool:
        return (there.st_dev, there.st_ino) in places or real(there, [m for m in modules if id(m) not in loaded])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_is_of_one", is_of_one)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def object_code(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Machine code that tests have made is no business of the user's; those that run side by side have it of each other."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ["XDG_CACHE_HOME"] = str(shared / "cache")


def pytest_collection_finish() -> None:
    """What has been loaded by now stays: nobody looks for cycles in it, and no process that a test forks copies it for that."""
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Pytest has looked for what nobody refers to, and the process ends: Python need not look again, through all that tests have cached."""
    gc.freeze()
