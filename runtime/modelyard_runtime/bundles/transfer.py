"""`bundle pack` and `bundle unpack`, which transfer a bundle by hand to a cluster without a network connection."""

from __future__ import annotations

import logging
import os
import tempfile
import uuid
from pathlib import Path

from modelyard_runtime.bundles.bundle import POINTER
from modelyard_runtime.bundles.store import bundle_of, current, fetch, publish
from modelyard_runtime.bundles.tar import pack, unpacked
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, local, place_in
from modelyard_runtime.storage.protocols import s3
from modelyard_runtime.workload.records import Store

_log = logging.getLogger(__name__)


def run(action: str, source: str, target: str) -> int:
    """Pack a folder's active bundle into a file, or unpack a file into a folder and activate the bundle."""
    try:
        sentence = pack_current(source, Path(target)) if action == "pack" else unpack_into(Path(source), target)
    except OSError as problem:
        raise Refusal(f"the bundle cannot be transferred: {problem}") from None
    _log.info("%s", sentence)
    return 0


def pack_current(source: str, target: Path) -> str:
    """Pack the active bundle of a bundles folder into a file. `source` is a path or a URI."""
    where = bundles_at(source)
    pointer = current(where)
    if pointer is None:
        raise Refusal(f"{source} contains no {POINTER}: nothing has been delivered there")
    staged = target.with_name(f".{uuid.uuid4().hex}")
    with tempfile.TemporaryDirectory(prefix="bundles-") as name:
        folder = fetch(where, pointer, Path(name))
        try:
            with staged.open("wb") as stream:
                bundle = pack(folder, stream)
                stream.flush()
                os.fsync(stream.fileno())
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)
    return f"{target}: version {bundle.version} of {bundle.registered_name} for {bundle.alias!r}"


def unpack_into(source: Path, target: str) -> str:
    """Unpack a file into a bundles folder, e.g. on a server's disk, and activate its bundle."""
    where = bundles_at(target)
    with tempfile.TemporaryDirectory(prefix="bundles-") as name:
        with source.open("rb") as stream:
            folder = unpacked(stream, Path(name))
        bundle = bundle_of(folder)
        publish(folder, where)
    return f"{target}: version {bundle.version} of {bundle.registered_name} is in use for {bundle.alias!r}"


def bundles_at(text: str) -> Place:
    """Open a bundles folder by path or URI. Stores are configured by their protocol's usual environment variables."""
    if "://" not in text:
        return local(Path(text).absolute())
    return place_in(s3.by_environment(text) if text.startswith("s3://") else Store(uri=text), text)
