"""Which device and which number format to compute with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Device = str  # "auto" or whatever torch.device takes
DType = str  # "auto", "float32", "bfloat16" or "float16"

# On a CPU torch and oneDNN each keep what they compiled for a shape of matrices, for 1,024 shapes:
# some hundred megabytes, of which texts sorted by length need the latest few.
_SHAPES_KEPT = 16
_CACHES = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")


def pick_device(device: Device = "auto") -> str:
    """``auto`` is CUDA where there is one, then Apple's MPS, then the CPU.

    Raises:
        ValueError: torch knows no such device, or this machine has none.
    """
    import torch

    for name in _CACHES:  # read at the first product
        os.environ.setdefault(name, str(_SHAPES_KEPT))
    if device != "auto":
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"device {device!r} can't be used here: {reason}") from error
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def pick_dtype(dtype: DType, device: str) -> torch.dtype:
    """``auto`` is bfloat16 where the hardware multiplies it natively, else float32.

    Raises:
        ValueError: none of "auto", "float32", "bfloat16" and "float16".
    """
    import torch

    known = {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
    }
    if dtype in known:
        return known[dtype]
    if dtype != "auto":
        raise ValueError(f"dtype must be one of auto, {', '.join(known)}, not {dtype!r}")
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def on_device(tensor: torch.Tensor, device: str) -> torch.Tensor:
    """A tensor of this side's memory on a device; on CUDA nothing waits for the copy."""
    if not device.startswith("cuda"):
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _cpu_multiplies_bfloat16() -> bool:
    import torch

    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16") or features.get("bf16"))
