"""The explorer of logs in a real browser: keys, lanes, what was lost, narrow screens, no scripts, and names that are nothing but names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from draincheck.explorer import onefile
from tests.browser.conftest import Opens
from tests.browser.test_explorer_safe import HOSTILE, OFTEN, is_harmless
from tests.support.cli import run
from tests.support.qemu_logs import Guest, made
from tests.support.samples import sampled
from tests.support.visits import CONTRAST, Visit, unnamed

pytestmark = pytest.mark.needs("chromium-headless-shell")

MADE = Path(__file__).parents[1] / "data" / "made-logs"
LOSS, BROKEN = "00-new-loss.log", "17-new-same-sectors-one-fails-one-held.log"
#: the answer, a switch, its window before its first event, in its middle and at its end
PLACES = ("#/", "#/0", "#/0/0", "#/0/0/0", "#/0/0/3", "#/0/0/9999")

Logs = Callable[..., Path]


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """A function that writes the page of a log, once."""
    folder, known = tmp_path_factory.mktemp("logs"), dict[tuple[str, ...], Path]()

    def page(*words: str) -> Path:
        if words not in known:
            file = folder / f"{len(known)}.html"
            result = run("log", str(MADE / words[0]), *words[1:], "--html", str(file))
            assert result.exit_code in (0, 12, 14), result.output
            known[words] = file
        return known[words]

    return page


@pytest.fixture
def loss(opens: Opens, logs: Logs) -> Visit:
    """The window of a loss, before its first event."""
    return opens(logs(LOSS), "#/0/0/0")


def around(visit: Visit) -> str:
    """The log's own lines that are shown, with their heading."""
    return visit.page.locator("section[aria-label^='The log around line']").inner_text()


def test_the_answer_leads_to_the_window(opens: Opens, logs: Logs) -> None:
    """It is the command's; the switch has a row with its verdict, and a way to its window, which begins at (w)."""
    visit = opens(logs(LOSS))
    answer = run("log", str(MADE / LOSS)).stdout.splitlines()[0]
    assert visit.page.locator("h1").first.inner_text() == answer
    row = visit.page.locator(".app .matrix tbody tr")
    assert row.count() == 1
    assert "loss: 1 write" in row.inner_text()
    row.locator("a", has_text="window").click()
    visit.page.wait_for_selector(".lanes .step")
    assert visit.page.locator(".story [aria-current=true]").inner_text().startswith("(w)")
    assert visit.problems == []


def test_keys_step_through_the_events(loss: Visit) -> None:
    """Each shows its own line of the log, how it stands with the write, and the rule, which is broken from (b) on."""
    seen: list[tuple[int, str, bool]] = []
    for _ in range(5):
        loss.press("ArrowRight")
        rule = loss.page.locator("ul.rules li").first.locator(".fate").inner_text()
        step = int(loss.place.split("/")[3])
        line = loss.page.locator("section[aria-label^='The log around line'] .leaf").inner_text()
        seen.append((step, line.split()[0], rule == "violated"))
    assert seen == [(1, "16", False), (2, "18", False), (3, "19", True), (4, "21", True), (5, "27", True)]
    loss.press("ArrowRight")
    assert loss.place == "#/0/0/5"
    assert "lost" in loss.page.locator("section[aria-label=State]").inner_text()
    assert loss.problems == []


def test_a_broken_key_is_noticed(opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the page of a log has the scripts of every page, and a change of them is a change of it."""
    broken = onefile.script().replace("ArrowRight:", "ArrowWrong:")
    monkeypatch.setattr(onefile, "script", lambda: broken)
    assert run("log", str(MADE / LOSS), "--html", str(tmp_path / "broken.html")).exit_code == 12
    visit = opens(tmp_path / "broken.html", "#/0/0/0")
    visit.press("ArrowRight")
    assert visit.place == "#/0/0/0"


def test_the_lines_are_those_of_the_log(loss: Visit) -> None:
    """With their numbers, and two before and behind the event."""
    loss.press("n", "n")
    lines = (MADE / LOSS).read_text(encoding="utf-8").splitlines()
    shown = around(loss)
    assert all(f"{number}  {lines[number - 1]}" in shown for number in range(17, 22))


@pytest.mark.slow
def test_what_was_lost_can_be_read_and_selected(loss: Visit) -> None:
    """The sectors, the bytes, and where the guest was told that they are safe."""
    panel = loss.page.locator("section[aria-label='What was lost']")
    text = panel.inner_text()
    assert "on the abandoned disk alone: 1 write, 8 sectors" in text
    assert "sectors 0-7" in text
    assert "bytes 0-4095" in text
    assert "line 21" in text
    panel.locator("th").first.select_text()
    assert loss.page.evaluate("getSelection().toString()").strip() == "sectors 0-7"


@pytest.mark.slow
def test_nothing_is_offered_that_a_log_cannot_say(opens: Opens, logs: Logs) -> None:
    """No other step, nobody who waits, no walk from a first state, nothing to export; the window is shaded."""
    visit = opens(logs(BROKEN), "#/0/0/3")
    assert (
        visit.page.locator("section[aria-label^='What could happen'], section[aria-label^='Instead of']").count() == 0
    )
    assert visit.page.locator("section[aria-label='Who waits for what'], [data-key=export]").count() == 0
    assert visit.page.locator("svg .window").count() == 1
    visit.go(logs(BROKEN), "#/0")
    assert visit.page.locator("a", has_text="a walk from").count() == 0
    assert visit.problems == []


@pytest.mark.slow
def test_the_step_stands_in_the_address(opens: Opens, logs: Logs) -> None:
    """Who follows the link sees the same."""
    visit = opens(logs(BROKEN), "#/0/0/0")
    visit.press("ArrowRight", "ArrowRight", "ArrowRight")
    shown = visit.page.locator(".app").inner_text()
    assert opens(logs(BROKEN), visit.place).page.locator(".app").inner_text() == shown


@pytest.mark.parametrize(("log", "scheme"), [pytest.param(LOSS, "light", marks=pytest.mark.slow), (BROKEN, "dark")])
def test_everything_has_a_name_and_can_be_read(opens: Opens, logs: Logs, log: str, scheme: str) -> None:
    """On every page, at 360 pixels, which nothing but the lanes and tables is wider than."""
    visit = opens(logs(log), viewport={"width": 360, "height": 800}, color_scheme=scheme)
    for place in PLACES:
        visit.go(logs(log), place)
        assert unnamed(visit) == [], place
        assert visit.page.evaluate(CONTRAST) == [], place
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360, place
        assert visit.problems == []


def test_without_scripts_the_text_is_there(opens: Opens, logs: Logs) -> None:
    """The answer, the table, each event with its lines, what was lost."""
    visit = opens(logs(LOSS), java_script_enabled=False)
    text = visit.page.locator("body").inner_text()
    told = [
        line.strip() for line in run("log", str(MADE / LOSS)).stdout.splitlines() if "line " in line and "(" in line
    ]
    words = text.split()
    assert len(told) == 3
    for line in told:
        assert [word for word in line.split() if word not in words] == []
    assert all(line in text for line in (MADE / LOSS).read_text(encoding="utf-8").splitlines()[15:21])
    assert visit.page.locator("table.matrix").is_visible()


@pytest.mark.slow
def test_paper_has_the_window_that_is_looked_at(opens: Opens, logs: Logs) -> None:
    """With its lines."""
    visit = opens(logs(LOSS), "#/0/0/2")
    visit.page.emulate_media(media="print")
    assert visit.page.locator("#case-0-0 pre.trace").is_visible()
    assert "virtio_blk_handle_write" in visit.page.locator("#case-0-0 pre.trace").inner_text()
    assert not visit.page.locator(".bar").is_visible()


@pytest.mark.slow
def test_a_model_stands_beside_the_window(opens: Opens, logs: Logs) -> None:
    """Where it is a run of it, by a link to the trace; where not, with the step that is refused."""
    visit = opens(logs("00-old-loss.log", "--against", "v2.6.0", "--against", "v8.0.0"), "#/0/0/0")
    assert "is refused" in visit.page.locator("section[aria-label='No run of v8.0.0']").inner_text()
    visit.page.locator("section[aria-label='A run of v2.6.0'] a").click()
    visit.page.locator(".lanes .step").nth(
        6
    ).wait_for()  # a function that is waited for would be a script, which the page refuses
    assert "v2.6.0" in visit.page.locator(".app").inner_text()
    visit.press("Home", "ArrowRight", "n")
    assert visit.page.locator("section[aria-label^='What could happen next']").count() == 1
    assert visit.problems == []


@pytest.mark.parametrize("name", sampled(HOSTILE.values(), OFTEN), ids=HOSTILE)
def test_a_name_in_a_log_is_nothing_but_a_name(opens: Opens, tmp_path: Path, name: str) -> None:
    """Of a disk, and in every line: nothing of it is executed, and nothing of the page is lost."""
    lines = made(Guest(new=True), [["acked"], ["held"]]).lines
    told = name.encode("utf-8", "surrogatepass").replace(b"\n", b" ")
    log, page = tmp_path / "log", tmp_path / "hostile.html"
    log.write_bytes(b"".join(line.replace(b"disk.raw", told) + b"\n" + told + b"\n" for line in lines))
    code = run("log", str(log), "--html", str(page)).exit_code
    assert code in ((150,) if "\0" in name else (12, 30))  # a line with NUL bytes may have been an event
    visit = opens(page)
    for place in ("#/", "#/0", "#/0/0/9999"):
        visit.go(page, place)
        assert is_harmless(visit), place
