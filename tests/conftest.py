"""What holds for all tests."""

import gc
import os

from check_invariants.__main__ import SELDOM
from tests.support.clocks import hurry, stumped
from tests.support.parts import pytest_runtest_setup

__all__ = ["hurry", "pytest_runtest_setup", "stumped"]

#: as in the command itself
gc.set_threshold(*SELDOM)

pytest_plugins = ["pytester"]

# however slow the machine is, commands show no progress here; tests of that ask for it
os.environ["CHECK_INVARIANTS_PROGRESS"] = "off"

# how wide the tests' own terminal is says nothing of how wide the commands' is
os.environ.pop("COLUMNS", None)
