"""Graphviz itself: what it reads in a file."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def read(text: str) -> dict[str, Any]:
    """What Graphviz makes of a file. Raises CalledProcessError for one that it does not read, or not without complaint."""
    done = subprocess.run(["dot", "-Tjson0"], input=text.encode(), capture_output=True, check=False, timeout=30)
    if done.returncode or done.stderr:
        raise subprocess.CalledProcessError(done.returncode, "dot", stderr=done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
