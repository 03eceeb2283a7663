"""The layout that users and colleagues rely on: installed names, arrows between modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_folder_with_an_index_py_and_an_ingest_py_can_be_asked_from(
    tmp_path: Path, documents: Path
) -> None:
    """Both were top-level modules of docqa once, and a user's own took their place."""
    for name in ("index.py", "ingest.py"):
        (tmp_path / name).write_text("raise SystemExit('the user`s own module was imported')\n")
    script = tmp_path / "search.py"
    script.write_text(
        "from docqa import DocQA\n"
        "with DocQA('index') as qa:\n"
        "    qa.index(['documents'])\n"
        "    [answer] = qa.ask('Who designed the rocket?', top_k=1)\n"
        "    print(answer.text)\n"
    )
    assert documents.parent == tmp_path
    ran = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.returncode) == ("Jean-Luc Ferrand", 0), ran.stderr


def test_only_docqa_is_installed_as_a_top_level_module(tmp_path: Path) -> None:
    code = (
        "import docqa.index, docqa.ingest, sys; from importlib.util import find_spec\n"
        "sys.exit(find_spec('index') is not None or find_spec('ingest') is not None)"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=False)
    assert ran.returncode == 0


def test_modules_import_one_way_and_in_no_circle() -> None:
    pytest.importorskip("importlinter")
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
