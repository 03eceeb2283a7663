"""An index for the adapters: small documents, and a PDF with pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fpdf import FPDF

from docqa import DocQA
from tests.conftest import write_documents

# Haystack and others report each use over the network otherwise.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    documents = write_documents(folder / "documents")
    pdf = FPDF()
    pdf.set_font("helvetica", size=12)
    for n, words in enumerate(("The first page.", "The crane lifts nine tonnes."), 1):
        pdf.add_page()
        pdf.multi_cell(0, 8, f"{words} It is page number {n} of the manual.")
    pdf.output(str(documents / "crane.pdf"))
    with DocQA(folder / "index") as qa:
        qa.index([documents])
    return folder / "index"


@pytest.fixture(scope="session")
def qa(index: Path) -> Iterator[DocQA]:
    with DocQA(index) as qa:
        yield qa
