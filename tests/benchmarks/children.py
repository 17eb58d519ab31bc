"""Measure the memory and processor time of a separate process, as wall-clock time depends on other processes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass

_TELL = """
import json, re, resource, sys, time
def spent():
    both = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)
def tell(began, clock=spent):
    seconds = clock() - began
    try:
        kilobytes = int(re.search("VmHWM:\\s*([0-9]+) kB", open("/proc/self/status").read())[1])
    except OSError:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([seconds, kilobytes / 1024]))
"""
"""Prints the processor time and the memory.

Processor time includes that of child processes that have ended. With /proc, memory is the peak of this process only.
Without /proc, it is `ru_maxrss`, which survives exec and therefore starts at the parent's memory.
"""

_AS_INSTALLED = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""Lets Python write bytecode, as for an installed program. Otherwise, we would also measure the Python compiler."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time in seconds, and peak memory in MB."""

    seconds: float
    megabytes: float


def processor_time(*command: str) -> float:
    """Run a Python process and return its processor time in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=False, capture_output=True, env=_AS_INSTALLED)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def part(code: str, *arguments: str, python: str = sys.executable) -> Cost:
    """Return what a program costs between `began = spent()` and `tell(began)`.

    To measure wall-clock time, a program may pass its own clock to `tell`.
    """
    command = [python, "-c", _TELL + code, *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=_AS_INSTALLED)
    seconds, megabytes = json.loads(ended.stdout.splitlines()[-1])
    return Cost(seconds, megabytes)
