"""One YAML spec for a whole ML system, compiled into Pulumi projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelyard.api import Compiled, compile_text
    from modelyard.diagnostics import Diagnostic

__version__ = "0.1.0"
__all__ = ["Compiled", "Diagnostic", "__version__", "compile_text"]


def __getattr__(name: str) -> object:
    """Import public names lazily, so that reading only the version imports nothing else."""
    from importlib import import_module

    if name in {"Compiled", "compile_text"}:
        return getattr(import_module("modelyard.api"), name)
    if name == "Diagnostic":
        return getattr(import_module("modelyard.diagnostics"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
