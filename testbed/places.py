"""Paths of this repository, the user's cache folder, and the binaries and sources of the real programs."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def cache() -> Path:
    """Return the folder kept between runs, i.e. $MODELYARD_CACHE or `modelyard` in the user's cache folder."""
    override = os.environ.get("MODELYARD_CACHE")
    if override:
        return Path(override)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelyard"


def binaries() -> Path:
    """Return the folder with the built programs."""
    return cache() / "testbed" / "bin"


def sources() -> Path:
    """Return the folder with the small Go module of each part."""
    return cache() / "testbed" / "src"


def binary(name: str) -> Path:
    """Return the path of a program, which may not have been built yet."""
    return binaries() / name
