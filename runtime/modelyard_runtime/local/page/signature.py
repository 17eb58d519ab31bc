"""An endpoint's declared inputs, and the conversion of form fields to a row."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from modelyard_runtime.local.calling import Endpoint
from modelyard_runtime.local.chatting import message_in, models_of

_TURNS = 3  # variants may serve different models, and each request reaches one of them


@dataclass(frozen=True, slots=True)
class Input:
    """An input with its Open Inference Protocol type, such as FP64."""

    name: str
    datatype: str

    @property
    def kind(self) -> str:
        """Return the name that a spec uses for the type."""
        if self.datatype.startswith("FP"):
            return "number"
        if self.datatype.startswith(("INT", "UINT")):
            return "integer"
        return "boolean" if self.datatype == "BOOL" else "string"


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs of the served version, if the model declares any. Language models have names instead."""

    version: str
    inputs: tuple[Input, ...]
    models: tuple[str, ...] = ()


def signature_of(endpoint: Endpoint, models: Iterable[str]) -> Signature | str:
    """Request an endpoint's inputs, returning the error message if the response doesn't contain them."""
    words = ""
    for name in [*models] * _TURNS:
        status, text = endpoint.get(f"/v2/models/{name}")
        if status == http.client.OK:
            return _signature(text)
        words = words_of(text)
        if status != http.client.NOT_FOUND:
            break
    return words


def models_signature(endpoint: Endpoint) -> Signature | str:
    """Request the names of a language model and its adapters, returning the error message if there is no list."""
    names, problem = models_of(endpoint)
    _, health = endpoint.is_ready()
    try:
        return problem or Signature(str(json.loads(health)["version"]), (), names)
    except (ValueError, LookupError, TypeError):
        return message_in(health)


def words_of(text: str) -> str:
    """Return the error message in a response, or the whole response if it doesn't contain one."""
    try:
        content = json.loads(text)
    except ValueError:
        return text
    return str(content["error"]) if isinstance(content, dict) and "error" in content else text


def row_of(signature: Signature, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return a row. Empty fields are omitted and invalid text is sent as entered, so that the endpoint refuses both."""
    return {
        entry.name: _value(entry.kind, fields[entry.name])
        for entry in signature.inputs
        if fields.get(entry.name, "").strip()
    }


def _signature(text: str) -> Signature | str:
    try:
        content = json.loads(text)
        inputs = tuple(Input(str(entry["name"]), str(entry["datatype"])) for entry in content["inputs"])
        return Signature(str(content["versions"][0]), inputs)
    except (ValueError, LookupError, TypeError):
        return "the endpoint does not describe its inputs"


def _value(kind: str, typed: str) -> Any:
    if kind == "boolean" and typed in {"true", "false"}:
        return typed == "true"
    if kind not in {"integer", "number"}:
        return typed
    try:
        number = int(typed) if kind == "integer" else float(typed)
    except ValueError:
        return typed
    return number if isfinite(number) else typed
