"""What a command's start leaves out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from docqa import DocQA

PROBE = """
import sys
from docqa.cli import run

code = run(sys.argv[1:])
heavy = {
    "transformers", "sentence_transformers", "scipy", "sklearn", "pandas", "huggingface_hub",
    "py3langid",
}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a small document, made with the default models."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "lease.txt").write_text("Only the managing director, Ada Holloway, may sign.\n")
    DocQA(folder / "index").index([folder / "lease.txt"])
    return folder / "index"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROBE, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("command", ["ask", "search", "explain"])
def test_asking_imports_no_library_of_models_but_torch(command: str, index: Path) -> None:
    done = run(command, "Who may sign?", "--index", str(index))
    assert done.returncode == 0, done.stderr
    assert "Ada Holloway" in done.stdout
    assert done.stderr.splitlines()[-1] == "[]"


def test_reading_imports_no_library_of_models_but_torch(index: Path) -> None:
    done = run("read", "Who may sign?", str(index.parent / "lease.txt"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_indexing_imports_no_library_of_models_but_torch(index: Path, tmp_path: Path) -> None:
    done = run("index", str(index.parent / "lease.txt"), "--index", str(tmp_path / "index"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
