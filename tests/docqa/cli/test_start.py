"""What a command's start leaves out, and that it leaves no trace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from docqa import ModelError
from docqa.cli.start import load_lean

PROBE = """
import sys
import click
from docqa import Reader
from docqa.cli.start import load_lean

def load():
    import sentence_transformers

    return Reader(sys.argv[1]), sentence_transformers

with click.Context(click.Command("ask"), obj=True):
    reader, sentence_transformers = load_lean(load)
assert not {"sympy", "sklearn", "scipy", "torch._dynamo"} & set(sys.modules)
print(reader("Who may sign?", "The landlord may sign.")["answer"])

import torch
from sklearn.metrics import pairwise_distances
assert sentence_transformers.util.similarity.pairwise_distances([[0.0]], [[1.0]]) == [[1.0]]
assert pairwise_distances([[0.0]], [[1.0]]) == [[1.0]]
assert torch.distributed.is_available()
assert torch.compiler.disable(len)("ab") == 2
"""


def test_lean_imports_leave_libraries_out_that_can_be_imported_later(tiny_reader: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tiny_reader)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_what_fails_with_stand_ins_is_loaded_without_them() -> None:
    def load() -> str:
        import sklearn

        return str(sklearn.__version__)

    with click.Context(click.Command("ask"), obj=True):
        assert load_lean(load)[0].isdigit()


def test_what_fails_both_ways_says_why() -> None:
    def load() -> None:
        raise ModelError("no such model")

    with (
        click.Context(click.Command("ask"), obj=True),
        pytest.raises(ModelError, match="no such model"),
    ):
        load_lean(load)
