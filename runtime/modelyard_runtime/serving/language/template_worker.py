"""Renders chats in a separate process: `python -m modelyard_runtime.serving.language.template_worker FD SECONDS`.

A chat template is a program written by the model's authors. Jinja's sandbox keeps it from reading files and running
code, but not from looping forever or exhausting the memory. Therefore, the kernel kills this process when a chat takes
too long, even if no Python code runs in the meantime, and the process may allocate only a limited amount of memory
beyond what it has at startup.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

_MEMORY: Final = 1024**3
"""Bytes that all chats together may allocate at a time."""


def main(descriptor: int, seconds: float) -> None:
    """Respond to requests on a socket until the other end is closed. The first message contains the template."""
    from transformers.utils.chat_template_utils import render_jinja_template

    render: Any = render_jinja_template
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    connection: Any = Connection(descriptor)
    with suppress(EOFError):
        given = json.loads(connection.recv_bytes())
        _limit_memory()
        while True:
            messages = json.loads(connection.recv_bytes())
            signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM ends the process
            try:
                (text,), _ = render([messages], **given)
                answer = {"text": text}
            except Exception as problem:  # noqa: BLE001 - templates can fail in any way
                answer = {"problem": f"{type(problem).__name__}: {problem}"[:500]}
            signal.setitimer(signal.ITIMER_REAL, 0)
            connection.send_bytes(json.dumps(answer).encode())


def _limit_memory() -> None:
    """Limit the address space on systems whose kernel reports how much of it is in use."""
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
