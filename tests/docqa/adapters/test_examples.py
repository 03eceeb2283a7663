"""The manual's examples run as they stand, on the documents of the quick start."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from docqa import DocQA

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "adapters.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n.*?^```text\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the quick start's documents and their index."""
    folder = tmp_path_factory.mktemp("manual")
    (folder / "papers").mkdir()
    text = (DOCS / "quickstart.md").read_text(encoding="utf-8")
    files = re.findall(r"^`papers/([\w.]+)`:\n\n```\w+\n(.*?)^```", text, re.M | re.S)
    assert len(files) == 2
    for name, content in files:
        (folder / "papers" / name).write_text(content, encoding="utf-8")
    with DocQA(folder / ".docqa") as qa:
        qa.index([folder / "papers"])
    return folder


@pytest.mark.parametrize(
    ("framework", "at"), [("haystack", 0), ("langchain_core", 1), ("llama_index", 2)]
)
def test_the_manual_s_example_prints_what_it_says(framework: str, at: int, folder: Path) -> None:
    if find_spec(framework) is None:
        pytest.skip(f"the package {framework} is not installed")
    code, printed = EXAMPLES[at]
    assert framework.split("_")[0] in code
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert ran.stdout == printed, ran.stderr


def test_the_manual_s_quote_is_shown_as_it_says(folder: Path) -> None:
    page = (DOCS / "agents.md").read_text(encoding="utf-8")
    found = re.search(r'^\$ docqa (quote "[^"]+") .*?\n(.*?)^\$ echo', page, re.M | re.S)
    assert found is not None
    sentence = found[1].split('"')[1]
    command = [sys.executable, "-m", "docqa", "quote", sentence]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (1, found[2]), ran.stderr
