from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import docqa.ingest.workers.process as process
from docqa.ingest.discover import find_files
from docqa.ingest.document import Document, Failure, LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.workers.pool import LoaderPool
from tests.badfiles import GOOD_TEXT, make_bad_folder

_ROOT = Path(process.__file__).parents[3]


def children() -> set[int]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if f"\nPPid:\t{os.getpid()}\n" in status.read_text():
                found.add(int(status.parent.name))
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def no_worker_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def behave(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have workers run other code."""
    monkeypatch.setattr(process, "_BOOTSTRAP", "import os, sys, time\n" + code)


def files(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.txt" for number in range(count)]
    for path in paths:
        path.write_text(f"text of {path.name}")
    return [str(path) for path in paths]


@pytest.mark.slow
def test_hostile_files_are_listed_and_good_ones_read(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    bad = make_bad_folder(folder)
    discovery = find_files([folder])
    results: dict[str, Document | Failure] = {f.path: f for f in discovery.failures}
    with LoaderPool(workers=2) as pool:
        results |= {result.path: result for result in pool.load_many(discovery.files)}
    for path in map(str, folder.iterdir()):
        result = results.pop(path)
        if error := bad.get(Path(path).name):
            assert isinstance(result, Failure)
            assert error in result.error
        elif error is None:
            assert isinstance(result, Document)
            assert GOOD_TEXT in result.text
    assert not results


def test_each_path_gives_one_result(tmp_path: Path) -> None:
    paths = files(tmp_path, 50)
    with LoaderPool(workers=2) as pool:
        assert sorted(result.path for result in pool.load_many(paths)) == sorted(paths)


def test_only_a_few_files_are_read_ahead(tmp_path: Path) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        (path,) = files(tmp_path, 1)
        while True:
            taken += 1
            yield path

    results = LoaderPool(workers=2).load_many(endless())
    for _ in range(5):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert taken <= 5 + 3


@pytest.mark.parametrize(
    "hang",
    [
        "time.sleep(60)",
        'os.write(1, b\'{"bytes": 9, "last": false}\\nhalf\'); time.sleep(60)',
        "sum(range(10 ** 12))",  # inside C code, where no Python handler runs
    ],
)
def test_the_time_limit_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hang: str) -> None:
    behave(monkeypatch, hang)
    with pytest.raises(IngestError, match="--timeout"):
        LoaderPool(LoadLimits(seconds=0.5), 1).load_one(*files(tmp_path, 1))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("os.kill(os.getpid(), 11)", "crash"),
        ("os.write(1, b'[' * 1000000 + b'\\n'); time.sleep(60)", "no sense"),
        ("os.write(1, b'{\"bytes\": 1e999}\\n'); time.sleep(60)", "no sense"),
        (
            'os.write(1, b\'{"bytes": 0, "last": false, "error": "a", "passing": false}\\n+\');'
            "time.sleep(60)",
            "no sense",
        ),
        ("sys.exit(3)", "exit status 3"),
        ("os.write(1, b'nonsense\\n'); time.sleep(60)", "no sense"),
        ('os.write(1, b\'{"bytes": 999999999999, "last": false}\\n\'); time.sleep(60)', "no sense"),
        ("os.write(1, b'[]\\n'); time.sleep(60)", "no sense"),
    ],
)
def test_a_broken_worker_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, error: str
) -> None:
    behave(monkeypatch, code)
    with pytest.raises(IngestError, match=error):
        LoaderPool(workers=1).load_one(*files(tmp_path, 1))


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        ("os.kill(os.getpid(), 9)", True),  # as the system does where memory is short
        ("os.kill(os.getpid(), 15)", True),
        ("os.kill(os.getpid(), 11)", False),
        ("os.abort()", False),
        ("sys.exit(3)", True),
        ("os.write(1, b'nonsense\\n'); time.sleep(60)", False),
        ("time.sleep(60)", True),
    ],
)
def test_a_failure_says_whether_it_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, passing: bool
) -> None:
    # what an index has of a file was deleted for a moment's trouble
    behave(monkeypatch, code)
    limits = LoadLimits(seconds=1 if "sleep" in code and passing else 120)
    (failure,) = LoaderPool(limits, 1).load_many(files(tmp_path, 1))
    assert isinstance(failure, Failure)
    assert failure.passing == passing


def test_passing_comes_through_from_a_real_worker(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("word " * 300_000)
    (failure,) = LoaderPool(LoadLimits(max_file_mb=1), 1).load_many([str(tmp_path / "big.txt")])
    assert isinstance(failure, Failure)
    assert not failure.passing
    if os.geteuid() != 0:
        (tmp_path / "big.txt").chmod(0)
        (failure,) = LoaderPool(workers=1).load_many([str(tmp_path / "big.txt")])
        assert isinstance(failure, Failure)
        assert failure.passing


def test_no_process_is_a_passing_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    (failure,) = LoaderPool(workers=1).load_many(files(tmp_path, 1))
    assert isinstance(failure, Failure)
    assert failure.passing


def test_workers_get_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # they read what strangers wrote, and had every variable of the process that started them
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-word")
    monkeypatch.setenv("HOME", "/home/secret-word")
    monkeypatch.setenv("PATH", f"/opt/secret-word{os.pathsep}{os.environ['PATH']}")
    seen = tmp_path / "seen.json"
    behave(monkeypatch, f"import json; json.dump(dict(os.environ), open({str(seen)!r}, 'w'))")
    with pytest.raises(IngestError):
        LoaderPool(workers=1).load_one(*files(tmp_path, 1))
    environment = json.loads(seen.read_text())
    assert "secret-word" not in seen.read_text()
    assert environment["HOME"] == "/"
    assert environment.keys() <= {
        "DYLD_LIBRARY_PATH",
        "HOME",
        "LC_ALL",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "OPENBLAS_NUM_THREADS",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONUSERBASE",
    }


def test_workers_run_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("re", "json", "ingest", "pypdf", "fcntl", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('/proc/self/cwd/ran', 'w'); raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f".{os.pathsep}")
    assert LoaderPool(workers=1).load_one(*files(tmp_path, 1)).text == "text of 0.txt"


def test_closing_the_pool_is_told_to_who_still_reads(tmp_path: Path) -> None:
    pool = LoaderPool(workers=1)
    results = pool.load_many(files(tmp_path, 9))
    next(iter(results))
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        list(results)


def test_a_worker_dies_with_its_parent_even_in_the_midst_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("never read to its end")
    reading = tmp_path / "reading"
    endless = (
        "from docqa.ingest.workers import worker\n"
        f"worker.load = lambda *_: (open({str(reading)!r}, 'w').close(), sum(range(10 ** 15)))\n"
        "worker.main()\n"
    )
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from docqa.ingest.workers import process\n"
        "from docqa.ingest.workers.pool import LoaderPool\n"
        f"process._BOOTSTRAP = process._BOOTSTRAP.replace('main()\\n', {endless!r})\n"
        "start = process.WorkerProcess.__init__\n"
        "def named(self, limits): start(self, limits); print(self.pid, flush=True)\n"
        "process.WorkerProcess.__init__ = named\n"
        "LoaderPool(workers=1).load_one(sys.argv[2])\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(_ROOT), str(tmp_path / "a.txt")], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    worker = Path("/proc") / parent.stdout.readline().decode().strip()
    while not reading.exists():
        assert parent.poll() is None
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    while worker.exists() and "State:\tZ" not in (worker / "status").read_text():
        time.sleep(0.02)  # for ever, if the worker goes on for ever


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import docqa.ingest\n"
        "sys.exit(any(name in sys.modules for name in ('pypdf', 'lxml', 'docx')))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(_ROOT)], check=False).returncode == 0
