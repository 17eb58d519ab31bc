"""Load the modules of some packages on first use instead of on import.

This is for modules with diagnostics, which consist mostly of pages for `explain`. A valid spec does not need them, and
loading all of them would add a tenth to the time that `validate` takes.
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
    """Load a package's modules when one of their attributes is first used instead of on import."""
    if not _PACKAGES:
        sys.meta_path.insert(0, _WhenUsed)
    _PACKAGES.append(f"{package}.")
