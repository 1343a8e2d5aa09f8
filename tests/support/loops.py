"""Functions that run an event loop of their own, in a process where another test may have left one running (a browser's driver does)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

__all__ = ["apart"]

P = ParamSpec("P")
T = TypeVar("T")


def apart(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What a function returns, called in a thread with a loop that nobody else has."""

    def called() -> T:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return function(*arguments, **options)
        finally:
            loop.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(called).result()
