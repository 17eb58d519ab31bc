"""The cost of a separate process: processor time, because machines are shared, and memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass

_TELL = """
import json, re, resource, sys, time
def tell(began):
    spent = time.process_time() - began
    try:
        kilobytes = int(re.search("VmHWM:\\s*([0-9]+) kB", open("/proc/self/status").read())[1])
    except OSError:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([spent, kilobytes / 1024]))
"""
"""With a /proc, the process's own high-water mark: `ru_maxrss` survives exec, so it starts at the parent process's
memory at that moment.
"""

_AS_INSTALLED = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""An installed program has its bytecode beside it; one that compiles its own sources measures the Python compiler."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time in seconds, and peak memory in MB."""

    seconds: float
    megabytes: float


def whole(*command: str) -> float:
    """Return the processor time of a whole process in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=False, capture_output=True, env=_AS_INSTALLED)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def part(code: str, *arguments: str, python: str = sys.executable) -> Cost:
    """Return the cost of a program from `began = time.process_time()` to `tell(began)`."""
    command = [python, "-c", _TELL + code, *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=_AS_INSTALLED)
    seconds, megabytes = json.loads(ended.stdout.splitlines()[-1])
    return Cost(seconds, megabytes)
