"""Tests which versions a language model server waits for and loads, using a fake engine."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from modelyard_runtime.models.bases import Base
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import ADAPTER, FORMAT_TAG, SAFETENSORS
from modelyard_runtime.serving.language import loaded, server
from modelyard_runtime.serving.language.server import LanguageServer
from modelyard_runtime.serving.selection import Origin, Selected
from modelyard_runtime.workload.records import Generation, Model, ServerWorkload
from tests.runtime.described import record
from tests.runtime.serving.language import MODEL, NAME, adapter_files, described

TONE = "support-tone"
DEADLINE_S = 60.0


class Engine:
    """A fake engine that records calls. If `refusal` is set, it rejects every adapter."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal, self.adapters, self.closed = refusal, list[str](), False

    def add_adapter(self, key: str, folder: Path) -> None:
        if self.refusal:
            raise Refusal(self.refusal)
        self.adapters.append(key)

    def close(self) -> None:
        self.closed = True


class Registry:
    """A fake registry that records which whole-model versions the server tried to load."""

    def __init__(self, files: Path) -> None:
        self._files, self._versions = files, dict[tuple[str, str], registry.Version]()
        self.aliases = dict[str, str]()
        self.failures, self.attempts, self.looks = 0, list[str](), threading.Semaphore(0)

    def register(self, name: str, number: str, kind: str) -> registry.Version:
        tags = {FORMAT_TAG: kind, "modelyard.digest": "sha256:base"}
        self._versions[name, number] = version = registry.Version(name, number, f"models:/{name}/{number}", tags, "")
        return version

    def version_if_any(self, name: str, number: str) -> registry.Version | None:
        self.looks.release()
        return self._versions.get((name, number))

    def version_at(self, name: str, alias: str) -> registry.Version | None:
        self.looks.release()
        return self._versions.get((name, self.aliases.get(alias, "")))

    def fetch(self, version: registry.Version, digest: str) -> Path:
        return Path(shutil.copytree(self._files, self._files.with_name(f"{version.name} {version.version}")))

    def load(self, workload: Any, selected: Selected, *_: Any) -> loaded.Loaded:
        version = selected.version
        self.attempts.append(version.version)
        if len(self.attempts) <= self.failures:
            raise Refusal("the store cannot be reached")
        engine: Any = Engine()
        return loaded.Loaded(engine, selected.origin, version.uri, Base(NAME, version.version, "sha256:base"))


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return an empty registry at which servers look all the time."""
    versions = Registry(adapter_files(tmp_path / "files"))
    monkeypatch.setattr(server, "FOLLOW_S", 0.01)
    monkeypatch.setattr(server, "load", versions.load)
    monkeypatch.setattr(registry, "connect", lambda _: None)
    monkeypatch.setattr(registry, "version_if_any", versions.version_if_any)
    monkeypatch.setattr(registry, "version_at", versions.version_at)
    monkeypatch.setattr(registry, "fetch", versions.fetch)
    return versions


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., tuple[LanguageServer, list[threading.Thread]]]]:
    """Return a function that starts a server for version 1 and returns it along with the threads it started."""
    servers: list[LanguageServer] = []

    def start(**changes: Any) -> tuple[LanguageServer, list[threading.Thread]]:
        workload, before = described(tmp_path), set(threading.enumerate())
        application = workload["applications"]["assistant-live"]
        del application["auth"]
        application |= {"model": pinned(MODEL, NAME), **changes}
        servers.append(LanguageServer(record(ServerWorkload, workload), "assistant-live"))
        return servers[-1], [thread for thread in threading.enumerate() if thread not in before]

    yield start
    for running in servers:
        running.__del__()


def pinned(model: dict[str, Any], name: str) -> dict[str, Any]:
    """Describe a model or adapter that is served in version 1."""
    return {**model, "registeredName": name, "uri": f"models:/{name}/1", "version": "1"}


def health(asked: LanguageServer) -> tuple[int, dict[str, Any]]:
    """Return the status and content of the response to a probe."""
    scope = {"type": "http", "method": "GET", "path": "/healthz", "headers": [], "query_string": b""}
    response = asyncio.run(asked(Request(scope)))
    return response.status_code, json.loads(bytes(response.body))


def wait_for_looks(known: Registry, number: int) -> None:
    """Wait until a server has looked for versions this often."""
    for _ in range(number):
        assert known.looks.acquire(timeout=DEADLINE_S)


def ended(threads: list[threading.Thread]) -> bool:
    """Wait for threads to end, and return whether they did."""
    for thread in threads:
        thread.join(DEADLINE_S)
    return not any(thread.is_alive() for thread in threads)


def test_a_version_by_number_is_awaited(known: Registry, started: Any) -> None:
    """The server responds 503 until the version exists, and stops waiting once it is loaded, even on a retry."""
    server, threads = started()
    wait_for_looks(known, 3)
    status, content = health(server)
    assert (status, content["error"]["message"]) == (503, f"no version of models:/{NAME}/1 exists yet")
    known.failures = 1
    known.register(NAME, "1", SAFETENSORS)

    assert ended(threads)
    assert health(server) == (200, {"status": "ok", "version": "1"})
    assert known.attempts == ["1", "1"]


def test_another_variant_stands_in_until_there_is_a_version(known: Registry, started: Any) -> None:
    """The engine of the stand-in is closed when the variant's own version takes over."""
    known.register(NAME, "1", SAFETENSORS)
    own = {**MODEL, "registeredName": NAME, "uri": f"models:/{NAME}@candidate", "alias": "candidate"}
    server, _ = started(variant="next", model=own, standIn={"variant": "live", "model": pinned(MODEL, NAME)})
    before = server.loaded
    wait_for_looks(known, 3)
    known.register(NAME, "2", SAFETENSORS)
    known.aliases["candidate"] = "2"
    deadline = time.monotonic() + DEADLINE_S
    while not before.engine.closed and time.monotonic() < deadline:
        time.sleep(0.01)

    assert (before.origin, server.loaded.origin) == (Origin("live", NAME, "1"), Origin("next", NAME, "2"))
    assert (health(server)[0], known.attempts) == (200, ["1", "2"])


def test_a_version_by_number_that_exists_is_not_looked_for_again(known: Registry, started: Any) -> None:
    known.register(NAME, "1", SAFETENSORS)
    server, threads = started()

    assert threads == []
    assert health(server) == (200, {"status": "ok", "version": "1"})


def test_an_adapter_by_number_is_awaited(known: Registry, started: Any) -> None:
    """An adapter whose version does not exist yet is loaded once it does, although the model itself is complete."""
    known.register(NAME, "1", SAFETENSORS)
    server, threads = started(adapters={"support": pinned(MODEL, TONE)})
    assert health(server)[0] == 200
    wait_for_looks(known, 2 * 3)  # for the model and the adapter
    known.register(TONE, "1", ADAPTER)

    assert ended(threads)
    assert server.loaded.engine.adapters == [f"support models:/{TONE}/1"]
    assert known.attempts == ["1"]


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """Return the engines available for an adapter's base model. The list is empty once the model is downloaded."""
    waiting, fetched = [Engine()], list[Engine]()

    @contextmanager
    def base_files(_: Base) -> Generator[Path]:
        fetched.append(waiting.pop())
        yield tmp_path

    monkeypatch.setattr(loaded, "base_files", base_files)
    monkeypatch.setattr(loaded, "check_memory", lambda *_: None)
    monkeypatch.setattr(loaded, "check_heads", lambda *_: None)
    monkeypatch.setattr(loaded, "MlxEngine", lambda *_: fetched.pop())
    return waiting


def load_adapter(known: Registry, accelerators: int = 0) -> loaded.Loaded:
    """Load an adapter with its base model, as a variant that serves the adapter does."""
    workload = record(ServerWorkload, {"applications": {}})
    generation = Generation(model="assistant", max_tokens=8, concurrency=2, accelerators=accelerators)
    model = record(Model, pinned(MODEL, TONE))
    return loaded.load(workload, Selected("live", model, known.register(TONE, "1", ADAPTER)), generation)


def test_engine_of_a_refused_adapter_is_closed(known: Registry, engines: list[Engine]) -> None:
    """Otherwise, each attempt to load the adapter would leave another copy of the weights in memory."""
    engine = engines[0]
    engine.refusal = "the adapter does not fit the base model"

    with pytest.raises(Refusal, match=engine.refusal):
        load_adapter(known)
    assert engine.closed


def test_engine_of_an_adapter_stays_open(known: Registry, engines: list[Engine]) -> None:
    engine = engines[0]

    version = load_adapter(known)

    assert (version.version, version.base.digest) == ("1", "sha256:base")
    assert (engine.adapters, engine.closed) == ([f"models:/{TONE}/1"], False)


@pytest.mark.parametrize(
    ("changes", "accelerators", "reason"),
    [
        ({"rank": 65}, 1, "the adapter has rank 65, but at most 64 is supported on accelerators"),
        ({"r": 8}, 0, r"lora_A.weight of the adapter has the shape \(4, 8\), but the adapter's rank is 8"),
        ({"use_dora": True}, 0, "the adapter uses use_dora, but only LoRA of linear layers is supported"),
        ({"layer": "layer"}, 0, "'layer.lora_A.weight', which is no matrix of a linear layer"),
    ],
)
def test_adapter_is_refused_before_its_base_is_loaded(
    known: Registry, engines: list[Engine], tmp_path: Path, changes: dict[str, Any], accelerators: int, reason: str
) -> None:
    """An unusable adapter is rejected based on its own files, before its base model takes minutes to load."""
    adapter_files(tmp_path / "files", **changes)

    with pytest.raises(Refusal, match=reason):
        load_adapter(known, accelerators)
    assert len(engines) == 1


def test_adapter_without_matrices_is_refused(known: Registry, engines: list[Engine], tmp_path: Path) -> None:
    (tmp_path / "files" / "adapter_model.safetensors").unlink()

    with pytest.raises(Refusal, match=r"no matrices: adapter_model\.safetensors is missing or empty"):
        load_adapter(known)
    assert len(engines) == 1


def test_adapter_of_a_high_rank_is_loaded_without_accelerators(
    known: Registry, engines: list[Engine], tmp_path: Path
) -> None:
    adapter_files(tmp_path / "files", rank=65)

    assert load_adapter(known).uri == f"models:/{TONE}/1"
    assert engines == []
