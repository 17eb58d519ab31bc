"""Compare a tree on disk with the expected tree, without relying on the record in the tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.emit import link_in_the_way
from modelyard.diagnostics.verify import differs, missing, not_verified, settings_added, unexpected
from modelyard.disk.files import OutputFile
from modelyard.disk.folder_entries import FolderEntries, copied_from, is_file, is_folder, is_link, scan
from modelyard.disk.record import RECORD
from modelyard.regular_files import read

_PYTHON_KEEPS = frozenset({"venv", "__pycache__"})


def differences(root: str, files: Iterable[OutputFile]) -> Iterator[Diagnostic]:
    """Yield the differences between the expected files and the tree at root, with unexpected files last."""
    entries = scan(root)
    expected = {RECORD}
    for file in files:
        expected.add(file.path)
        status = entries.get(file.path)
        if is_file(status):
            yield from _difference(f"{root}/{file.path}", file)
        elif status is None:
            yield missing(f"{root}/{file.path}")
    yield from _unexpected(root, entries, expected)


def _difference(path: str, file: OutputFile) -> Iterator[Diagnostic]:
    there, ours = read(path), file.render()
    merged = file.merge(there, ours) if file.merge is not None and there != ours else None
    if there != ours and (merged is None or merged.contradicts or merged.data != there):
        yield differs(path, first_line_that_differs(there, ours))
    elif merged is not None and merged.added:
        yield settings_added(path, merged.added)


def first_line_that_differs(there: bytes, ours: bytes) -> int:
    """Return the number, counted from 1, of the first line that differs."""
    pairs = zip_longest(there.splitlines(), ours.splitlines())
    return next((number for number, (left, right) in enumerate(pairs, start=1) if left != right), 1)


def _unexpected(root: str, entries: FolderEntries, expected: set[str]) -> Iterator[Diagnostic]:
    """Yield unexpected files at root. Links are reported but never followed."""
    passed_over = ""
    for path, status in entries.items():
        if passed_over and path.startswith(passed_over):
            continue
        if is_folder(status):
            if path.rpartition("/")[2] in _PYTHON_KEEPS:
                passed_over = f"{path}/"
                yield not_verified(f"{root}/{path}")
            elif path in expected:
                yield unexpected(f"{root}/{path}")
        elif is_link(status):
            yield link_in_the_way(f"{root}/{path}")
        elif path not in expected:
            original = copied_from(path)
            yield unexpected(f"{root}/{path}", f"{root}/{original}" if original in expected else "")
