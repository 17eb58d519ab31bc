"""Ctrl-C while something runs that must not be stopped in its middle."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Generator[None]:
    """A Ctrl-C waits until the end of this block, and is raised there.

    For modules in Rust: where their beginning asks Python for something, and KeyboardInterrupt is the answer, they
    panic, with a report of their own on the terminal.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():  # it is not Python that answers
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)
