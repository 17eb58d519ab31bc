"""Load the modules of some packages on first use instead of on import.

This is meant for diagnostics modules, which mostly consist of pages for `explain`. A valid spec doesn't need them, and
loading all of them would make `validate` take a tenth longer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Final

_PACKAGES: Final[list[str]] = []


class _WhenUsed(PathFinder):
    """Loads the modules in the given packages lazily, and leaves all other modules to Python."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(tuple(_PACKAGES)):
            return None
        spec = super().find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None and spec.submodule_search_locations is None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def load_when_used(package: str) -> None:
    """Defer loading a package's modules from import until one of their attributes is first used."""
    if not _PACKAGES:
        sys.meta_path.insert(0, _WhenUsed)
    _PACKAGES.append(f"{package}.")
