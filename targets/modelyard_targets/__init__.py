"""The targets by the name of their provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.target import Target, Targets

_PROVIDERS: Final = ("aws", "gcp", "azure", "local", "kubernetes")


class _Targets(Targets):
    """A provider's modules are imported when it is first asked for: a spec names one or two."""

    def __init__(self) -> None:
        self._known: dict[str, Target] = {}

    def __getitem__(self, provider: str) -> Target:
        if provider not in self._known and provider in _PROVIDERS:
            self._known[provider] = _target(provider)
        return self._known[provider]

    def __iter__(self) -> Iterator[str]:
        return iter(_PROVIDERS)

    def __len__(self) -> int:
        return len(_PROVIDERS)

    def not_made_yet(self, provider: str) -> str | None:
        from modelyard_targets.later import REASONS

        return REASONS.get(provider)


def _target(provider: str) -> Target:
    if provider == "kubernetes":
        from modelyard_targets import kubernetes

        return kubernetes.TARGET
    if provider == "aws":
        from modelyard_targets import aws

        return aws.TARGET
    from modelyard_targets.later import later

    return later(provider)


TARGETS: Final[Targets] = _Targets()
