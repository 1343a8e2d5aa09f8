"""`prove` and `certificate check`: what they write and say, and each of their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from check_invariants.work import certificate as work
from draincheck import optional
from draincheck.certificate import read
from draincheck.certificate.format import CLAIM, QUERIES
from tests.golden.documents import validator
from tests.support.certificates import with_claim
from tests.support.cli import run

MODEL = """
from draincheck.lang import Model

print("imported")

def build():
    m = Model("a small / model")
    x, done = m.int("x", 0, 3), m.bool("done")
    with m.thread("main") as p:
        for _ in range(3):
            p.do("step", x.inc())
        p.do("done", done.set())
    m.always("small", x <= 3)
    m.always("never 2", ~x.is_(2))
    m.reachable("over", done & (x < 3))
    m.eventually("ends", done)
    m.final(done)
    return m
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model of the user's, in the directory where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.py").write_text(MODEL)
    return "small.py:build"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of S1 at the code base that opens its section first."""
    path = tmp_path / "S1.smt2"
    assert run("prove", "--revision", "9a0cec664e", "--property", "S1", "-o", str(path)).exit_code == 0
    return path


# -- prove ------------------------------------------------------------------------------------------


def test_prove_says_where_it_went_and_what_it_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without -o the file is named after the model; what is violated is listed with the length of its counterexample."""
    monkeypatch.chdir(tmp_path)
    result = run("prove", "--revision", "9a0cec664e")
    assert result.exit_code == 0
    said, unasked, left = result.stdout.splitlines()
    size = (tmp_path / "9a0cec664e-mirror.smt2").stat().st_size
    assert said.startswith(f"9a0cec664e-mirror.smt2: {size} bytes: S1, S2, S3,")
    assert said.endswith(", A1, F1, R1 hold in 9a0cec664e / mirror (its reachable states)")
    assert unasked == "not certified: B3: never asked: nothing to prove (no check asks it)"
    assert left == "not certified: B6: violated: a counterexample of 30 steps shows that"
    assert [path.name for path in tmp_path.iterdir()] == ["9a0cec664e-mirror.smt2"]


def test_users_model_is_proved(model: str, tmp_path: Path) -> None:
    """Everything that holds, a goal that is out of reach, and no word about liveness that could be misread."""
    result = run("prove", model)
    assert result.exit_code == 0
    assert "small holds; over is not reachable in a small / model" in result.stdout
    assert "not certified: never 2: violated: a counterexample of 2 steps shows that\n" in result.stdout
    assert "not certified: ends: a demand on whole runs (eventually), and there are no certificates" in result.stdout
    assert (tmp_path / "a-small-model.smt2").is_file()


def test_prove_ends_with_10_for_what_was_never_asked_as_its_help_says(model: str, tmp_path: Path) -> None:
    """What was not named and was never asked might have been violated; the rest is written down. Named, nothing is."""
    (tmp_path / "small.py").write_text(
        MODEL.replace("    return m", "    m.leads_to('answered', x > 3, done)\n    return m")
    )
    (tmp_path / "asked.py").write_text(
        MODEL.replace("    return m", "    with m.thread('other') as p:\n        with p.when(x > 3):\n"
                      "            p.check('odd', done)\n        p.do('look')\n    return m")
    )  # fmt: skip
    rest = run("prove", "asked.py:build", "-o", "rest.smt2")
    assert "not certified: odd: never asked" in rest.stdout
    assert (rest.exit_code, (tmp_path / "rest.smt2").is_file()) == (10, True)
    assert run("prove", "asked.py:build", "--property", "odd", "-o", "odd.smt2").exit_code == 10
    assert not (tmp_path / "odd.smt2").exists()
    assert "was never asked, and the others were written down" in " ".join(run("prove", "--help").stdout.split())
    assert run("prove", "small.py:build", "-o", "runs.smt2").exit_code == 0


def test_prove_prints_json(model: str, tmp_path: Path) -> None:
    """What is claimed, what is not and why, as one document."""
    result = run("prove", model, "--json", "-o", "it.smt2")
    document = json.loads(result.stdout)
    validator("prove").validate(document)
    assert (document["format"], document["file"], document["exit_code"]) == ("check-invariants/prove", "it.smt2", 0)
    assert document["claims"][1] == {"property": "over", "verdict": "violated", "limits": []}
    assert [item["property"] for item in document["missing"]] == ["never 2", "ends"]
    assert document["digest"] == read((tmp_path / "it.smt2").read_text()).header.digest


def test_certificate_on_standard_output(model: str) -> None:
    """`-o -` prints the certificate alone; what is said about it goes to standard error."""
    result = run("prove", model, "-o", "-")
    assert read(result.stdout).header.model == "a small / model"
    assert "standard output: " in result.stderr
    assert run("prove", model, "-o", "-", "--json").exit_code == 2


@pytest.mark.parametrize("engine", ["explicit", "induction"])
def test_what_is_violated_cannot_be_proved(tmp_path: Path, model: str, engine: str) -> None:
    """Exit code 10, the length of the counterexample, and no file."""
    result = run("prove", model, "--property", "never 2", "-o", "no.smt2", "--engine", engine)
    assert result.exit_code == 10
    assert result.stderr.splitlines()[-1] == (
        "Error: a small / model: never 2: violated: a counterexample of 2 steps shows that; no certificate was written"
    )
    assert not (tmp_path / "no.smt2").exists()


def test_violated_code_base_cannot_be_proved(tmp_path: Path) -> None:
    """S1 with the bandage."""
    result = run("prove", "--property", "S1", "-o", str(tmp_path / "no.smt2"))
    assert result.exit_code == 10
    assert "ab27c3b5e7 / mirror: S1: violated: a counterexample of 26 steps shows that" in result.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model in which nothing can be certified: exit code 10."""
    monkeypatch.chdir(tmp_path)
    text = MODEL.replace('m.always("small", x <= 3)', "")
    (tmp_path / "small.py").write_text(text.replace('m.reachable("over", done & (x < 3))', ""))
    result = run("prove", "small.py:build")
    assert result.exit_code == 10
    assert "no certificate was written" in result.stderr
    assert not list(tmp_path.glob("*.smt2"))


def test_liveness_has_no_certificate(model: str) -> None:
    """Of QEMU's liveness properties and of a user's: one line, exit code 2, and where they are decided."""
    for arguments, name in (((), "L1"), ((model,), "ends")):
        result = run("prove", *arguments, "--property", name)
        assert result.exit_code == 2
        assert result.stderr.splitlines()[-1] == (
            f"Error: Invalid value for '--property': {name} demands something of whole runs, and there are no certificates for "
            "liveness; `check-invariants check` decides it"
        )


@pytest.mark.parametrize(
    ("depth", "reason", "code"),
    [
        (1, "not known to hold: not inductive with k up to 1", 30),
        (5, "violated: a counterexample of 2 steps shows that", 0),
    ],
)
def test_induction_certifies_what_it_can(model: str, tmp_path: Path, depth: int, reason: str, code: int) -> None:
    """Without --property: what is proved is written, what is not is listed, and what is not known makes the exit code."""
    result = run("prove", model, "--engine", "induction", "--depth", str(depth), "-o", "it.smt2")
    proved, *missing = result.stdout.splitlines()
    assert proved.endswith("small holds; over is not reachable in a small / model (k-induction, k = 1)")
    assert missing == [
        f"not certified: never 2: {reason}",
        "not certified: ends: a demand on whole runs (eventually), and there are no certificates for such properties",
    ]
    assert result.exit_code == code
    assert run("certificate", "check", "it.smt2", "--model", model, "--solver", "both").exit_code == 0


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("engine", ["explicit", "induction"])
def test_out_of_time_is_unknown(tmp_path: Path, engine: str) -> None:
    """Exit code 30, and no file."""
    path = tmp_path / "no.smt2"
    arguments = ("--revision", "9a0cec664e", "--timeout", "1000", "--engine", engine, "-o", str(path))
    result = run("prove", *arguments, "--property", "S4")
    assert result.exit_code == 30
    assert "time limit 1000 s reached" in result.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--depth", "3"),
        ("--depth", "0", "--engine", "induction"),
        ("--depth", "201", "--engine", "induction"),
        ("--timeout", "0"),
        ("--property", "S99"),
        ("-j", "2"),
        ("--matrix", "--property", "S1"),
        ("--matrix", "--revision", "9a0cec664e"),
        ("--matrix", "--engine", "induction"),
        ("missing.py:build",),
    ],
)
def test_wrong_arguments_of_prove(arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    result = run("prove", *arguments)
    assert result.exit_code == 2
    assert result.stderr.count("Error: ") == 1
    assert not list(tmp_path.iterdir())


def test_directory_is_no_place_for_a_certificate(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a directory that is not there, nor a file for --matrix: exit code 2, and what was there stays as it was."""
    monkeypatch.setattr("drainspecs.suite.matrix.default_rows", list)
    before = {path.name for path in tmp_path.iterdir()}
    assert "Is a directory; nothing was changed there" in run("prove", model, "-o", str(tmp_path)).stderr
    for arguments in (
        (model, "-o", str(tmp_path)),
        (model, "-o", "not/there.smt2"),
        ("--matrix", "-o", "small.py", "-j1"),
    ):
        assert run("prove", *arguments).exit_code == 2, arguments
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == before


def test_malformed_model_of_prove(tmp_path: Path) -> None:
    """Exit code 150."""
    (tmp_path / "bad.py").write_text("def build():\n    return 1\n")
    assert run("prove", f"{tmp_path / 'bad.py'}:build").exit_code == 150


# -- certificate check ------------------------------------------------------------------------------


@pytest.mark.slow
def test_both_solvers_accept_what_prove_writes(certificate: Path) -> None:
    """z3 and cvc5, from the file alone; the line names the model and what is claimed of it."""
    result = run("certificate", "check", str(certificate), "--solver", "both")
    assert result.exit_code == 0
    assert result.stdout == f"{certificate}: accepted by z3 and cvc5 (4 queries): S1 holds in 9a0cec664e / mirror\n"


def test_turned_knobs_are_in_the_name(tmp_path: Path) -> None:
    """A certificate of a code base that never was says so when it is accepted."""
    path = str(tmp_path / "it.smt2")
    arguments = ("--revision", "ab27c3b5e7", "--set", "drain=nested", "--order", "attach", "--property", "S1")
    assert run("prove", *arguments, "-o", path).exit_code == 0
    result = run("certificate", "check", path)
    assert result.exit_code == 0
    assert "S1 holds in ab27c3b5e7+drain=nested / mirror" in result.stdout


@pytest.mark.slow
def test_many_certificates_have_a_summary(certificate: Path, tmp_path: Path) -> None:
    """A line for each file in their order, whatever processes check them; failures stand out; the worst code wins."""
    rejected, malformed = tmp_path / "rejected.smt2", tmp_path / "malformed.smt2"
    rejected.write_text(with_claim(certificate.read_text(), "(assert false)"))
    malformed.write_text("(check-sat)\n")
    result = run("certificate", "check", str(certificate), str(rejected), str(malformed), "-j", "2")
    first, second, third, last = result.stdout.splitlines()
    assert first.startswith(f"{certificate}: accepted by z3")
    assert second.startswith(f"{rejected}: REJECTED: its claim has '(assert' where (define-fun inv is expected")
    assert third.startswith(f"{malformed}: MALFORMED: line 1: not a certificate")
    assert last == "3 certificates, z3: 1 accepted, 1 rejected, 1 malformed; 4 queries answered"
    assert result.exit_code == 150
    assert run("certificate", "check", str(certificate), str(rejected)).exit_code == 14
    assert run("certificate", "check", str(certificate), str(certificate)).exit_code == 0


@pytest.mark.slow
def test_check_prints_json(certificate: Path) -> None:
    """Each file with each solver."""
    result = run("certificate", "check", str(certificate), "--solver", "both", "--json")
    document = json.loads(result.stdout)
    validator("certificate").validate(document)
    (item,) = document["files"]
    assert (document["exit_code"], item["outcome"], item["model"]) == (0, "accepted", "9a0cec664e / mirror")
    assert item["claims"] == [{"property": "S1", "verdict": "holds"}]
    assert [(one["solver"], one["accepted"], one["queries"]) for one in item["solvers"]] == [
        ("z3", True, 4),
        ("cvc5", True, 4),
    ]


def test_another_models_certificate_is_rejected(certificate: Path) -> None:
    """The file names a model that it is not about: exit code 14."""
    certificate.write_text(certificate.read_text().replace('"revision": "9a0cec664e"', '"revision": "0ff841f6d1"'))
    result = run("certificate", "check", str(certificate), "--solver", "both")
    assert result.exit_code == 14
    (line,) = result.stdout.splitlines()
    assert "REJECTED: it was made for another model: it names " in line
    assert "0ff841f6d1 / mirror is " in line


def test_half_a_certificate_is_malformed(certificate: Path) -> None:
    """A file that ends in its claim lacks its queries: exit code 150."""
    text = certificate.read_text()
    certificate.write_text(text[: (text.index(CLAIM) + text.index(QUERIES)) // 2])
    result = run("certificate", "check", str(certificate))
    assert result.exit_code == 150
    assert "MALFORMED: a certificate has one line '; ==== queries: each must be unsat'; this one has 0" in result.stdout


def test_certificate_without_its_last_queries_is_rejected(certificate: Path) -> None:
    """A file that ends in its queries is a certificate, of nothing: exit code 14."""
    lines = certificate.read_text().splitlines()
    certificate.write_text("\n".join(lines[:-3]) + "\n")
    result = run("certificate", "check", str(certificate))
    assert result.exit_code == 14
    assert "REJECTED: its queries are not those of such a certificate: line " in result.stdout


@pytest.mark.parametrize("name", ["none.smt2", "a\0b", "\ud800"])
def test_a_file_that_is_not_there_is_refused(name: str) -> None:
    """And so is a name that no file can have."""
    result = run("certificate", "check", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"File {name!r} does not exist." in result.stderr


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", "; check-invariants certificate é".encode(), b"\0" * 100])
def test_other_files_are_malformed(tmp_path: Path, content: bytes) -> None:
    """Exit code 150, and no traceback."""
    path = tmp_path / "other.smt2"
    path.write_bytes(content)
    result = run("certificate", "check", str(path))
    assert result.exit_code == 150
    assert result.stdout.startswith(f"{path}: MALFORMED: ")


def source_of(text: str, source: Any) -> str:
    """The certificate with another source in its header."""
    title, header, rest = text.split("\n", 2)
    document = json.loads(header.removeprefix("; "))
    document["source"] = source
    return f"{title}\n; {json.dumps(document)}\n{rest}"


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"revision": "9a0cec664e"},
        {"revision": 7, "scenario": "mirror", "order": "attach", "specification": "invariant"},
        {"revision": "nothing", "scenario": "mirror", "order": "attach", "specification": "invariant"},
        {"revision": "9a0cec664e", "scenario": "nothing", "order": "attach", "specification": "invariant"},
        {"revision": "9a0cec664e", "scenario": "mirror", "order": "?", "specification": "invariant"},
        {"revision": "9a0cec664e", "scenario": "mirror", "order": "attach", "specification": "invariant", "settings": "x"},
        {"revision": "9a0cec664e", "scenario": "mirror", "order": "attach", "specification": "invariant", "settings": [1]},
        {
            "revision": "9a0cec664e", "scenario": "mirror", "order": "attach", "specification": "invariant",
            "settings": {"drain": ["nested"]},
        },
    ],
)  # fmt: skip
def test_source_that_names_no_model_is_malformed(certificate: Path, source: dict[str, Any]) -> None:
    """Exit code 150, and the message speaks of the certificate."""
    certificate.write_text(source_of(certificate.read_text(), source))
    result = run("certificate", "check", str(certificate))
    assert result.exit_code == 150, result.output
    assert "MALFORMED: " in result.stdout
    assert "certificate" in result.stdout.split("MALFORMED: ")[1]


def test_program_that_a_certificate_names_is_not_run(model: str) -> None:
    """A user's model is only run if the user names it: exit code 2 without --model, and then accepted."""
    assert run("prove", model, "-o", "it.smt2").exit_code == 0
    result = run("certificate", "check", "it.smt2")
    assert result.exit_code == 2
    assert "imported" not in result.output
    assert (
        "it.smt2: NOT CHECKED: it is about a program, 'small.py:build', which is run only if you name it"
        in result.stdout
    )
    result = run("certificate", "check", "it.smt2", "--model", model)
    assert result.exit_code == 0
    assert "small holds; over is not reachable in a small / model" in result.stdout


def test_named_model_is_the_one_that_counts(model: str, certificate: Path, tmp_path: Path) -> None:
    """With --model a certificate of anything else is rejected, whatever it says about itself."""
    result = run("certificate", "check", str(certificate), "--model", model)
    assert result.exit_code == 14
    assert "it was made for another model" in result.stdout
    assert run("prove", model, "-o", "it.smt2").exit_code == 0
    (tmp_path / "small.py").write_text(MODEL.replace("range(3)", "range(2)"))
    assert run("certificate", "check", "it.smt2", "--model", model).exit_code == 14
    assert run("certificate", "check", "it.smt2", "--model", "missing.py:build").exit_code == 2


def test_refuted_certificate_is_rejected(certificate: Path) -> None:
    """A wrong invariant, with each solver's reason: exit code 14."""
    head = certificate.read_text().split(f"{CLAIM}\n")[1].split(") Bool ")[0]
    certificate.write_text(with_claim(certificate.read_text(), f"{head}) Bool false)"))
    result = run("certificate", "check", str(certificate), "--solver", "both")
    assert result.exit_code == 14
    assert [line.split("REJECTED: ")[1] for line in result.stdout.splitlines()] == [
        f"{solver} refutes it: 'initial states inside' has a solution" for solver in ("z3", "cvc5")
    ]


@pytest.mark.usefixtures("stumped")
def test_solver_that_gives_up_decides_nothing(certificate: Path) -> None:
    """Exit code 30."""
    result = run("certificate", "check", str(certificate), "--timeout", "0.01")
    assert result.exit_code == 30
    assert "UNDECIDED: z3 gives no answer to " in result.stdout


def test_wrong_arguments_of_check(certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, a directory, a solver that nobody knows or that is not installed: exit code 2."""
    file = str(certificate)
    for arguments in ((), (str(tmp_path),), ("missing.smt2",), (file, "--solver", "yices"), (file, "--timeout", "0")):
        assert run("certificate", "check", *arguments).exit_code == 2, arguments
    monkeypatch.setattr(optional, "find_spec", lambda name: None if name == "cvc5" else name)
    assert run("certificate", "check", file).exit_code == 0
    result = run("certificate", "check", file, "--solver", "both")
    assert result.exit_code == 2
    assert "cvc5, a second solver, is not installed: pip install 'check-invariants[cvc5]'" in result.stderr


def test_interrupted_check_says_how_far_it_got(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C: exit code 130."""

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "check_one", interrupted)
    result = run("certificate", "check", str(certificate), str(certificate), "-j", "1")
    assert result.exit_code == 130
    assert "interrupted: 0 of 2 certificates were checked" in result.stderr
