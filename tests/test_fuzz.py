"""A short run of the fuzzing script: damaged files of each format are read or refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

import docqa.ingest.workers.process as process

pytestmark = pytest.mark.slow

_SCRIPT = Path(__file__).parent.parent / "benchmarks" / "fuzz.py"
_spec = importlib.util.spec_from_file_location("fuzz", _SCRIPT)
assert _spec is not None
assert _spec.loader is not None
fuzz = importlib.util.module_from_spec(_spec)
sys.modules["fuzz"] = fuzz  # its dataclasses look there for their types
_spec.loader.exec_module(fuzz)


@pytest.mark.parametrize("name", ["docx", "pdf", ".zip"])
def test_damaged_files_give_no_findings(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(process, "_BOOTSTRAP", fuzz._FENCE + process._BOOTSTRAP)
    assert not fuzz.fuzz(name, seconds=0.5, seed=1).findings


@pytest.mark.parametrize(
    "code", ["open('/tmp/x', 'w')", "import socket; socket.create_connection(('127.0.0.1', 9))"]
)
def test_a_loader_that_writes_or_connects_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(process, "_BOOTSTRAP", f"{fuzz._FENCE}\n{code}\n{process._BOOTSTRAP}")
    assert any("ended early" in what for what in fuzz.fuzz("text", 0.2, 1).findings)


@pytest.mark.parametrize(
    ("error", "is_finding"),
    [
        ("not readable as PDF: damaged", False),
        ("KeyError: 'x'", True),
        ("took longer than 20 s, stopped", True),
        ("needed more than 512 MB of memory", True),
    ],
)
def test_reasons_that_are_findings(error: str, is_finding: bool) -> None:
    assert bool(fuzz.finding(error)) is is_finding
