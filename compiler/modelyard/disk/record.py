"""A tree's record: the files that modelyard wrote, and their hashes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256

from modelyard.records import field, record
from modelyard.regular_files import read
from modelyard.source import Json

RECORD = ".modelyard.json"
_NOTE = "Written by modelyard: the files that are its own. Do not edit."


@record
class Record:
    """The key that identifies the inputs, the hashes of our files by path, and our text in each merged file."""

    key: str = ""
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    merged: Mapping[str, str] = field(default_factory=dict[str, str])


NO_RECORD = Record()


def digest(data: bytes) -> str:
    """Return the hash that identifies a file's content."""
    return sha256(data).hexdigest()


def record_bytes(record: Record) -> bytes:
    """Serialize the record deterministically, with one file per line, sorted by path."""
    files, merged = dict(sorted(record.files.items())), dict(sorted(record.merged.items()))
    value = {"note": _NOTE, "key": record.key, "files": files, "merged": merged}
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def read_record(root: str) -> Record:
    """Read a tree's record, or return an empty record if it is missing, a link, or not in our format.

    Without a record, no file is considered ours, so files with different content are not overwritten.
    """
    try:
        value: Json = json.loads(read(os.path.join(root, RECORD)))
    except (OSError, ValueError, RecursionError):
        return NO_RECORD
    if not isinstance(value, dict):
        return NO_RECORD
    key, files, merged = value.get("key"), _texts(value.get("files")), _texts(value.get("merged", {}))
    if not isinstance(key, str) or files is None or merged is None:
        return NO_RECORD
    return Record(key, files, merged)


def _texts(value: Json) -> dict[str, str] | None:
    """Return the value as a mapping from strings to strings, or None if it isn't one."""
    if not isinstance(value, dict):
        return None
    texts = {path: text for path, text in value.items() if isinstance(text, str)}
    return texts if len(texts) == len(value) else None
