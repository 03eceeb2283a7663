"""The hash of a model's weights, by which it is known again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from docqa.index.errors import ModelError

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def weights_sha256(folder: Path) -> str:
    """Return the SHA-256 (hex) of a model's weights: of the file, or of files' names and hashes.

    Raises:
        ModelError: the folder holds no weights.
    """
    files: list[Path] = []
    for pattern in _WEIGHTS:
        files = sorted(folder.glob(pattern))
        if files:
            break
    if not files:
        raise ModelError(f"no weights (safetensors) in {folder}")
    digests = []
    for file in files:
        with file.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    if len(files) == 1:
        return digests[0]
    names = "".join(f"{file.name} {digest}\n" for file, digest in zip(files, digests, strict=True))
    return hashlib.sha256(names.encode()).hexdigest()
