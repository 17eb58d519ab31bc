"""Run a command that ends when standard input does, so that it never outlives the calling process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Final

_PATIENCE_S: Final = 45.0


def main(arguments: list[str]) -> int:
    """Run a command, and return its exit code. On shutdown, all processes that it started end first."""
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL) as process:
        threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
        return process.wait()


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):  # Python aborts if it ends while a thread is reading sys.stdin
        continue
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
