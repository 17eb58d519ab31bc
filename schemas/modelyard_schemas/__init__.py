"""The JSON Schemas of the spec and of the compiled workloads, versioned and shipped as files.

This package imports little, and only the standard library, because `validate` imports it on every run.
"""

from __future__ import annotations

import json
import os

VERSION = "v1alpha1"

_HERE = os.path.dirname(__file__)


def text(name: str = "system", version: str = VERSION) -> str:
    """Return the text of a schema: `system` (the spec) or `workload` (the runtime's input)."""
    with open(os.path.join(_HERE, version, f"{name}.schema.json"), encoding="utf-8") as file:
        return file.read()


def decisive(name: str = "system", version: str = VERSION) -> str:
    """Return the text of a schema without `x-review`, which does not affect the compiled output.

    The lock stores the digest of this text, so a revised review rating of a field does not change the lock.
    """
    first, *others = text(name, version).split('"x-review": "')
    return first + "".join(other.partition('",')[2].lstrip() for other in others)


def load(name: str = "system", version: str = VERSION) -> dict[str, object]:
    """Return a schema as a new mapping."""
    schema: dict[str, object] = json.loads(text(name, version))
    return schema
