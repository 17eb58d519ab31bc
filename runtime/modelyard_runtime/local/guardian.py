"""A process that waits for the end of a run, and then kills what the run has left behind.

The run holds the other end of this process's standard input. If the run is killed, the kernel closes it.
"""

from __future__ import annotations

import sys

from modelyard_runtime.local.processes import sweep

if __name__ == "__main__":
    sys.stdin.buffer.read()
    sweep(sys.argv[1])
