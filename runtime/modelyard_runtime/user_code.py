"""Loads user code by name, such as `package.module:function`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from modelyard_runtime.refusals import Refusal


def entrypoint(name: str) -> Callable[[Any], Any]:
    """Return the function to which an entrypoint in the spec refers."""
    module, _, function = name.partition(":")
    try:
        attribute = getattr(import_module(module), function, None)
    except ImportError as problem:
        raise Refusal(f"entrypoint {name} cannot be imported from this image: {problem}") from problem
    if not callable(attribute):
        raise Refusal(f"entrypoint {name}: module {module} has no function {function}")
    loaded: Callable[[Any], Any] = attribute
    return loaded
