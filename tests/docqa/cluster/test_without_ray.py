"""Nobody who does not serve on a cluster loads Ray."""

from __future__ import annotations

import subprocess
import sys


def test_ray_is_loaded_by_the_package_cluster_alone() -> None:
    code = (
        "import sys, pkgutil, importlib, docqa, docqa.cli, docqa.server.app\n"
        "import docqa.index.collection.handle, docqa.qa, docqa.cluster.settings\n"
        "sys.exit(any(name == 'ray' or name.startswith('ray.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
