"""How large the explorer's document is: small enough for a mail, with all its graphs to walk in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from draincheck.checking import check
from draincheck.explorer.document import Opening
from draincheck.explorer.examined import Examined
from draincheck.explorer.making import document
from draincheck.explorer.onefile import render
from draincheck.explorer.runs import Tone
from draincheck.lang import Model
from draincheck.model_file import ModelFile
from draincheck.revisions import called, code_bases
from drainspecs.mirror.answer import answering_scenarios
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.explored import examined
from drainspecs.mirror.scenarios import applies
from drainspecs.suite.matrix import default_rows
from tests.support.cli import run
from tests.support.samples import sampled

#: what a report may take: of one code base, and of all of them
ONE, ALL = 2_000_000, 15_000_000
ANSWER = Opening(Tone.BAD, "an answer", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled([row.name for row in code_bases()], ["ab27c3b5e7"], 2))
def test_a_code_base_in_all_its_scenarios_is_small(name: str) -> None:
    """Less than 2 MB with the page around it, and its text, and every graph is there as a whole."""
    subjects = [CodeBase.named(name, scenario.name) for scenario in answering_scenarios()]
    items = [examined(item, check(item)) for item in subjects if applies(item.revision, item.scenario)]
    found = document(items, title="t", generator="g", command="c", answer=ANSWER)
    assert len(found.subjects) == len(items) >= 7
    assert all(system.graph.complete for system in found.systems.values())
    assert len(render(found)) < ONE


@pytest.mark.long
def test_the_matrix_is_small_enough(tmp_path: Path) -> None:
    """Less than 15 MB; rows that cannot be told apart share a system, and each has its cell and its subject."""
    file, rows = tmp_path / "all.html", default_rows()
    assert run("report", "-o", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    told = re.search(r'<script type="application/json" id="document">(.*?)</script>', text)
    assert told is not None
    found = json.loads(told[1])
    cells = [(row, cell) for row in found["matrix"]["rows"] for cell in row["cells"] if cell is not None]
    assert sorted(cell["subject"] for _, cell in cells) == list(range(len(rows)))
    titles = {called(row.revision): row.revision.name for row in rows}
    for row, cell in cells:
        assert found["subjects"][cell["subject"]]["title"].startswith(f"{titles[row['name']]} / ")
    assert len(found["systems"]) < len(rows) * 3 // 4
    assert len(text) < ALL


def test_a_large_system_is_cut() -> None:
    """Of a system with more states than there is room for those nearest to its run are there, and the page says so."""
    m = Model("large")
    counts = [m.int(f"x{number}", 0, 20) for number in range(3)]
    for number, x in enumerate(counts):
        with m.thread(f"t{number}") as p, p.loop():
            p.do("up", x.inc(), when=x < 20)
    m.always("small", counts[0] < 20)
    subject = ModelFile("model.py", "build", m.compile())
    found = document(
        [Examined(subject, check(subject))], title="t", generator="g", command="c", answer=ANSWER, most_states=500
    )
    (system,) = found.systems.values()
    assert 490 < system.graph.states <= 500
    assert system.graph.complete is False
    assert system.evidence[0].turning is None
    assert system.evidence[0].untold
