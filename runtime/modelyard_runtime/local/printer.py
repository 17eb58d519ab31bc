"""Prints one line for each step of a run, with the address of its workload."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

_WIDTH = 28


@dataclass(slots=True)
class Printer:
    """Prints lines from several threads."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, address: str, text: str) -> None:
        """Print a line for a workload, replacing line breaks and control characters in untrusted text."""
        clean = "".join(character if character.isprintable() else " " for character in text)
        with self._lock, suppress(OSError, ValueError):  # the process that read the output may have ended
            self.stream.write(f"{address:{_WIDTH}} {clean}\n")
            self.stream.flush()
