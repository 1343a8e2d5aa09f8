"""The scripts of the explorer's page, read by TypeScript: their types stand in comments."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import playwright
import pytest

from draincheck.explorer import onefile
from tests.support.parts import file_of

pytestmark = pytest.mark.needs("typescript/")

FOLDER = Path(onefile.__file__).with_name("page")
#: playwright brings one
NODE = Path(playwright.__file__).parent / "driver" / "node"


def complaints(folder: Path) -> list[str]:
    """What TypeScript says of the scripts in a folder, by its `tsconfig.json`."""
    command = [str(NODE), str(file_of("typescript/") / "lib" / "tsc.js"), "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return done.stdout.splitlines()


@pytest.mark.slow
def test_types_fit() -> None:
    """In every script, as strictly as TypeScript reads them."""
    assert complaints(FOLDER) == []


@pytest.mark.slow
def test_a_type_that_does_not_fit_is_noticed(tmp_path: Path) -> None:
    """Negative control: a number where a text is wanted, and a field that is not there."""
    folder = shutil.copytree(FOLDER, tmp_path / "page")
    (folder / "wrong.js").write_text("visible(1);\nhashOf(routeOf('')).page;\n", encoding="utf-8")
    assert len(complaints(folder)) == 2


def test_every_script_is_in_the_page() -> None:
    """And in an order that names what is there."""
    assert sorted(onefile.SCRIPTS) == sorted(file.name for file in FOLDER.glob("*.js"))


def test_scripts_make_no_markup_of_texts() -> None:
    """No script has the means to: names are put in as text alone."""
    means = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", 'setTimeout("')
    found = [
        (file.name, each) for file in FOLDER.glob("*.js") for each in means if each in file.read_text(encoding="utf-8")
    ]
    assert found == []


def test_no_name_of_qemus_stands_in_the_scripts() -> None:
    """What they show comes from the document: own models look the same."""
    names = ("qemu", "mirror", "virtio", "blk_", "aio_", "bdrv", "iothread", "main_loop", "dirty")
    words = "\n".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("*.js")).lower()
    assert [name for name in names if name in words] == []
