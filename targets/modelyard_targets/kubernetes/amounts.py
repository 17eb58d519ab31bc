"""Amounts of hardware as people and Kubernetes write them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = (("Ti", 1024**4), ("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024))


def cpu_text(millis: int) -> str:
    """`4` or `1500m`."""
    return f"{millis}m" if millis % 1000 else str(millis // 1000)


def memory_text(size_bytes: int) -> str:
    """The exact amount in the largest unit that divides it, such as `96Gi`."""
    for unit, factor in _UNITS:
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return str(size_bytes)
