"""Tests that Ctrl-C in an uninterruptible block takes effect after the block."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from modelyard.interrupts import undisturbed


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Handle SIGINT like in a terminal, even if a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_is_raised_at_the_end_of_the_block() -> None:
    """The uninterruptible block runs to its end, but the code following it doesn't run."""
    events: list[str] = []

    def run() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            events.append("inside")
        events.append("after")

    with pytest.raises(KeyboardInterrupt):
        run()
    assert events == ["inside"]


def test_interrupts_work_normally_afterwards() -> None:
    """The signal handler is restored after the block, with or without a Ctrl-C."""
    with undisturbed():
        pass

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ignored_interrupts_stay_ignored() -> None:
    """Shells make background programs ignore SIGINT, which the block must not change."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with undisturbed():
        signal.raise_signal(signal.SIGINT)


def test_other_threads_are_not_affected() -> None:
    """Only the main thread gets signals and can set handlers."""
    events: list[str] = []

    def inside() -> None:
        with undisturbed():
            events.append("inside")

    other = threading.Thread(target=inside)
    other.start()
    other.join()

    assert events == ["inside"]
