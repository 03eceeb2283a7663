"""What is given away: the wheel and the source archive, and what the manual says of installing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("build", reason="the package build is not installed")

_ROOT = Path(__file__).parents[1]
_CACHES = shutil.ignore_patterns("__pycache__", "*.pyc")
# Another project's name on the package index.
_OTHER = re.compile(r"pip3? install (?:-\S+ )*[\"']?docqa(?![\w-])")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, built in a copy of the project."""
    folder = tmp_path_factory.mktemp("built")
    copy = folder / "copy"
    for name in ("docqa", "index", "ingest"):
        shutil.copytree(_ROOT / name, copy / name, symlinks=True, ignore=_CACHES)
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(_ROOT / name, copy)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(copy)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return folder


def wanted() -> set[str]:
    """All files of the package, those behind the links index and ingest as real files."""
    return {
        os.path.relpath(os.path.join(folder, name), _ROOT)
        for folder, _, names in os.walk(_ROOT / "docqa", followlinks=True)
        for name in names
        if "__pycache__" not in folder
    }


def test_the_wheel_holds_all_that_the_package_has(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert wanted() - set(archive.namelist()) == set()
        [top] = [name for name in archive.namelist() if name.endswith("top_level.txt")]
        assert archive.read(top).decode().split() == ["docqa"]


def test_the_source_archive_holds_real_files_and_not_links(built: Path) -> None:
    [source] = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        members = {name.partition("/")[2]: member for member in archive for name in [member.name]}
    assert wanted() - set(members) == set()
    assert not [name for name, member in members.items() if member.issym() or member.islnk()]


def test_the_wheel_alone_indexes_and_answers(built: Path, tmp_path: Path, documents: Path) -> None:
    [wheel] = built.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)

    def run(*arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    home = run("-c", "import docqa, docqa.index.store as s; print(docqa.__file__, s.__file__)")
    assert home.count(str(installed)) == 2
    run("-m", "docqa", "index", documents.name)
    assert "Jean-Luc Ferrand" in run("-m", "docqa", "ask", "Who designed the rocket?", "-k", "1")


@pytest.mark.parametrize(
    "page", [*sorted((_ROOT / "docs").rglob("*.md")), _ROOT / "README.md"], ids=lambda p: p.name
)
def test_no_page_tells_to_install_another_project(page: Path) -> None:
    """On the package index, docqa is the name of another project."""
    assert _OTHER.search(page.read_text(encoding="utf-8")) is None
