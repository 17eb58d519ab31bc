"""Reads versions, aliases and metrics from the registry over MLflow's REST API.

The page is available before anything else has started, so this module avoids importing MLflow, which takes seconds.
https://mlflow.org/docs/latest/api_reference/rest-api.html, read 2026-11-28.
"""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

_TIMEOUT_S = 5
_NEWEST = 20
_GATE = "modelyard.gate"
_API = "/api/2.0/mlflow"


@dataclass(frozen=True, slots=True)
class Version:
    """A model version. `gate` is empty if no gate has evaluated it yet, and `created` is in milliseconds."""

    number: str
    created: int
    gate: str
    aliases: tuple[str, ...]
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered model, with its newest versions first."""

    name: str
    versions: tuple[Version, ...]


@dataclass(slots=True)
class Registry:
    """A read-only client for the registry."""

    uri: str
    _metrics: dict[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])

    def model(self, name: str) -> Registered:
        """Return a model, with no versions if it doesn't exist yet. Raises OSError if the registry doesn't respond."""
        response = self._get("/registered-models/get", {"name": name})
        if response is None:
            return Registered(name, ())
        aliases = _aliases(response.get("registered_model", {}))
        query = {"filter": f"name = '{name}'", "max_results": _NEWEST, "order_by": "version_number DESC"}
        listed = (self._get("/model-versions/search", query) or {}).get("model_versions", [])
        return Registered(name, tuple(self._version(entry, aliases) for entry in listed))

    def _version(self, entry: dict[str, Any], aliases: Mapping[str, tuple[str, ...]]) -> Version:
        number = str(entry.get("version", ""))
        tags = {tag.get("key"): str(tag.get("value", "")) for tag in entry.get("tags", [])}
        metrics = self._of_run(str(entry.get("run_id") or ""))
        created = int(entry.get("creation_timestamp") or 0)
        return Version(number, created, tags.get(_GATE, ""), aliases.get(number, ()), metrics)

    def _of_run(self, run: str) -> Mapping[str, float]:
        """Return a run's metrics, which are cached once the run has ended."""
        if not run or run in self._metrics:
            return self._metrics.get(run, {})
        content = (self._get("/runs/get", {"run_id": run}) or {}).get("run", {})
        listed = content.get("data", {}).get("metrics", [])
        metrics = {str(entry["key"]): float(entry["value"]) for entry in listed if "key" in entry and "value" in entry}
        if content.get("info", {}).get("status") == "FINISHED":
            self._metrics[run] = metrics
        return metrics

    def _get(self, path: str, query: Mapping[str, object]) -> dict[str, Any] | None:
        """Return a response, or None if the object does not exist."""
        if urlsplit(self.uri).scheme not in {"http", "https"}:
            raise OSError(f"{self.uri} is not read over HTTP")
        request = urllib.request.Request(f"{self.uri.rstrip('/')}{_API}{path}?{urlencode(query)}", headers=_login())
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                content = json.load(answer)
        except urllib.error.HTTPError as problem:
            if problem.code == http.client.NOT_FOUND:
                return None
            raise OSError(f"the registry answered {problem.code}") from None
        except (ValueError, http.client.HTTPException) as problem:
            raise OSError(f"the registry's answer cannot be read: {problem}") from None
        return content if isinstance(content, dict) else {}


def _aliases(model: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the aliases of each version."""
    aliases: dict[str, tuple[str, ...]] = {}
    for entry in model.get("aliases", []):
        number = str(entry.get("version", ""))
        aliases[number] = (*aliases.get(number, ()), str(entry.get("alias", "")))
    return aliases


def _login() -> dict[str, str]:
    """Return the login header for an adopted registry, using the same environment variables as MLflow."""
    token, user = os.environ.get("MLFLOW_TRACKING_TOKEN"), os.environ.get("MLFLOW_TRACKING_USERNAME")
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user:
        pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}
    return {}
