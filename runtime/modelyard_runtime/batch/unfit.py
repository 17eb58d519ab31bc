"""Separates errors caused by a single file from errors that affect every file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from modelyard_runtime.models.checker import BadRequest
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, reading

_CHUNK = 8 * 1024**2


class Unfit(Exception):
    """The file can't be scored. The message is addressed to whoever produces the file.

    `by_model` means that the model itself failed on the file. The worker may be at fault, so the next run tries again.
    """

    def __init__(self, reason: str, by_model: bool = False) -> None:
        super().__init__(reason)
        self.by_model = by_model


@contextmanager
def content_of(where: Place, kind: str) -> Generator[None]:
    """Treat errors raised in this context, such as a wrong format or undeclared columns, as errors in the file.

    Arrow raises the same errors for damaged content and for a failing store. If every byte of the file can be read, the
    file is damaged. Otherwise, the store's error is raised, which fails the run.
    """
    import pyarrow as pa

    try:
        yield
    except MemoryError:
        raise
    except (BadRequest, Refusal) as problem:
        raise Unfit(str(problem)) from None
    except (pa.ArrowException, OSError, UnicodeError) as problem:
        if isinstance(problem, OSError):
            try:
                _read_through(where)
            except FileNotFoundError:
                raise Unfit("it was deleted during the run") from None
        raise Unfit(f"it cannot be read as {kind}: {problem}") from None


@contextmanager
def answers_of_model() -> Generator[None]:
    """Attribute errors in this context to the model, unless the worker ran out of memory or files are missing."""
    try:
        yield
    except (MemoryError, OSError, Unfit):
        raise
    except Exception as problem:
        raise Unfit(f"the model fails on its rows: {type(problem).__name__}: {problem}", by_model=True) from problem


def _read_through(where: Place) -> None:
    with reading(where) as stream:
        while stream.read(_CHUNK):
            pass
