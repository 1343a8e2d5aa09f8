"""What the explorer says in words is so: stories against the checks of the specification, remedies against searches, losses against the core."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from draincheck.checking import check
from draincheck.explorer.document import Opening, PageSubject
from draincheck.explorer.examined import Examined
from draincheck.explorer.making import document
from draincheck.explorer.runs import PageEvidence, StoryStep, Tone
from draincheck.explorer.walkable import PageSystem
from draincheck.lang import Model
from draincheck.model_file import ModelFile
from draincheck.report.lanes import lanes_of
from draincheck.revisions import PLACES, REVISIONS, find_revision
from draincheck.run import Run, Step, Trace
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome
from drainspecs.mirror import story
from drainspecs.mirror.answer import answering_scenarios
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.explored import examined, remedy_of
from drainspecs.mirror.scenarios import applies
from drainspecs.mirror.story import tell
from drainspecs.mirror.terms import GLOSSARY
from tests.support.samples import sampled

#: scenarios with more disks, jobs and ways to end, each in a code base that goes wrong there
WIDER = [
    f"v2.6.0 {name}"
    for name in (
        "mirror-2-disks",
        "mirror-2-writes",
        "mirror-read",
        "mirror-cancel-early",
        "dataplane-stop",
        "mirror-target-error",
    )
]
#: one that takes as long as all others in CI
LARGE = "v2.6.0 mirror-2-jobs"
ROWS = [
    f"{row.name} {scenario.name}"
    for row in REVISIONS[::4]
    for scenario in answering_scenarios()
    if applies(row, scenario)
]


def made(item: Examined) -> PageSystem:
    """The only system of the document about one subject."""
    answer = Opening(Tone.BAD, "an answer", "")
    (system,) = document([item], title="t", generator="g", command="c", answer=answer).systems.values()
    return system


def of(name: str) -> Examined:
    """A code base, with what a check finds."""
    code_base = CodeBase.named(*name.split())
    return examined(code_base, check(code_base))


def told(item: Examined, system: PageSystem) -> Iterator[tuple[Run, PageEvidence]]:
    """Each run with what the page is told of it."""
    for each, evidence in zip(item.shown(), system.evidence, strict=True):
        assert system.properties[evidence.property].name == each.findings[0].name
        yield each.run, evidence


def sentences(item: Examined) -> Iterator[tuple[Run, StoryStep]]:
    """The marked steps of all runs with what is said of them."""
    for run, evidence in told(item, made(item)):
        yield from ((run, step) for step in evidence.story)


@pytest.mark.parametrize("name", sampled([*WIDER, *ROWS, LARGE], ROWS[1:2], 26))
def test_a_story_says_what_the_checks_see(name: str) -> None:
    """A request slips in where it breaks S1, and one is left behind at the switch where that breaks S3; nowhere else."""
    for run, step in sentences(of(name)):
        broken = run.steps[step.step - 1].broken
        assert (step.title == "a request slips in") is (step.mark == "b" and "S1" in broken), (step, broken)
        assert ("on the source alone" in step.text) is (step.mark == "c" and "S3" in broken), (step, broken)


def test_the_story_of_the_bandage() -> None:
    """Four steps: the last count, the write that no bitmap remembers, the deferred exit, the switch; found by their letters in the trace."""
    item = of("v2.6.0 mirror")
    run, evidence = next(told(item, made(item)))
    marks = {mark: step.number for step in lanes_of(run).steps for mark in step.marks}
    assert [(step.mark, step.step) for step in evidence.story] == [(mark, marks[mark]) for mark in "wbac"]
    count, write, _, switch = evidence.story
    assert f"step {marks['w']} it releases the dirty bitmap" in count.text
    assert "No dirty bitmap is left" in write.text
    assert write.detail.startswith("main thread, in main_loop_wait # 3, dispatching iohandler_ctx")
    assert switch.tone is Tone.BAD


@pytest.mark.parametrize(
    ("name", "demand", "said"),
    [
        ("ab27c3b5e7 mirror", "S3", "hangs in iohandler_ctx: there external events are disabled in step 35 only."),
        ("14560d69e7 mirror", "S1", "hangs in iohandler_ctx, where external events are not disabled."),
        ("5a7e7a0bad mirror", "S1", "No drained section of the source is open: nothing holds requests back."),
        ("v2.6.0 timer", "S1", "the request comes from a timer, which is no external event."),
        ("v2.6.0 no-ioeventfd", "S1", "the request comes from a chardev's handler, which is no external event."),
        ("v2.6.0 dataplane-stop", "S1", "a device that stops calls its handler itself."),
        ("684e508c23 dataplane", "S1", "busy polling calls the handler, and does not ask."),
        ("d4a92a8420-without-37989ced44 mirror", "S1", "dispatches what was polled before, and does not ask for that."),
    ],
)
def test_a_story_says_why_a_request_could_slip_in(name: str, demand: str, said: str) -> None:
    """As the history of that code base has it: where the notifier hangs, who else calls the handler, and what a section disables there."""
    code_base = CodeBase.named(*name.split())
    trace = check(code_base, [demand])[demand].verdict.trace
    assert trace is not None
    run = Run.of(code_base.system(), trace)
    (step,) = (n for n, each in enumerate(run.steps, 1) if _submits(run, each))
    assert tell(run, step, "b")[1].endswith(said)


def _submits(run: Run, step: Step) -> bool:
    parts = run.system.actions[step.action].parts
    return any(part.mark == "b" and run.system.holds(part.when, step.before) for part in parts)


def test_a_model_without_marks_has_a_story() -> None:
    """The last steps that change something; nobody says what they mean."""
    m = Model("plain")
    x = m.int("x", 0, 5)
    with m.thread("counts") as p:
        for number in range(1, 6):
            p.do(f"to {number}", x.set(number))
    m.always("below five", x < 5)
    subject = ModelFile("model.py", "build", m.compile())
    (evidence,) = made(Examined(subject, check(subject))).evidence
    assert [(step.step, step.title, step.text) for step in evidence.story] == [
        (3, "to 3", ""),
        (4, "to 4", ""),
        (5, "to 5", ""),
    ]


def test_words_of_traces_are_in_the_glossary() -> None:
    """Every word of QEMU that a stranger meets in lanes and states of the bandage's trace has its line; no line says nothing."""
    for word in (
        "main loop",
        "AioContext",
        "bottom half (BH)",
        "coroutine",
        "IOThread (dataplane)",
        "revents",
        "dirty bitmap",
        "host notifier, kick",
    ):
        assert len(GLOSSARY[word]) > 30
    assert all(GLOSSARY.values())


# -- what would have prevented it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "demand"),
    [
        ("v2.6.0 mirror", "S3"),
        pytest.param("v2.6.0 timer", "A1", marks=pytest.mark.slow),
        pytest.param("5a7e7a0bad commit", "S1", marks=pytest.mark.slow),
    ],
)
def test_a_remedy_is_the_first_code_base_that_holds(name: str, demand: str) -> None:
    """It names a later code base in which a search finds that the property holds; in all before it the property is violated."""
    code_base = CodeBase.named(*name.split())
    found = remedy_of(code_base, demand)
    assert found is not None
    for row in REVISIONS[PLACES[code_base.revision.name] + 1 :]:
        outcome = check(CodeBase.named(row.name, code_base.scenario.name), [demand])[demand].outcome
        if outcome is Outcome.HOLDS:
            assert f"({row.date}" in found.sentence
            assert found.sentence.endswith(row.subject)
            assert found.sentence.startswith(f"in {code_base.scenario.name} {demand} holds again from {row.name} (")
            return
    assert "in no later code base" in found.sentence


def test_who_stands_in_no_history_has_no_remedy() -> None:
    """A control never existed; and of what nobody expects anything nobody knows who mended it."""
    assert remedy_of(CodeBase.named("ab27c3b5e7-without-37989ced44"), "S1") is None
    assert remedy_of(CodeBase.named("v2.6.0", begin="before_check"), "S1") is None
    assert find_revision("v2.6.0").name in PLACES


# -- what was lost ---------------------------------------------------------------------------------


def test_a_loss_is_told_where_it_has_happened() -> None:
    """The run of S3 ends with a lost write; that of S1 comes to one if it goes on; a code base that is safe has none."""
    item = of("v2.6.0 mirror")
    answer = Opening(Tone.BAD, "an answer", "")
    (subject,) = document([item], title="t", generator="g", command="c", answer=answer).subjects
    found = {each.property: each.replay for each in subject.evidence}
    s3, s1 = found["S3"], found["S1"]
    assert s3 is not None
    assert s1 is not None
    assert (s3.lost_here, s3.lost_later, s1.lost_here, s1.lost_later) == (True, True, False, True)
    assert [row[0] for row in s3.rows] == ["written", "old disk", "new disk", "read back"]
    assert s3.rows[0][1] == s3.rows[1][1] != s3.rows[2][1] == s3.rows[3][1]
    assert all(each.replay is None or not each.replay.rows for each in _safe().evidence)


@pytest.mark.parametrize(
    ("name", "demand", "here", "later"),
    [
        ("v2.6.0 timer", "A1", "QEMU aborts: assert(!bdrv_requests_pending(old)) fails", "QEMU aborts"),
        pytest.param(
            "v2.6.0 dataplane-stop",
            "A1",
            "QEMU aborts: assert(ctx->external_disable_cnt > 0) fails",
            "QEMU aborts",
            marks=pytest.mark.slow,
        ),
        ("v4.2.0 timer-flush", "F1", "", "QEMU hangs"),
    ],
)
def test_a_headline_is_in_the_words_of_whoever_has_the_harm(name: str, demand: str, here: str, later: str) -> None:
    """What has become of QEMU when the run ends; where nothing has yet, the demand, and what comes of it on the core."""
    answer = Opening(Tone.BAD, "an answer", "")
    (subject,) = document([of(name)], title="t", generator="g", command="c", answer=answer).subjects
    found = next(each for each in subject.evidence if each.property == demand)
    assert found.replay is not None
    assert found.replay.ends_here == here
    assert found.replay.ends_later.startswith(later)
    assert found.headline.startswith(here or f"violated: {demand}")
    assert found.headline.endswith(here or later)
    headlines = [each.headline for each in subject.evidence]
    assert len(set(headlines)) == len(headlines)


def _safe() -> PageSubject:
    answer = Opening(Tone.GOOD, "an answer", "")
    (subject,) = document([of("v2.7.0 mirror")], title="t", generator="g", command="c", answer=answer).subjects
    assert subject.evidence
    return subject


@pytest.mark.parametrize(
    "name", sampled(["mirror-2-disks", "mirror-2-jobs", "mirror-2-writes", "timer", "mirror-cancel"], 2)
)
def test_a_teller_says_what_the_checks_see_on_any_run(name: str) -> None:
    """The same of random runs, in which requests go to all disks at all times, and where stories are not told of their worst."""
    code_base = CodeBase.named("v2.6.0", name)
    seen = [pair for seed in range(4) for pair in marked_steps(code_base.system(), Random(seed))]
    assert {mark for _, mark, _ in seen} >= {"w", "b", "c"}
    for (title, text), mark, broken in seen:
        assert (title == "a request slips in") is (mark == "b" and "S1" in broken), (title, text, broken)
        assert ("on the source alone" in text) is (mark == "c" and "S3" in broken), (title, text, broken)


def marked_steps(system: TransitionSystem, random: Random) -> Iterator[tuple[tuple[str, str], str, tuple[str, ...]]]:
    """What is told of each marked step of a random run, its letter, and what it breaks."""
    state = system.initial[0]
    trace, steps = Trace(system.name, system.digest, "", state, ()), list[Step]()
    for _ in range(250):
        actions = [action for action in system.enabled(state) if system.fault(state, action) is None]
        if not actions:
            break
        action = random.choice(actions)
        steps.append(Step(action.index, state, system.step(state, action), system.broken_checks(state, action)))
        state = steps[-1].after
    run = Run(system, trace, tuple(steps))
    for number, step in enumerate(steps, 1):
        for part in system.actions[step.action].parts:
            if part.mark and system.holds(part.when, step.before):
                yield tell(run, number, part.mark), part.mark, step.broken


def test_a_teller_that_takes_one_job_for_another_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: every request is told as if it were one to the first disk."""
    monkeypatch.setattr(story, "_job_of", lambda request: "")
    with pytest.raises(AssertionError):
        test_a_teller_says_what_the_checks_see_on_any_run("mirror-2-jobs")
