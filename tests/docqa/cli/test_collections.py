"""Collections on the command line: commands take them as they take an index."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docqa.cli import run
from docqa.index.collection.catalogue import Catalogue

QUESTION = "Who is the landlord?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.conftest import write_documents

    folder = tmp_path_factory.mktemp("collections") / "home"
    folder.mkdir()
    documents = write_documents(folder / "documents")
    for name, shards in (("one", []), ("many", ["--shards", "3"])):
        assert run(["index", str(documents), "--index", str(folder / name), *shards]) == 0
    return folder


@pytest.fixture
def many(home: Path, tmp_path: Path) -> Path:
    shutil.copytree(home, tmp_path / "home")
    return tmp_path / "home" / "many"


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, the JSON on stdout, and what stood on stderr."""
    capsys.readouterr()
    code = run([*arguments, "--json"])
    shown = capsys.readouterr()
    return code, json.loads(shown.out), shown.err


def test_a_collection_answers_as_one_index(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replies = []
    for name in ("one", "many"):
        code, value, _ = asked(capsys, "ask", QUESTION, "--index", str(home / name))
        assert code == 0
        assert value.pop("searched") == {"one": "1/1", "many": "3/3"}[name]
        value.pop("timings_ms")
        for answer in value["answers"]:
            for number in ("score", "confidence", "probability"):
                answer[number] = pytest.approx(answer[number], rel=1e-4)
        replies.append(value)
    assert replies[0] == replies[1]
    assert "Margaret Holloway" in replies[0]["answers"][0]["text"]


def test_what_was_not_searched_is_told(many: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(Catalogue.read(many).folders(many)[0])
    for command in (["ask", QUESTION], ["search", QUESTION]):
        code, value, said = asked(capsys, *command, "--index", str(many))
        assert (code, value["searched"]) == (1, "2/3")
        assert "searched 2/3 of the shards" in said
    assert run(["ask", QUESTION, "--index", str(many)]) == 1
    assert "searched 2/3 of the shards" in capsys.readouterr().err
    code, value, _ = asked(capsys, "status", "--index", str(many))
    assert (code, value["shards"]) == (1, "2/3")
    questions = many.parent / "questions.txt"
    questions.write_text(QUESTION, encoding="utf-8")
    capsys.readouterr()
    assert run(["ask", "--questions", str(questions), "--index", str(many)]) == 1
    assert json.loads(capsys.readouterr().out)["searched"] == "2/3"
    code, value, _ = asked(capsys, "verify", "--index", str(many))
    assert code == 1
    assert value["problems"][0]["problem"].startswith("shard 0: it can't be read")


def test_reshard_and_the_commands_that_write(
    many: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = many.parent / "documents"
    assert run(["index", str(documents), "--index", str(many), "--shards", "2"]) == 3
    assert f"docqa reshard {many} --shards 2" in capsys.readouterr().err
    code, value, _ = asked(capsys, "reshard", str(many), "--shards", "2")
    assert code == 0
    assert value == {"before": 3, "shards": 2, "documents": 2, "windows": 2}
    assert run(["reshard", str(many), "--shards", "1"]) == 0
    assert "2 windows shared out to 1 shards" in capsys.readouterr().out
    code, value, _ = asked(capsys, "index", str(documents), "--index", str(many))
    assert value["documents"]["unchanged"] == 2
    code, value, _ = asked(capsys, "status", "--index", str(many))
    assert (value["documents"], value["windows"], value["shards"]) == (2, 2, "1/1")
    assert value["bytes"] > 100_000
    code, value, _ = asked(capsys, "forget", str(documents / "lease.txt"), "--index", str(many))
    assert value["forgotten"] == [str(documents / "lease.txt")]
    assert run(["verify", "--index", str(many)]) == 0
    assert run(["reshard", str(many / "none"), "--shards", "2"]) == 3


def test_without_ray_its_option_says_what_to_install(
    many: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "ray" else find(name)
    )
    sys.modules.pop("docqa.index.collection.on_ray", None)
    documents = many.parent / "documents"
    assert run(["index", str(documents), "--index", str(many), "--ray", "auto"]) == 2
    assert 'needs the extra "cluster"' in capsys.readouterr().err
    sys.modules.pop("docqa.index.collection.on_ray", None)


@pytest.mark.slow
def test_nothing_of_collections_or_ray_is_loaded_for_one_index(home: Path) -> None:
    program = (
        "import sys; from docqa import DocQA\n"
        f"assert DocQA({str(home / 'one')!r}).ask({QUESTION!r})\n"
        "print([m for m in sys.modules if m == 'ray' or m.startswith('docqa.index.collection')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
