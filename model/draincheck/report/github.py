"""A run for GitHub Actions: annotations, which are commands on standard output, and the summary of a step, which is Markdown.

What both demand: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator

from draincheck.escape import harmless
from draincheck.report.account import Account, Item, Standing, Suite
from draincheck.report.markdown import Block, blocks_of, code, fenced, joined, trace_block
from draincheck.report.mermaid import sequence_diagram

__all__ = ["github_annotations", "github_summary"]

#: GitHub shows no more of a kind for a step, and says nothing of the others
MOST_ANNOTATIONS = 10
#: bytes of a step's summary: a longer one is not shown at all
LONGEST_SUMMARY = 1024 * 1024

_LEFT_OUT = "\n*The rest is left out here: GitHub shows no more of a step. The log and the other reports have it.*\n"


def github_annotations(account: Account) -> str:
    """A command a line for each thing to look at, and for each warning; where there are more than GitHub shows, one before them that says how many."""
    return "".join(f"{line}\n" for line in _annotations(account))


def _annotations(account: Account) -> Iterator[str]:
    bad = account.bad
    if len(bad) > MOST_ANNOTATIONS:
        said = f"{account.summary}; GitHub shows {MOST_ANNOTATIONS} annotations of a step, the summary has all"
        yield _command("error", {"title": account.title}, said)
    for suite, item in bad:
        yield _annotation(account, suite, item)
    for suite, warning in account.warnings:
        yield _command("warning", {"title": suite.title}, warning)


def _annotation(account: Account, suite: Suite, item: Item) -> str:
    place = account.place_of(item)
    where = {} if place is None else {"file": place.file, "line": str(max(1, place.line))}
    said = "\n".join(filter(None, [item.meaning, item.why, f"shown by: {account.command_of(item)}"]))
    kind = "warning" if item.standing is Standing.WRONG and not item.matters else "error"
    return _command(kind, {**where, "title": f"{item.name} in {suite.title}"}, said)


def _command(kind: str, properties: dict[str, str], message: str) -> str:
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {said}::{_data(message)}"


def _data(text: str) -> str:
    """A command's message; a command ends with its line, and only what stands at the beginning of one is a command."""
    return harmless(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# -- the summary ------------------------------------------------------------------------------------


def github_summary(account: Account, limit: int = LONGEST_SUMMARY) -> str:
    """What to append to `$GITHUB_STEP_SUMMARY`: tables, and one counterexample as a diagram and as text; at most so many bytes.

    What does not fit is left out from the end, block by block, and the summary says so; of a table that is too long, whole rows.
    """
    blocks = [*blocks_of(account), *_first_trace(account)]
    whole = joined(blocks)
    return whole if _size(whole) <= limit else _shortened(blocks, limit - _size(_LEFT_OUT)) + _LEFT_OUT


def _first_trace(account: Account) -> Iterator[Block]:
    """The shortest counterexample of what matters most."""
    found = [(suite, item, item.run) for suite, item in account.bad if item.run is not None]
    if not found:
        return
    suite, item, run = min(found, key=lambda entry: (not entry[1].matters, len(entry[2].steps)))
    yield f"### How {code(item.name)} comes about in {code(suite.title)}\n"
    yield fenced(sequence_diagram(run), "mermaid")
    yield trace_block(suite, item)


def _shortened(blocks: list[Block], limit: int) -> str:
    """As many blocks as fit, and of the first that does not, as many lines as do, if it is a table."""
    kept, used = list[Block](), 0
    for block in blocks:
        used += _size(block) + 1
        if used > limit:
            kept.append(_rows(block, limit - used + _size(block)))
            break
        kept.append(block)
    return joined(block for block in kept if block)


def _rows(block: Block, limit: int) -> Block:
    """The first rows of a table; "" for what is none."""
    if not block.startswith("| "):
        return ""
    kept, used = list[str](), 0
    for line in block.splitlines(keepends=True):
        used += _size(line)
        if used > limit:
            break
        kept.append(line)
    return "".join(kept)


def _size(text: str) -> int:
    return len(text.encode())
