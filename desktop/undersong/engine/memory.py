"""How much memory there is, how much is used, and what running out of it looks like."""

from __future__ import annotations

import psutil
import torch

from undersong.core.errors import OutOfMemory

GIGABYTE = 1e9


def used(device: torch.device) -> float:
    """Bytes this process uses now, on the processor's side and the GPU's together."""
    on_gpu = torch.cuda.memory_reserved(device) if device.type == "cuda" else 0
    return float(psutil.Process().memory_info().rss + on_gpu)


def free(device: torch.device) -> float:
    """Bytes that could still be used where ``device`` keeps its tensors."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return float(psutil.virtual_memory().available)


def as_out_of_memory(error: Exception) -> OutOfMemory | None:
    """The sentence for the writer if ``error`` means that memory ran out, else None."""
    texts = ("can't allocate memory", "not enough memory", "out of memory")
    if not isinstance(error, (MemoryError, torch.OutOfMemoryError)) and not (
        isinstance(error, RuntimeError) and any(text in str(error).lower() for text in texts)
    ):
        return None
    return OutOfMemory(
        "There was not enough memory to go on. Close other programs, write with fewer panes, or load a smaller model.",
        str(error),
    )
