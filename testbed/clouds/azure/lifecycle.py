"""How Azure's provider differs: response lists become maps by ID, and old resources are usually deleted first."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testbed.clouds.azure.api import Api
from testbed.clouds.azure.arm import RESOURCES
from testbed.clouds.azure.table import KINDS
from testbed.clouds.shared.described import DescribedLifecycle
from testbed.clouds.shared.lifecycle import plain
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stand_in import StandIn
from testbed.clouds.shared.stored import at, put_at
from testbed.clouds.shared.values import Values


class AzureLifecycle(DescribedLifecycle[Api]):
    """The provider of one subscription."""

    def __init__(self, stand_in: StandIn[Api], folder: Path) -> None:
        super().__init__(stand_in, KINDS, folder)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Apply the provider's settings."""
        subscription = str(settings.get("subscriptionId") or "")
        if not subscription:
            raise Refused("InvalidConfig", "a subscription is not configured")
        self._account = Api.at(self._folder, subscription, str(settings.get("location") or ""))
        tenant = settings.get("tenantId")
        if tenant and tenant != self._account.tenant:
            raise Refused("InvalidConfig", f"the login belongs to tenant {self._account.tenant}, and not to {tenant}")

    def check(self, kind: str, name: str, olds: Values, news: Values, seed: bytes) -> tuple[Values, list[str]]:
        """Return the inputs with a name and, by default, the provider's location."""
        inputs, failures = super().check(kind, name, olds, news, seed)
        if not failures and "location" in KINDS[kind].fixed:
            inputs.setdefault("location", self.api("").region)
        return inputs, failures

    def deletes_first(self, kind: str, names: list[str], news: Values) -> bool:
        """Return whether to delete the old resource before creating the new one.

        This is always done unless the name is random: pulumi-azure-native, Diff, read 2026-11-27.
        """
        naming = KINDS[kind].naming
        return naming is None or naming.name not in news.get("__defaults", ())

    def promised(self, kind: str, inputs: Values) -> Values:
        """Return the properties a preview can predict, in the API's response format."""
        values = copy.deepcopy(plain(inputs))
        for path in RESOURCES[kind].keyed:
            if at(values, path):
                put_at(values, path, RESOURCES[kind].reshaped(path, _keys(values, path)))
        return values


def _keys(values: Values, path: str) -> list[str]:
    """Return the IDs at a path. They are either a list or the keys of an object."""
    *parents, last = path.split(".")
    for parent in parents:
        values = values[parent]
    return list(values[last])
