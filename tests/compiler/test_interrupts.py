"""A Ctrl-C that comes at a bad moment waits for a better one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from modelyard.interrupts import undisturbed


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """As in a terminal, also where a shell runs the tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_is_raised_at_the_end() -> None:
    """What is in the block is done, what comes after it is not."""
    done: list[str] = []

    def run() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("inside")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == ["inside"]


def test_it_works_again_afterwards() -> None:
    """Nothing stays of the block, whether a Ctrl-C came or not."""
    with undisturbed():
        pass

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_it_stays_ignored_where_it_is_ignored() -> None:
    """A program that a shell runs in its background does not hear of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with undisturbed():
        signal.raise_signal(signal.SIGINT)


def test_another_thread_needs_none_of_it() -> None:
    """Only the main thread hears signals, and only it may say who answers them."""
    done: list[str] = []

    def inside() -> None:
        with undisturbed():
            done.append("inside")

    other = threading.Thread(target=inside)
    other.start()
    other.join()

    assert done == ["inside"]
