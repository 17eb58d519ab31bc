"""What a process of its own costs: processor time rather than the clock, since machines are shared, and memory."""

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
"""Where there is a /proc, the process's own high-water mark: `ru_maxrss` outlives exec, and so begins at what the
process that started this one had at that moment.
"""

_AS_INSTALLED = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""An installed program has its bytecode beside it; one that compiles its own sources measures the Python compiler."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time, and the largest memory in MB."""

    seconds: float
    megabytes: float


def whole(*command: str) -> float:
    """Processor time of a whole process from its start to its end, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=False, capture_output=True, env=_AS_INSTALLED)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def part(code: str, *arguments: str, python: str = sys.executable) -> Cost:
    """What the part of a program costs that begins with `began = time.process_time()` and ends with `tell(began)`."""
    command = [python, "-c", _TELL + code, *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=_AS_INSTALLED)
    seconds, megabytes = json.loads(ended.stdout.splitlines()[-1])
    return Cost(seconds, megabytes)
