"""The entry point: `check-invariants`, and `python -m check_invariants`."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from check_invariants.interrupts import INTERRUPTED, hear_every_interrupt

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    try:
        hear_every_interrupt()
        from check_invariants.main import cli

        code = cli.main(standalone_mode=False)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        code = INTERRUPTED
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done
    sys.exit(code)


if __name__ == "__main__":
    main()
