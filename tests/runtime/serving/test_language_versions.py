"""Tests which versions a language model server waits for, and what it loads. A fake replaces the engine."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
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
from modelyard_runtime.workload.records import Generation, Model, ServerWorkload
from tests.runtime.described import record
from tests.runtime.serving.language import MODEL, NAME, adapter_files, described

TONE = "support-tone"
DEADLINE_S = 60.0


class Engine:
    """A fake engine that records what happens to it. It refuses every adapter if it has a reason."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal, self.adapters, self.closed = refusal, list[str](), False

    def add_adapter(self, key: str, folder: Path) -> None:
        if self.refusal:
            raise Refusal(self.refusal)
        self.adapters.append(key)

    def close(self) -> None:
        self.closed = True


class Registry:
    """A fake registry, and the versions of whole models that the server tried to load from it."""

    def __init__(self, files: Path) -> None:
        self._files, self._versions = files, dict[tuple[str, str], registry.Version]()
        self.failures, self.attempts, self.looks = 0, list[str](), threading.Semaphore(0)

    def register(self, name: str, number: str, kind: str) -> registry.Version:
        tags = {FORMAT_TAG: kind, "modelyard.digest": "sha256:base"}
        self._versions[name, number] = version = registry.Version(name, number, f"models:/{name}/{number}", tags, "")
        return version

    def version_if_any(self, name: str, number: str) -> registry.Version | None:
        self.looks.release()
        return self._versions.get((name, number))

    def fetch(self, version: registry.Version, digest: str) -> Path:
        return Path(shutil.copytree(self._files, self._files.with_name(f"{version.name} {version.version}")))

    def load(self, workload: Any, model: Any, version: registry.Version, *_: Any) -> loaded.Loaded:
        self.attempts.append(version.version)
        if len(self.attempts) <= self.failures:
            raise Refusal("the store cannot be reached")
        engine: Any = Engine()
        return loaded.Loaded(engine, version.version, version.uri, Base(NAME, version.version, "sha256:base"))


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return an empty registry at which servers look all the time."""
    versions = Registry(adapter_files(tmp_path / "files"))
    monkeypatch.setattr(server, "FOLLOW_S", 0.01)
    monkeypatch.setattr(server, "load", versions.load)
    monkeypatch.setattr(registry, "connect", lambda _: None)
    monkeypatch.setattr(registry, "version_if_any", versions.version_if_any)
    monkeypatch.setattr(registry, "fetch", versions.fetch)
    return versions


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., tuple[LanguageServer, list[threading.Thread]]]]:
    """Return a function that starts a server of version 1. It returns the server and the threads that it started."""
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


def wait_for_look(known: Registry) -> None:
    """Wait until a server has looked for a version once more."""
    assert known.looks.acquire(timeout=DEADLINE_S)


def ended(threads: list[threading.Thread]) -> bool:
    """Wait for threads to end, and return whether they did."""
    for thread in threads:
        thread.join(DEADLINE_S)
    return not any(thread.is_alive() for thread in threads)


def test_a_version_by_number_is_awaited(known: Registry, started: Any) -> None:
    """Until the version exists, the response is 503. After it is loaded, even at the second try, the waiting ends."""
    server, threads = started()
    wait_for_look(known)
    wait_for_look(known)
    assert health(server) == (503, health(server)[1])
    assert health(server)[1]["error"]["message"] == f"no version of models:/{NAME}/1 exists yet"
    known.failures = 1
    known.register(NAME, "1", SAFETENSORS)

    assert ended(threads)
    assert health(server) == (200, {"status": "ok", "version": "1"})
    assert known.attempts == ["1", "1"]


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
    assert [thread.is_alive() for thread in threads] == [True]
    known.register(TONE, "1", ADAPTER)

    assert ended(threads)
    assert server.loaded.engine.adapters == [f"support models:/{TONE}/1"]
    assert known.attempts == ["1"]


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """Return the engine to use for the base model of an adapter. It is removed from the list when it is loaded."""
    waiting = [Engine()]

    @contextmanager
    def base_files(_: Base) -> Generator[Path]:
        yield tmp_path

    monkeypatch.setattr(loaded, "base_files", base_files)
    monkeypatch.setattr(loaded, "check_memory", lambda *_: None)
    monkeypatch.setattr(loaded, "check_heads", lambda *_: None)
    monkeypatch.setattr(loaded, "MlxEngine", lambda *_: waiting.pop())
    return waiting


def load_adapter(known: Registry, accelerators: int = 0) -> loaded.Loaded:
    """Load an adapter with its base model, as a variant that serves the adapter does."""
    workload = record(ServerWorkload, {"applications": {}})
    generation = Generation(model="assistant", max_tokens=8, concurrency=2, accelerators=accelerators)
    model = record(Model, pinned(MODEL, TONE))
    return loaded.load(workload, model, known.register(TONE, "1", ADAPTER), generation)


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
