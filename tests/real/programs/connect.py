"""Connects to all given `address:port` arguments concurrently, and prints those that accept, one per line."""

from __future__ import annotations

import asyncio
import sys

_SECONDS = 2


async def _connects(target: str) -> bool:
    address, _, port = target.partition(":")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, int(port)), _SECONDS)
    except (TimeoutError, ConnectionError):
        return False
    writer.close()
    return True


async def _main(targets: list[str]) -> None:
    for target, connected in zip(targets, await asyncio.gather(*map(_connects, targets)), strict=True):
        if connected:
            sys.stdout.write(f"{target}\n")


asyncio.run(_main(sys.argv[1:]))
