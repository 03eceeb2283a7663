"""A folder of hostile files through the whole product, as a user would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from docqa import DocQA
from tests.badfiles import make_bad_folder

pytestmark = pytest.mark.slow

MOST_MB = 2048


def resident_mb(root: int) -> float:
    """Memory of a process and all that descend from it."""
    parents = {}
    sizes = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(entry.name)] = int(stat[1])
        sizes[int(entry.name)] = int(stat[21]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(sizes.get(pid, 0) for pid in family)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="memory is read from /proc")
def test_every_good_file_is_answered_from_and_every_bad_one_listed(tmp_path: Path) -> None:
    folder, index = tmp_path / "files", tmp_path / "index"
    bad = make_bad_folder(folder)
    command = [sys.executable, "-m", "docqa", "index", folder, "--index", index, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, resident_mb(process.pid))
        time.sleep(0.05)
    assert process.stdout is not None
    report = json.loads(process.stdout.read())
    assert process.returncode == 1
    assert 0 < peak < MOST_MB

    failed = {os.path.relpath(one["path"], folder): one["error"] for one in report["failed"]}
    assert failed.keys() == bad.keys()
    for name, reason in bad.items():
        assert reason in failed[name]
        assert "Traceback" not in failed[name]

    names = {os.path.join(at, name) for at, _, files in os.walk(folder) for name in files}
    good = {os.path.relpath(path, folder) for path in names} - bad.keys()
    assert report["documents"]["added"] == len(good) > 5
    answers = DocQA(index).ask("When does the lease end?", top_k=100, candidates=100)
    told = {
        os.path.relpath(place.document, folder)
        for answer in answers
        if "May" in answer.text
        for place in (answer, *answer.also)
    }
    assert told == good

    verified = [sys.executable, "-m", "docqa", "verify", "--index", index]
    assert subprocess.run(verified, stdout=subprocess.DEVNULL, check=False).returncode == 0
