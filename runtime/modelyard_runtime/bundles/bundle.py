"""A bundle: one version of a model with all that its users need, whose every file is known by its hash.

A folder of bundles is the same in a store and on a disk: `versions/<version>-<digest>[-<approvals>]/` holds a bundle
each, and `current.json` names the one that is in use. A bundle is written whole before `current.json` names it, and
never changed afterwards, so that a reader sees the bundle before or the one after.
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
    """A bundle that is not what it says it is. It is not used; what was in use before goes on."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What `bundle.json` says. `files` holds SHA-256 and size in bytes of each file, by its path in the bundle."""

    registered_name: str
    alias: str
    version: str
    run: str
    digest: str  # of the model's files, as the registry's version is tagged with it
    made: str  # when the run began, as in ISO 8601; empty where the version has no run
    approvals: Mapping[str, str]  # the signed statements about it, by group
    files: Mapping[str, tuple[str, int]]

    @property
    def folder(self) -> str:
        """What its folder below `versions` is called: equal contents of one version have equal names."""
        return folder_name(self.version, self.digest, self.approvals)

    def text(self) -> str:
        """`bundle.json`: equal bundles are equal texts."""
        described: dict[str, Json] = {
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
        return json.dumps(described, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True, slots=True)
class Pointer:
    """What `current.json` says: the folder in use, and the hash of the `bundle.json` in it."""

    folder: str
    version: str
    sha256: str

    def text(self) -> str:
        """`current.json`."""
        described = {"folder": self.folder, "version": self.version, "sha256": self.sha256}
        return json.dumps(described, indent=2, sort_keys=True) + "\n"


def folder_name(version: str, digest: str, approvals: Mapping[str, str]) -> str:
    """The folder of a version whose model's files have this digest, with these approvals."""
    signed = f"-{sha256(json.dumps(dict(approvals), sort_keys=True).encode())[:8]}" if approvals else ""
    return f"{version}-{digest.rpartition(':')[2][:16]}{signed}"


def pointer_to(bundle: Bundle) -> Pointer:
    """What `current.json` says when a bundle is in use."""
    return Pointer(bundle.folder, bundle.version, sha256(bundle.text().encode()))


def sha256(content: bytes) -> str:
    """The hash of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_pointer(content: bytes) -> Pointer:
    """A `current.json`; one that would lead out of its folder is broken."""
    found = _object(content, POINTER)
    pointer = Pointer(text(found, "folder"), text(found, "version"), text(found, "sha256"))
    if not _FOLDER.fullmatch(pointer.folder) or not pointer.version or not pointer.sha256:
        raise Broken(f"{POINTER} names no folder of a bundle")
    return pointer


def read_bundle(content: bytes) -> Bundle:
    """A `bundle.json`; one with a path that leads out of its folder is broken."""
    found = _object(content, MANIFEST)
    if found.get("apiVersion") != API_VERSION or found.get("kind") != "Bundle":
        raise Broken(f"{MANIFEST} is no bundle of {API_VERSION}")
    files: dict[str, tuple[str, int]] = {}
    for path, entry in section(found, "files").items():
        if not isinstance(entry, dict) or not safe_path(path) or path == MANIFEST:
            raise Broken(f"{MANIFEST} names the file {path[:80]!r}, which cannot lie in a bundle")
        files[path] = (text(entry, "sha256"), integer(entry, "bytes"))
    bundle = Bundle(
        registered_name=text(found, "registeredName"),
        alias=text(found, "alias"),
        version=text(found, "version"),
        run=text(found, "run"),
        digest=text(found, "digest"),
        made=text(found, "made"),
        approvals={key: str(given) for key, given in section(found, "approvals").items()},
        files=files,
    )
    if not bundle.version or not _FOLDER.fullmatch(bundle.folder) or f"{MODEL}/MLmodel" not in files:
        raise Broken(f"{MANIFEST} describes no version of a model")
    return bundle


def safe_path(path: str) -> bool:
    """Whether a path with slashes stays within the folder that it is about, on every system."""
    parts = path.split("/")
    return len(path) <= _LONGEST_PATH and all(_PART.fullmatch(part) and part not in {".", ".."} for part in parts)


def files_in(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash and size of every file below a folder, by path, in order."""
    found = sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())
    return {path: (_hash_of(folder / path), (folder / path).stat().st_size) for path in found if path != MANIFEST}


def verify(folder: Path, wanted_sha256: str = "") -> Bundle:
    """The bundle in a folder, after every file was compared with its hash and no other was found."""
    try:
        content = (folder / MANIFEST).read_bytes()
        found = files_in(folder)
    except OSError as problem:
        raise Broken(f"the bundle in {folder.name} cannot be read: {problem}") from None
    if wanted_sha256 and sha256(content) != wanted_sha256:
        raise Broken(f"{MANIFEST} in {folder.name} is not the one that {POINTER} means")
    bundle = read_bundle(content)
    for path in sorted({*found, *bundle.files}):
        if found.get(path) != bundle.files.get(path):
            raise Broken(f"the file {path} of the bundle in {folder.name} is not what {MANIFEST} says")
    if any(one.is_symlink() for one in folder.rglob("*")):
        raise Broken(f"the bundle in {folder.name} holds a symbolic link")
    return bundle


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _object(content: bytes, what: str) -> Section:
    try:
        found: Json = json.loads(content)
    except ValueError as problem:
        raise Broken(f"{what} is no JSON: {problem}") from None
    if not isinstance(found, dict):
        raise Broken(f"{what} is no JSON object")
    return found
