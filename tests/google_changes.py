"""Changes to a Google Cloud system that tests preview with Pulumi's engine, and their `diff --preview` reports."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.examples import SYSTEMS

_BEFORE: Final = {"  region: europe-west4\n": '  region: europe-west4\n  version: "1.35"\n'}
CHANGES: Final = {
    "numbers of replicas and workers": {"    compute: small\n": "    compute: small\n    replicas: {min: 3, max: 6}\n"},
    "machines: `accelerators`, `cpu`, `memory`, `capacity` of a class": {'["L4:1", "A100:1"]': '["L4:1"]'},
    "`retention`, `versioned`, `objectLock` of a bucket; `budget`, permissions of workloads": {
        "lake: {type: object}": "lake: {type: object, retention: 60d}",
        "retain: 7y": "retain: 8y",
    },
    "`size` of a database": {"runs: {type: database}": "runs: {type: database, size: 40Gi}"},
    "`version` of Kubernetes": {value: key for key, value in _BEFORE.items()},
}
"""Edits to the system's spec, by the row in the README's table of changes that describes them."""

PREVIEW: Final = Path(__file__).resolve().parent / "compiler" / "cli" / "previews" / "leads-on-google.json"
"""What the engine's preview wrote about the changed system, after manual changes to its resources.

`pytest --accept tests/real/test_gcp_changes.py` refreshes it.
"""

NO_WORKLOADS: Final = "R527 note: no preview was given for leads-main-workloads"
_BEYOND: Final = "which this change does not explain"
UNAPPLIED: Final = [
    "R524 review: the preview of leads-main-infrastructure changes buckets audit and lake, database runs, the cluster "
    f"and node pools small-e2-standard-2-on-demand and system, {_BEYOND}",
    "R524 review: the preview of leads-main-infrastructure destroys node pools gpu-a2-highgpu-1g-on-demand and "
    f"gpu-a2-highgpu-1g-spot, {_BEYOND}",
]
DRIFT: Final = (
    "R524 review: the preview of leads-main-infrastructure changes node pool small-e2-standard-2-on-demand, "
    f"identity registry and the log storage, {_BEYOND}"
)


def edited(text: str, edits: dict[str, str]) -> str:
    """Return a text with several strings replaced, all of which must occur in the text."""
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def changed_text(text: str) -> str:
    """Return the system's spec with all changes that the README documents as possible."""
    for edits in CHANGES.values():
        text = edited(text, edits)
    return text


def original_text() -> str:
    """Return the system's spec with the previous minor version of Kubernetes, which tests then upgrade."""
    return edited((SYSTEMS / "leads-on-google" / "system.yaml").read_text(), _BEFORE)
