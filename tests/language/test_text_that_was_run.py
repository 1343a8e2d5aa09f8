"""Statements that are named and not called are looked for in the text that was run, and lines are those of the model's own files."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from draincheck import location
from draincheck.errors import MalformedModel, ModelError
from draincheck.lang import Model
from draincheck.location import caller_line
from draincheck.model_file import Builder, ModelFile

_GOOD = """from draincheck.lang import Model


def build():
    m = Model("m")
    n = m.int("n", 0, 1)
    with m.thread("p") as p, p.loop():
        p.do("begin", n.set(1))
        p.break_()
    return m
"""
_FAULTY = _GOOD.replace("break_()", "break_")
_SAID = ":9: p.break_ is named and not called: it does nothing; write p.break_(...)"


def _written(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"{path}:build"


@pytest.mark.parametrize("name", ["m.py", "un_contextlib.py", "contextlib.py", "<string>.py", "draincheck/lang_x/m.py"])
def test_a_file_of_the_users_is_theirs_whatever_it_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It only looks like one of Python's own, or of this library's; lines of errors are in it, too."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MalformedModel) as error:
        ModelFile.load(_written(Path(name), _FAULTY))
    assert str(error.value) == name + _SAID
    with pytest.raises(MalformedModel, match=r":8: expected an integer") as error:
        ModelFile.load(_written(Path(name), _GOOD.replace("set(1)", "set(True)")))
    assert str(error.value).startswith(name)


def test_a_folder_beside_the_languages_is_not_the_languages() -> None:
    """Negative control: what stands in the language's own folder passes on what its callers say."""
    folder = location.__file__.removesuffix("location.py")
    space: dict[str, object] = {"caller_line": caller_line}
    for place, ours in (("lang/x.py", False), ("lang_x/m.py", True), ("expr.pyx", True)):
        line = eval(compile("caller_line()", folder + place, "eval"), dict(space))
        assert (line.file != "tests/language/test_text_that_was_run.py") is ours


def test_a_text_without_a_file_is_named_where_nothing_else_is_known() -> None:
    """A program on the command line has no other line; what `exec` is given has the line that does so."""
    program = "from draincheck.lang import Model\nm = Model('m')\nm.thread('')\n"
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=here)
    assert ended.stderr.splitlines()[-1].startswith("draincheck.errors.ModelError: <string>:3: ")
    with pytest.raises(ModelError, match=r"test_text_that_was_run\.py:\d+: "):
        exec(program, {"__name__": "m"})


def test_the_text_that_was_run_counts(tmp_path: Path) -> None:
    """In one process a file is changed and loaded again, to and fro; what was loaded before stays what it was."""
    path = tmp_path / "m.py"
    loaded = {text: Builder.load(_written(path, text)) for text in (_GOOD, _FAULTY)}
    for _ in range(2):
        assert loaded[_GOOD].build({}).built.name == "m"
        with pytest.raises(MalformedModel, match="named and not called"):
            loaded[_FAULTY].build({})
    assert ModelFile.load(_written(path, _GOOD)).built.name == "m"
    path.unlink()
    assert loaded[_GOOD].build({}).built.name == "m"


@pytest.mark.parametrize(
    ("decorator", "refused"), [("@property", False), ("@cached_property", False), ("", True)], ids=str
)
def test_an_own_property_is_called_when_it_is_named(decorator: str, refused: bool, tmp_path: Path) -> None:
    """A class of the file's may name one as a statement is named; a method that is not called does nothing there, either."""
    own = f"""from functools import cached_property


class Steps:
    def __init__(self, p):
        self.p = p

    {decorator}
    def wait(self):
        self.p.do("waits")


{_GOOD.replace("        p.break_()", "        Steps(p).wait; p.break_()")}"""
    name = _written(tmp_path / "own.py", own)
    if refused:
        with pytest.raises(MalformedModel, match=r"Steps\(p\).wait is named and not called"):
            ModelFile.load(name)
    else:
        labels = [part.label for action in ModelFile.load(name).system().actions for part in action.parts]
        assert "waits" in labels


def test_the_text_of_a_module_that_is_imported_again_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own import knows no more than the file; who has not imported it again still has the old one."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "imported_again.py"
    _written(path, _GOOD)
    module = importlib.import_module(path.stem)
    module.build().compile()
    _written(path, _FAULTY + "\n# longer\n")
    module.build().compile()
    with pytest.raises(ModelError, match="named and not called"):
        importlib.reload(module).build().compile()
    _written(path, _GOOD)
    assert importlib.reload(module).build().compile().name == "m"


def test_a_text_that_no_module_is_made_from_is_read_again(tmp_path: Path) -> None:
    """Whoever executes a file by hand: what it says is looked at each time."""
    path = tmp_path / "by_hand.py"

    def made(text: str) -> Model:
        _written(path, text)
        space: dict[str, object] = {"__name__": "by_hand"}
        exec(compile(text, path, "exec"), space)
        build = space["build"]
        assert callable(build)
        model = build()
        assert isinstance(model, Model)
        return model

    made(_GOOD).compile()
    with pytest.raises(ModelError, match="named and not called"):
        made(_FAULTY).compile()
    made(_GOOD).compile()


@pytest.mark.parametrize("name", ["my.model.py", "model.py"])
def test_two_files_of_one_name_are_two(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dot in a file's name makes no package of it; each is called by its path."""
    monkeypatch.chdir(tmp_path)
    good, faulty = (Builder.load(_written(Path(folder, name), text)) for folder, text in (("a", _GOOD), ("b", _FAULTY)))
    assert good.build({}).built.actions[0].line.file == f"a/{name}"
    with pytest.raises(MalformedModel) as error:
        faulty.build({})
    assert str(error.value) == f"b/{name}{_SAID}"


def test_two_modules_of_one_name_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages in different folders: the second is called by its path."""
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    for folder in "ab":
        _written(Path(folder, "twice_packed", "__init__.py"), "")
        _written(Path(folder, "twice_packed", "m.py"), _GOOD)
        with monkeypatch.context() as here:
            here.syspath_prepend(tmp_path / folder)
            lines.append(importlib.import_module("twice_packed.m").build().line.file)
        del sys.modules["twice_packed"], sys.modules["twice_packed.m"]
    assert lines == ["twice_packed/m.py", "b/twice_packed/m.py"]
