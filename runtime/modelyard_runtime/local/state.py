"""The state folder of a local system, which holds its stores, registry database, logs and events."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from modelyard_runtime.refusals import Refusal

READY = "serving.ready"
"""The file that is created once all applications of the model servers are running."""

_ADDRESSES = "addresses.json"
_MB = 10**6
_LEAST_FREE = 500 * _MB
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")


@dataclass(frozen=True, slots=True)
class State:
    """The folder of one system and environment. Deleting it resets everything."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> State:
        """Create the folder if necessary, readable only by its owner and ignored by git.

        Raises Refusal if the folder isn't writable, or if there isn't enough disk space for Ray and MLflow.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
            free = shutil.disk_usage(folder).free
        except OSError as problem:
            raise Refusal(f"cannot write to {folder}: {problem.strerror or problem}") from None
        if free < _LEAST_FREE:
            raise Refusal(f"the disk of {folder} has {free // _MB} MB left; a run needs {_LEAST_FREE // _MB} MB")
        return cls(folder.resolve())

    def below(self, *parts: str) -> Path:
        """Return a path in the folder, creating its parent folder."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def lock(self) -> IO[str]:
        """Take the lock, which only one run can hold. The kernel releases it when the process ends for any reason."""
        stream = self.below("run.lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.seek(0)
            owner = stream.read().strip()
            stream.close()
            raise Refusal(f"this system is already running here, as process {owner or '?'}; stop it first") from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        return stream

    def file_uri(self, uri: str) -> str:
        """Return the local URI for `file://BUCKET/PATH`, leaving other URIs unchanged."""
        parts = urlsplit(uri)
        if parts.scheme != "file" or not parts.netloc:
            return uri
        if not _BUCKET.fullmatch(parts.netloc):
            raise Refusal(f"{parts.netloc!r} cannot be the name of a folder")
        return self.below("stores", parts.netloc).as_uri() + parts.path

    def token(self, endpoint: str, caller: str) -> Path:
        """Return the file that contains a caller's token, generating it on first use."""
        path = self.below("tokens", endpoint, caller)
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(secrets.token_urlsafe(32) + "\n")
        return path

    def announce(self, **addresses: object) -> None:
        """Publish addresses for `modelyard status` and the page, in addition to those already published."""
        staged = self.below(f".{_ADDRESSES}")
        staged.write_text(json.dumps({**self.addresses(), **addresses}), encoding="utf-8")
        staged.replace(self.folder / _ADDRESSES)

    def addresses(self) -> dict[str, Any]:
        """Return the addresses published so far, e.g. of the registry, endpoints and page."""
        try:
            content = json.loads((self.folder / _ADDRESSES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def withdraw(self) -> None:
        """Remove all published addresses when a run ends, or after a run was killed."""
        (self.folder / _ADDRESSES).unlink(missing_ok=True)

    def record(self, address: str, what: str, text: str, values: Mapping[str, float] | None = None) -> None:
        """Append an event for `modelyard events`. `values` contains reported values by name."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        event: dict[str, Any] = {"at": at, "address": address, "event": what, "text": text}
        if values:
            event["values"] = dict(values)
        with self.below("events.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(event, ensure_ascii=False) + "\n")

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield events from oldest to newest, skipping incomplete lines from killed runs."""
        path = self.folder / "events.jsonl"
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event
