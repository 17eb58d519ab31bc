"""Reads request bodies up to a size limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelyard_runtime.models.checker import BadRequest

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES: Final = 16 * 2**20

_MOST_DIGITS = 15


async def body_of(request: Request, most_bytes: int) -> bytes:
    """Read the whole body, refusing the request if its declared or actual size exceeds the limit."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > most_bytes):
        raise _too_large(most_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise _too_large(most_bytes)
        parts.append(part)
    return b"".join(parts)


def _too_large(most_bytes: int) -> BadRequest:
    return BadRequest(f"the body is larger than {most_bytes} bytes", 413)
