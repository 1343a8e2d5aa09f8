"""What holds for all tests."""

from tests.support.clocks import hurry, stumped
from tests.support.parts import pytest_runtest_setup

__all__ = ["hurry", "pytest_runtest_setup", "stumped"]

pytest_plugins = ["pytester"]
