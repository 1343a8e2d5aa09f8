"""What a search finds as a scenario grows: exact counts, which the table of docs/how-to/sizes.md shows."""

from __future__ import annotations

import re

import pytest

from draincheck.engines.explicit import explore
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import Counts, pinned_counts
from tests.support.house import ROOT
from tests.support.samples import sampled

#: of the seed, ab27c3b5e7: found by Python alone and by machine code, the small ones by the interpreter, too (differential/test_sizes.py)
COUNTS = {
    "mirror[writes=3]": Counts(82_635, 218_747, 80),
    "mirror[writes=4]": Counts(386_184, 1_130_556, 87),
    "mirror[writes=5]": Counts(1_714_000, 5_476_137, 94),
    "dataplane[writes=3]": Counts(139_798, 477_900, 88),
    "dataplane[writes=4]": Counts(632_023, 2_336_234, 95),
}
SEED = "ab27c3b5e7"


@pytest.mark.parametrize("scenario", sampled(COUNTS, 1))
def test_a_size_has_so_many_states(scenario: str) -> None:
    """Exactly; so many transitions, and so deep."""
    found = explore(CodeBase.named(SEED, scenario).system()).statistics
    assert Counts(found.states, found.transitions, found.depth) == COUNTS[scenario]


def test_the_table_of_the_page_has_these_states() -> None:
    """Those of the sizes that are pinned here, or in the table of the matrix."""
    page = (ROOT / "docs/how-to/sizes.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([^`]+)` \| ([\d,]+) \| \d+ \|", page, re.MULTILINE)
    shown = {name: int(states.replace(",", "")) for name, states in lines}
    known = {name: rows[SEED].states for name, rows in pinned_counts().items() if SEED in rows}
    known |= {name: counts.states for name, counts in COUNTS.items()}
    assert {name: known.get(name, states) for name, states in shown.items()} == shown
    assert shown.keys() >= COUNTS.keys() and len(shown) == 12
    assert all(find_scenario(name).name == name for name in shown)
