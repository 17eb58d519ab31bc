"""The tables of what `pulumi up` does with a resource that changes: `effects.json` of Kubernetes and of a provider."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from modelyard.effects import Effects, read_effects

_HERE: Final = os.path.dirname(__file__)
_SHARED: Final = "kube"


@cache
def effects_of(provider: str) -> Effects:
    """Return the tables of a provider, with those of all clusters. An unknown name has only the latter."""
    files = [os.path.join(_HERE, folder, "effects.json") for folder in dict.fromkeys((_SHARED, provider))]
    return read_effects(file for file in files if os.path.isfile(file))
