"""What holds for all tests."""

from tests.support.parts import pytest_runtest_setup

__all__ = ["pytest_runtest_setup"]

pytest_plugins = ["pytester"]
