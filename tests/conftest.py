"""What holds for all tests."""

import gc
import os
import sys
from collections.abc import Iterator
from functools import cache

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
    """A search is a text that Python compiles: the same one, which many tests search with, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "compile", cache(compile), raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def files_of_the_program() -> Iterator[None]:
    """Before a command writes it looks at the file of each module: of the thousands that tests load, which stay where they are, once.

    Nor does a test wait until what it has written is safe from a power failure.
    """

    def is_same(file: str, there: os.stat_result) -> bool:
        return os.path.samestat(look(file), there) if file in loaded else real(file, there)

    loaded = {str(getattr(module, "__file__", "")) for module in list(sys.modules.values())}
    look, real = cache(os.stat), files._is_same
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_is_same", is_same)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def object_code(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Machine code that tests have made is no business of the user's."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


def pytest_collection_finish() -> None:
    """What has been loaded by now stays: nobody looks for cycles in it, and no process that a test forks copies it for that."""
    gc.collect()
    gc.freeze()
