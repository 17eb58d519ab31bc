"""Files that do not fit: what is wrong with one of them is told apart from what is wrong with everything."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from modelyard_runtime.models.checker import BadRequest
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, reading

_CHUNK = 8 * 1024**2


class Unfit(Exception):
    """A file cannot be scored; the message says why, in words for whoever delivers it.

    `by_model`: the model itself stumbled over it. That may also be the fault of a worker, so it is tried again.
    """

    def __init__(self, reason: str, by_model: bool = False) -> None:
        super().__init__(reason)
        self.by_model = by_model


@contextmanager
def content_of(where: Place, kind: str) -> Generator[None]:
    """Within it, an error is the file's own: it is not of its format, or its columns are not as declared.

    Arrow raises the same errors for damaged content and for a store that fails. A file whose bytes can be read from the
    first to the last is damaged; where they cannot, what the store says is raised, which fails the run.
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
    """Within it, an error is what the model makes of the rows; a lack of memory or of a file is the worker's."""
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
