"""Diagnostics about machines that AWS cannot provide."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def disk_beyond_volumes(span: Span, compute: str, needed_gib: int) -> Diagnostic:
    """A machine would need a larger disk than EBS offers: gp3 volumes have at most 64 TiB.

    A machine's disk must fit the images and the `disk` of each Pod that fits on the machine. Machines with large enough
    local disks use those instead.

    Wrong:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 100Ti}}

    Right:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 1Ti}}
    """
    return Diagnostic(
        "AWS-E023",
        Severity.ERROR,
        f"a machine for compute class {quote(compute)} would need a disk of {needed_gib // 1024}Ti, but EBS allows only"
        " 64Ti",
        span,
        "check the unit, or request a smaller disk",
    )
