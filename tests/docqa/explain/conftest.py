"""What tests of explanations share."""

from __future__ import annotations

from pathlib import Path

import pytest

from docqa import AnswerSettings, DocQA, Reader
from docqa.explain.explanation import Explanation, explain
from docqa.reader import text_document
from tests.conftest import LEASE, ROCKET, write_documents


@pytest.fixture(scope="session")
def tiny(tiny_reader: Path) -> Explanation:
    """A text of many windows, all of them explained."""
    reader = Reader(str(tiny_reader), settings=AnswerSettings(max_answer_tokens=5))
    document = text_document(LEASE + ROCKET)
    [reading] = reader.readings([("Who may sign the lease?", document)])
    return explain(reading, reader.settings, windows=99, top_k=2)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    DocQA(folder / "index").index([write_documents(folder / "documents")])
    return folder / "index"
