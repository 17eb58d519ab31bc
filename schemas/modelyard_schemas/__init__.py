"""The JSON Schemas of the spec and of the compiled workloads, versioned and shipped as files.

Standard library only, and little of it: `validate` imports this on every run.
"""

from __future__ import annotations

import json
import os

VERSION = "v1alpha1"

_HERE = os.path.dirname(__file__)


def text(name: str = "system", version: str = VERSION) -> str:
    """A schema as it is written: `system` (the spec) or `workload` (what the runtime reads)."""
    with open(os.path.join(_HERE, version, f"{name}.schema.json"), encoding="utf-8") as file:
        return file.read()


def load(name: str = "system", version: str = VERSION) -> dict[str, object]:
    """The same as a mapping, fresh on every call."""
    schema: dict[str, object] = json.loads(text(name, version))
    return schema
