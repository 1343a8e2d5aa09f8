"""What holds for all tests."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from check_invariants.__main__ import SELDOM
from tests.support.clocks import hurry, stumped
from tests.support.parts import pytest_runtest_setup
from tests.support.projects import empty_folder

__all__ = ["empty_folder", "hurry", "object_code", "one_core", "pytest_runtest_setup", "stumped"]

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
def object_code(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Machine code that tests have made is no business of the user's."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
