"""The record of a tree: which files are ours, and the hash of what we wrote into each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from modelyard.disk.files import read
from modelyard.source import Json

RECORD = ".modelyard.json"
_NOTE = "Written by modelyard: the files that are its own. Do not edit."


@dataclass(frozen=True, slots=True)
class Record:
    """The key of the inputs, and the hash of each file of ours by its path."""

    key: str = ""
    files: Mapping[str, str] = field(default_factory=dict[str, str])


NO_RECORD = Record()


def digest(data: bytes) -> str:
    """The hash by which a file is known."""
    return sha256(data).hexdigest()


def record_bytes(record: Record) -> bytes:
    """The record as it lies on disk: sorted, one file a line, the same for the same tree."""
    value = {"note": _NOTE, "key": record.key, "files": dict(sorted(record.files.items()))}
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def read_record(root: str) -> Record:
    """The record of a tree; none where it is missing, a link, or not what we write.

    Without a record no file counts as ours, so that nothing is overwritten that differs from what would be written.
    """
    try:
        value: Json = json.loads(read(os.path.join(root, RECORD)))
    except (OSError, ValueError, RecursionError):
        return NO_RECORD
    if not isinstance(value, dict):
        return NO_RECORD
    key, files = value.get("key"), value.get("files")
    if not isinstance(key, str) or not isinstance(files, dict):
        return NO_RECORD
    hashes = {path: found for path, found in files.items() if isinstance(found, str)}
    return Record(key, hashes) if len(hashes) == len(files) else NO_RECORD
