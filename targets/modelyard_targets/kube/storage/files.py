"""The driver for files on this machine, which stores each bucket as a folder."""

from __future__ import annotations

from typing import Final

from modelyard.stack import Value
from modelyard_targets.kube.storage.driver import Driver, Opening


def _nothing(opening: Opening) -> list[Value]:
    """Return no variables, since the user running the system can already read its files."""
    return []


FILES: Final = Driver("file", 0, (), client=_nothing, server=_nothing, maker=_nothing)
"""`file://BUCKET/PATH`: a path in a bucket's folder. `modelyard run` chooses the location of these folders, because
compiling does not read the disk and has the same output on every machine.
"""
