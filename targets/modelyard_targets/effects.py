"""Tables of how `pulumi up` applies resource changes: one `effects.json` for Kubernetes and each provider."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from modelyard.effects import Effects, read_effects

_HERE: Final = os.path.dirname(__file__)
_SHARED: Final = "kube"


@cache
def effects_of(provider: str) -> Effects:
    """Return a provider's tables along with the Kubernetes ones. Unknown providers only have the latter."""
    files = [os.path.join(_HERE, folder, "effects.json") for folder in dict.fromkeys((_SHARED, provider))]
    return read_effects(file for file in files if os.path.isfile(file))
