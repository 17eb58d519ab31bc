"""Delay Ctrl-C while code that must not be interrupted is running."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Generator[None]:
    """Delay a Ctrl-C's KeyboardInterrupt until the end of this block.

    Rust modules need this. If their initialization calls into Python and gets a KeyboardInterrupt, they panic and print
    their own report to the terminal.
    """
    received: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    handled = before is not None  # otherwise, Python does not handle Ctrl-C
    try:
        if handled:
            signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    except ValueError:  # only the main thread may set signal handlers
        handled = False
    try:
        yield
    finally:
        if handled:
            signal.signal(signal.SIGINT, before)
    if received:
        signal.raise_signal(signal.SIGINT)
