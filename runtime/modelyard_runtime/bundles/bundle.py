"""A bundle contains the files of one model version and everything needed to use it, identified by hashes.

A folder of bundles has the same layout in a store and on disk. Each `versions/<version>-<digest>[-<approvals>]/`
contains a bundle, and `current.json` points to the active one. A bundle is fully written before `current.json` points
to it, and never changes afterwards, so readers see either the previous bundle or the new one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import API_VERSION, Json, Section, integer, section, text

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = "bundle.json"
POINTER: Final = "current.json"
VERSIONS: Final = "versions"
MODEL: Final = "model"
PROFILES: Final = "profiles.json"

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PART = re.compile(r"[^/\\\x00-\x1f]+")
_LONGEST_PATH = 1024


class Broken(Refusal):
    """The bundle doesn't match its own manifest. It is rejected, and the previous bundle stays active."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The content of `bundle.json`. `files` maps each file's path to its SHA-256 and size in bytes."""

    registered_name: str
    alias: str
    version: str
    run: str
    digest: str  # digest of the model's files, equal to the digest tag of the version in the registry
    made: str  # start time of the training run in ISO 8601, or an empty string for a version without a run
    approvals: Mapping[str, str]  # the signed approvals of this version, by group
    files: Mapping[str, tuple[str, int]]

    @property
    def folder(self) -> str:
        """Return the folder name under `versions`, which is shared by bundles of one version with equal content."""
        return folder_name(self.version, self.digest, self.approvals)

    def text(self) -> str:
        """Return the content of `bundle.json`. Equal bundles have equal text."""
        content: dict[str, Json] = {
            "apiVersion": API_VERSION,
            "kind": "Bundle",
            "registeredName": self.registered_name,
            "alias": self.alias,
            "version": self.version,
            "run": self.run,
            "digest": self.digest,
            "made": self.made,
            "approvals": dict(self.approvals),
            "files": {path: {"sha256": digest, "bytes": size} for path, (digest, size) in self.files.items()},
        }
        return json.dumps(content, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True, slots=True)
class Pointer:
    """The content of `current.json`, i.e. the active folder and the hash of its `bundle.json`."""

    folder: str
    version: str
    sha256: str

    def text(self) -> str:
        """Return the content of `current.json`."""
        content = {"folder": self.folder, "version": self.version, "sha256": self.sha256}
        return json.dumps(content, indent=2, sort_keys=True) + "\n"


def folder_name(version: str, digest: str, approvals: Mapping[str, str]) -> str:
    """Return a version's folder name, derived from the digest of the model's files and any approvals."""
    signed = f"-{sha256(json.dumps(dict(approvals), sort_keys=True).encode())[:8]}" if approvals else ""
    return f"{version}-{digest.rpartition(':')[2][:16]}{signed}"


def pointer_to(bundle: Bundle) -> Pointer:
    """Return the pointer that makes a bundle active."""
    return Pointer(bundle.folder, bundle.version, sha256(bundle.text().encode()))


def sha256(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of the given bytes."""
    return hashlib.sha256(content).hexdigest()


def read_pointer(content: bytes) -> Pointer:
    """Parse `current.json`, raising Broken if it points outside the bundles folder."""
    document = _object(content, POINTER)
    pointer = Pointer(text(document, "folder"), text(document, "version"), text(document, "sha256"))
    if not _FOLDER.fullmatch(pointer.folder) or not pointer.version or not pointer.sha256:
        raise Broken(f"{POINTER} does not name a bundle's folder")
    return pointer


def read_bundle(content: bytes) -> Bundle:
    """Parse `bundle.json`. Raise Broken if a path in it is outside the bundle."""
    document = _object(content, MANIFEST)
    if document.get("apiVersion") != API_VERSION or document.get("kind") != "Bundle":
        raise Broken(f"{MANIFEST} is not a bundle of {API_VERSION}")
    files: dict[str, tuple[str, int]] = {}
    for path, entry in section(document, "files").items():
        if not isinstance(entry, dict) or not safe_path(path) or path == MANIFEST:
            raise Broken(f"{MANIFEST} names the file {path[:80]!r}, which a bundle cannot contain")
        files[path] = (text(entry, "sha256"), integer(entry, "bytes"))
    bundle = Bundle(
        registered_name=text(document, "registeredName"),
        alias=text(document, "alias"),
        version=text(document, "version"),
        run=text(document, "run"),
        digest=text(document, "digest"),
        made=text(document, "made"),
        approvals={key: str(statement) for key, statement in section(document, "approvals").items()},
        files=files,
    )
    if not bundle.version or not _FOLDER.fullmatch(bundle.folder) or f"{MODEL}/MLmodel" not in files:
        raise Broken(f"{MANIFEST} does not describe a model version")
    return bundle


def safe_path(path: str) -> bool:
    """Return whether a slash-separated path stays inside its folder on every operating system."""
    parts = path.split("/")
    return len(path) <= _LONGEST_PATH and all(_PART.fullmatch(part) and part not in {".", ".."} for part in parts)


def files_in(folder: Path) -> dict[str, tuple[str, int]]:
    """Return the hash and size of each file in a folder, including subfolders, sorted by path."""
    paths = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return {path: (_hash_of(folder / path), (folder / path).stat().st_size) for path in paths if path != MANIFEST}


def verify(folder: Path, expected_sha256: str = "") -> Bundle:
    """Verify that a folder has exactly the files of its manifest, with matching hashes, and return the bundle."""
    try:
        content = (folder / MANIFEST).read_bytes()
        files = files_in(folder)
    except OSError as problem:
        raise Broken(f"the bundle in {folder.name} cannot be read: {problem}") from None
    if expected_sha256 and sha256(content) != expected_sha256:
        raise Broken(f"{MANIFEST} in {folder.name} is not the one that {POINTER} names")
    bundle = read_bundle(content)
    for path in sorted({*files, *bundle.files}):
        if files.get(path) != bundle.files.get(path):
            raise Broken(f"the file {path} of the bundle in {folder.name} does not match {MANIFEST}")
    if any(file.is_symlink() for file in folder.rglob("*")):
        raise Broken(f"the bundle in {folder.name} contains a symbolic link")
    return bundle


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _object(content: bytes, name: str) -> Section:
    try:
        document: Json = json.loads(content)
    except ValueError as problem:
        raise Broken(f"{name} is not JSON: {problem}") from None
    if not isinstance(document, dict):
        raise Broken(f"{name} is not a JSON object")
    return document
