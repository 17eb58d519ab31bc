"""Queries the registry and endpoints on behalf of the page without noticeably delaying it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelyard_runtime.local.calling import Endpoint
from modelyard_runtime.local.page.registered import Registered, Registry
from modelyard_runtime.local.page.signature import Signature, models_signature, signature_of
from modelyard_runtime.local.plan import LocalPlan
from modelyard_runtime.local.state import READY, State

_FRESH_S = 2.0
_PATIENCE_S = 1.5
_NOT_YET = "the registry has not started yet"


@dataclass(slots=True)
class Watch:
    """Caches responses and refreshes them in a thread while the page is open, so that the page never waits."""

    plan: LocalPlan
    compiled: Path
    state: State
    models: tuple[Registered, ...] = ()
    signatures: Mapping[str, Signature | str] = field(default_factory=dict[str, Signature | str])
    problem: str = _NOT_YET
    contents: tuple[dict[str, Any], ...] = ()
    _registry: Registry = field(default_factory=lambda: Registry(""))
    _renewing: threading.Thread | None = None
    _renewed: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Read the descriptions, which do not change while the system runs."""
        self.contents = tuple(_read(self.compiled / path) for path in self.plan.descriptions)

    def look(self) -> None:
        """Refresh responses older than two seconds, waiting only briefly so that users don't notice a delay."""
        with self._lock:
            idle = self._renewing is None or not self._renewing.is_alive()
            if idle and (not self._renewed or time.monotonic() - self._renewed > _FRESH_S):
                self._renewing = threading.Thread(target=self._renew, daemon=True)
                self._renewing.start()
            renewing = self._renewing
        if renewing is not None:
            renewing.join(_PATIENCE_S)

    def endpoint(self, name: str) -> Endpoint | None:
        """Return an endpoint client, or None if the servers aren't running yet."""
        port, entry = self.state.addresses().get("endpoints"), self.plan.endpoints[name]
        if not isinstance(port, int) or not (self.state.folder / READY).exists():
            return None
        return Endpoint.of(name, entry.path, port, entry.callers, self.state)

    def _renew(self) -> None:
        try:
            self._renew_models()
            self.signatures = dict(self._signatures())
        finally:
            self._renewed = time.monotonic()

    def _renew_models(self) -> None:
        uri = str(self.state.addresses().get("registry", ""))
        if not uri:
            self.problem = _NOT_YET
            return
        if uri != self._registry.uri:
            self._registry = Registry(uri)
        try:
            self.models = tuple(self._registry.model(name) for name in registered_names(self.contents))
            self.problem = ""
        except OSError as problem:
            self.problem = f"the registry cannot be read: {problem}"

    def _signatures(self) -> Iterator[tuple[str, Signature | str]]:
        for name, entry in self.plan.endpoints.items():
            endpoint = self.endpoint(name)
            if endpoint is None:
                yield name, "the servers have not started yet"
            else:
                generates = entry.generates_text
                yield name, models_signature(endpoint) if generates else signature_of(endpoint, entry.models)


def registered_names(contents: tuple[dict[str, Any], ...]) -> tuple[str, ...]:
    """Return the registry names of all models in the descriptions."""
    return tuple(dict.fromkeys(name for content in contents for name in _registered_names(content)))


def _registered_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("registeredName"), str):
            yield value["registeredName"]
        for entry in value.values():
            yield from _registered_names(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _registered_names(entry)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the run itself refuses such a folder
    return content if isinstance(content, dict) else {}
