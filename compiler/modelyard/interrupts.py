"""Ctrl-C while something runs that must not be stopped in its middle."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Generator[None]:
    """A Ctrl-C waits until the end of this block, and is raised there.

    For modules in Rust: where their beginning asks Python for something, and KeyboardInterrupt is the answer, they
    panic, with a report of their own on the terminal.
    """
    came: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    heard = before is not None  # or it is not Python that answers
    try:
        if heard:
            signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    except ValueError:  # only the main thread hears signals, and may say who answers them
        heard = False
    try:
        yield
    finally:
        if heard:
            signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)
