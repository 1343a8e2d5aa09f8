"""Parts of an event loop's program in the modelling language. A model of a code base is composed of them.

Each part owns its variables, the conditions that speak of them and the updates that change them. What a scenario does not have is made
with absent variables (`Model.bool(..., exists=False)`): conditions fold, updates are dropped, and nobody has to ask whether it is there.
"""

from draincheck.eventloop.backend import Backend, QueueRules
from draincheck.eventloop.bottom_half import NEVER, BottomHalf
from draincheck.eventloop.context import AioContext, FdHandler, Rules
from draincheck.eventloop.coroutine import CoSleep, HomedCoroutine
from draincheck.eventloop.gsource import GSource, dispatch
from draincheck.eventloop.locks import Bql, Lock
from draincheck.eventloop.node import Above, DrainedOnce, Home, Node, add_up, fixed
from draincheck.eventloop.polling import NestedPoll, poll_until_quiet
from draincheck.eventloop.timer import ARMED, Timer

__all__ = [
    "ARMED", "NEVER", "Above", "AioContext", "Backend", "BottomHalf", "Bql", "CoSleep", "DrainedOnce", "FdHandler", "GSource", "Home",
    "HomedCoroutine", "Lock", "NestedPoll", "Node", "QueueRules", "Rules", "Timer", "add_up", "dispatch", "fixed",
    "poll_until_quiet",
]  # fmt: skip
