"""Errors of single files, as opposed to errors that concern every file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from modelyard_runtime.models.checker import BadRequest
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, reading

_CHUNK = 8 * 1024**2


class Unfit(Exception):
    """A file cannot be scored; the message explains why to the producer of the file.

    `by_model`: the model itself failed on it. That may also be the worker's fault, so the next run tries again.
    """

    def __init__(self, reason: str, by_model: bool = False) -> None:
        super().__init__(reason)
        self.by_model = by_model


@contextmanager
def content_of(where: Place, kind: str) -> Generator[None]:
    """A context in which an error is attributed to the file: a wrong format, or undeclared columns.

    Arrow raises the same errors for damaged content and for a failing store. If all bytes of the file can be read, the
    file is damaged; otherwise the store's error is raised, which fails the run.
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
                raise Unfit("it was removed while the run was under way") from None
        raise Unfit(f"it cannot be read as {kind}: {problem}") from None


@contextmanager
def answers_of_model() -> Generator[None]:
    """A context in which an error is attributed to the model and its rows; lack of memory or a file is the worker's."""
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
