"""A process that waits for a run to end and then kills any processes left behind.

The run holds the other end of this process's standard input, which the kernel closes if the run is killed.
"""

from __future__ import annotations

import sys

from modelyard_runtime.local.processes import sweep

if __name__ == "__main__":
    sys.stdin.buffer.read()
    sweep(sys.argv[1])
