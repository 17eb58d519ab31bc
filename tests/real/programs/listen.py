"""Accepts TCP connections on the given ports and closes them immediately, printing a line once all are open."""

from __future__ import annotations

import asyncio
import sys


async def _end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _listen(ports: list[int]) -> None:
    for port in ports:
        await asyncio.start_server(_end, "0.0.0.0", port)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(_listen([int(port) for port in sys.argv[1:]]))
