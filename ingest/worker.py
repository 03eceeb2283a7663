"""A process that loads files for :mod:`ingest.pool`: ``python -m ingest.worker``.

Requests come in on stdin, replies go out on stdout: a length (8 bytes), a JSON header of so many
bytes, and then the document's text in UTF-8. Nothing that a reply holds is ever run. The process
ends when its parent closes stdin, and so dies with it.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from ingest.document import LoadLimits
from ingest.errors import IngestError

LENGTH = struct.Struct(">Q")
_MB = 1 << 20


def main() -> None:
    """Serve requests until stdin ends."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get between the replies.
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    limits = LoadLimits(**json.loads(_take(requests)))
    _limit_memory(limits)
    while request := _take(requests):
        _limit_time(limits)
        header, text = _reply(json.loads(request), limits)
        head = json.dumps(header | {"text_bytes": len(text)}).encode()
        replies.write(LENGTH.pack(len(head)) + head)
        replies.write(text)
        replies.flush()


def _take(stream: BinaryIO) -> bytes:
    prefix = stream.read(LENGTH.size)
    return stream.read(LENGTH.unpack(prefix)[0]) if len(prefix) == LENGTH.size else b""


def _reply(path: str, limits: LoadLimits) -> tuple[dict[str, Any], bytes]:
    from ingest.load import load

    try:
        document = load(path, limits)
        fields = asdict(document)
        return fields, fields.pop("text").encode("utf-8")
    except IngestError as error:
        return {"error": str(error)}, b""
    except MemoryError:
        return {"error": out_of_memory(limits)}, b""
    except RecursionError:
        return {"error": "nested too deeply"}, b""
    except Exception as error:  # a parser met something nobody thought of: this file's fault alone
        return {"error": f"can't be read ({type(error).__name__}: {error})"}, b""


def out_of_memory(limits: LoadLimits) -> str:
    """What is said of a file whose text would not fit into memory."""
    return f"needed more than {limits.memory_mb} MB of memory; raise it with --memory-mb"


def _limit_memory(limits: LoadLimits) -> None:
    if sys.platform == "win32":
        return
    import resource

    size = limits.memory_mb * _MB
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(limits: LoadLimits) -> None:
    """The parent's clock ends what takes too long; this ends it if the parent is gone."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + limits.seconds) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
