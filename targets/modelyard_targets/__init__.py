"""Map each provider's name to its target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Final

from modelyard.provider import Rule
from modelyard.spec import System
from modelyard.target import Target, Targets

_PROVIDERS: Final = {
    "aws": "modelyard_targets.aws",
    "gcp": "modelyard_targets.gcp",
    "azure": "modelyard_targets.azure",
    "local": "modelyard_targets.local",
    "kubernetes": "modelyard_targets.kubernetes",
}
"""The package that defines each provider's `TARGET`."""


class _Targets(Targets):
    """Imports a provider's modules on first use, since a spec only names one or two providers."""

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

    def rules(self, system: System) -> Iterable[Rule]:
        providers = {target.provider for target in system.deployment.targets}
        providers |= {provider for provider, mentions in _MENTIONS.items() if mentions(system)}
        return (rule for provider in sorted(providers) for rule in self[provider].rules)


def _mentions_aws(system: System) -> bool:
    """Return whether any target uses an AWS-only feature, i.e. a KMS key or Secrets Manager."""
    vias = (store.via for target in system.deployment.targets for store in target.secret_stores)
    return "secrets-manager" in vias or any(store.encryption_key for store in system.stores.values())


_MENTIONS: Final[dict[str, Callable[[System], bool]]] = {"aws": _mentions_aws}
"""For each listed provider, a function that returns whether a system uses the provider's features on any target. If it
does, the provider's rules apply.
"""


def _target(provider: str) -> Target:
    target: Target = import_module(_PROVIDERS[provider]).TARGET
    return target


TARGETS: Final[Targets] = _Targets()


def pulumi_version() -> str:
    """Return the version of Pulumi that compiled programs install."""
    from modelyard_targets.kube.image.packages import packages  # few commands need it

    return packages("programs")["pulumi"]["version"]
