"""Runs a resource's lifecycle (check, diff, create, read, update, delete) according to its type's record."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic

from testbed.clouds.shared.orders import Order, Orders
from testbed.clouds.shared.record import CloudApi, Record
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stand_in import StandIn
from testbed.clouds.shared.store import Store
from testbed.clouds.shared.values import UNKNOWN, Values, is_unknown, same


class Unfinished(Exception):
    """Raised if a call failed even though the cloud created or updated the resource."""

    def __init__(self, message: str, resource_id: str, state: Values, inputs: Values) -> None:
        super().__init__(message)
        self.id = resource_id
        self.state = state
        self.inputs = inputs


class Lifecycle(Generic[CloudApi]):
    """The provider for one account, with one API per region.

    Clouds whose resources have no common region or tags override the methods that handle these.
    """

    silent: ClassVar[frozenset[str]] = frozenset({"__defaults", "region", "tags", "tagsAll", "timeouts"})
    """Inputs that are not compared one by one when a resource changes."""

    def __init__(self, stand_in: StandIn[CloudApi], folder: Path) -> None:
        self._stand_in = stand_in
        self._records = stand_in.records
        self._orders = Orders(folder)
        self._surprises = Store(folder / "surprises.json")
        self._region = ""
        self._tags: dict[str, str] = {}
        self._apis: dict[str, CloudApi] = {}

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Apply the provider's settings, whose nested values are JSON. Raises Refused if they exclude this account."""
        self._region = str(settings.get("region") or os.environ.get(self._stand_in.region_variable, ""))
        if not self._region:
            raise Refused("InvalidClientConfig", f"missing {self._stand_in.name} region configuration")
        tags = settings.get("defaultTags")
        self._tags = (json.loads(tags) if isinstance(tags, str) else tags or {}).get("tags", {})
        allowed = settings.get("allowedAccountIds")
        accounts = json.loads(allowed) if isinstance(allowed, str) else allowed
        account = self.api("").account
        if accounts and account not in accounts:
            raise Refused("InvalidClientConfig", f"{self._stand_in.name} account ID not allowed: {account}")

    def api(self, region: str) -> CloudApi:
        """Return the API of a region. An empty name means the provider's own region."""
        name = region or self._region
        if name not in self._apis:
            self._apis[name] = self._stand_in.connect(name)
        return self._apis[name]

    def check(self, kind: str, name: str, olds: Values, news: Values, seed: bytes) -> tuple[Values, list[str]]:
        """Return the inputs with defaults and a name, and any reasons for rejecting them."""
        if kind not in self._records:
            return news, [f"the stand-in for {self._stand_in.name} does not know the type {kind}"]
        record = self._records[kind]
        inputs = {**dict(record.defaults), **news}
        naming = record.naming
        if naming and naming.name not in inputs:
            random = hashlib.sha256(seed).hexdigest()
            inputs[naming.name] = olds.get(naming.name) or naming.physical_name(name, random, inputs)
            inputs["__defaults"] = [naming.name]
        return inputs, []

    def diff(self, kind: str, inputs: Values, olds: Values, news: Values) -> tuple[list[str], list[str], bool]:
        """Return the changed properties, those requiring replacement, and whether to delete the old one first."""
        record = self._records[kind]
        changed = [
            name for name in sorted({*inputs, *news} - self.silent) if not same(inputs.get(name), news.get(name))
        ]
        if record.tag and "tagsAll" in olds and olds["tagsAll"] != self._merged(news):
            changed += ["tags", "tagsAll"]
        if olds.get("region") not in (None, news.get("region") or self._region):
            return [*changed, "region"], ["region"], False
        replaced = [name for name in changed if record.replaces(name)]
        naming = record.naming
        own_name = naming is not None and naming.name not in news.get("__defaults", ()) and naming.name not in changed
        return changed, replaced, bool(replaced) and own_name

    def promised(self, kind: str, inputs: Values) -> Values:
        """Return the properties a preview can predict for a resource that doesn't exist yet."""
        return {**plain(inputs), "region": inputs.get("region") or self._region, "tagsAll": self._merged(inputs)}

    def previewed(self, kind: str, inputs: Values) -> Values:
        """Return the properties shown in a preview for a resource that doesn't exist yet."""
        return self.promised(kind, inputs)

    def promised_update(self, kind: str, olds: Values, news: Values) -> Values:
        """Return the properties a preview can predict for a resource that will change."""
        restless = dict.fromkeys(self._records[kind].restless, UNKNOWN)
        return {**olds, **self.promised(kind, news), **restless}

    def create(self, kind: str, inputs: Values) -> tuple[str, Values]:
        """Create the resource and return its ID and properties."""
        record, api, promised = self._records[kind], self._for(inputs), self.promised(kind, inputs)
        orders = self._begin("create", kind)
        self._obey(record, api, promised)
        resource_id = record.create(api, promised)
        state = self._state(kind, api, resource_id, promised, inputs)
        if trouble := self._orders.obey(orders, after=True):
            raise Unfinished(trouble, resource_id, state, inputs)
        return resource_id, state

    def read(self, kind: str, resource_id: str, olds: Values, inputs: Values) -> tuple[Values, Values] | None:
        """Return the current properties and matching inputs, or None if the resource no longer exists."""
        record, api = self._records[kind], self._for(olds)
        self._begin("read", kind)
        try:
            current = record.read(api, resource_id, olds)
        except Refused as refused:
            if refused.missing:
                return None
            raise
        if current is None:
            return None
        if "tagsAll" in current:
            own = {key: value for key, value in current["tagsAll"].items() if self._tags.get(key) != value}
            current["tags"] = own or (inputs.get("tags") and {})
        state = {**olds, **{name: _stable(olds.get(name), value) for name, value in current.items()}}
        return state, {
            name: _narrowed(value, current[name]) if name in current else value for name, value in inputs.items()
        }

    def update(self, kind: str, resource_id: str, olds: Values, news: Values) -> Values:
        """Update the resource and return its new properties."""
        record, api, promised = self._records[kind], self._for(news), self.promised(kind, news)
        orders = self._begin("update", kind)
        self._obey(record, api, promised)
        if record.update:
            record.update(api, resource_id, olds, promised)
        before, after = olds.get("tagsAll") or {}, promised.get("tagsAll") or {}
        if record.tag and before != after:
            record.tag(api, resource_id, promised, after, [key for key in before if key not in after])
        state = self._state(kind, api, resource_id, {**olds, **promised}, news)
        if trouble := self._orders.obey(orders, after=True):
            raise Unfinished(trouble, resource_id, state, news)
        return state

    def delete(self, kind: str, resource_id: str, olds: Values) -> None:
        """Delete the resource. If it does not exist, this is not an error."""
        record, api = self._records[kind], self._for(olds)
        orders = self._begin("delete", kind)
        for rule in record.on_delete:
            if reason := rule(api, {**olds, "id": resource_id}):
                raise Refused("DependencyViolation", reason)
        try:
            record.delete(api, resource_id, olds)
        except Refused as refused:
            if not refused.missing:
                raise
        if trouble := self._orders.obey(orders, after=True):
            raise Refused("InternalFailure", trouble)

    def _begin(self, verb: str, kind: str) -> list[Order]:
        orders = self._orders.begin(verb, kind)
        if trouble := self._orders.obey(orders, after=False):
            raise Refused("InternalFailure", trouble)
        return orders

    def _obey(self, record: Record[CloudApi], api: CloudApi, values: Values) -> None:
        if unknown := [name for name, value in values.items() if is_unknown(value)]:
            raise Refused("ValidationException", f"not known at the time of the call: {', '.join(unknown)}")
        for rule in record.rules:
            if reason := rule(api, values):
                raise Refused("ValidationException", reason)

    def _state(self, kind: str, api: CloudApi, resource_id: str, values: Values, inputs: Values) -> Values:
        """Return the properties after a change.

        Those that didn't come back as they were set are recorded for the test.
        """
        record = self._records[kind]
        current = record.read(api, resource_id, values)
        if current is None:
            raise Refused("NotFound", f"{kind} {resource_id} is not there after it was made")
        state = {**values, **{name: _stable(values.get(name), value) for name, value in current.items()}}
        for name in sorted({*inputs} - self.silent - record.steering):
            if name not in current or not same(_narrowed(values[name], current[name]), values[name]):
                self._surprises.put(kind, f"{resource_id} {name}", {"told": values[name], "says": current.get(name)})
        return state

    def _for(self, values: Mapping[str, Any]) -> CloudApi:
        return self.api(str(values.get("region") or ""))

    def _merged(self, values: Mapping[str, Any]) -> dict[str, str]:
        tags: dict[str, str] = {**self._tags, **(values.get("tags") or {})}
        return tags


def plain(inputs: Values) -> Values:
    """Return inputs without `__defaults`, where the provider records the names it generated."""
    return {name: value for name, value in inputs.items() if name != "__defaults"}


def _stable(before: Any, now: Any) -> Any:
    """Return the earlier value if both are equivalent, or the new one otherwise."""
    return before if before is not None and same(before, now) else now


def _narrowed(declared: Any, seen: Any) -> Any:
    """Reduce a value from the cloud to the declared fields, since the cloud adds others."""
    if isinstance(declared, dict) and isinstance(seen, dict):
        return {name: _narrowed(value, seen[name]) for name, value in declared.items() if name in seen}
    if isinstance(declared, list) and isinstance(seen, dict) and all(isinstance(each, str) for each in declared):
        # IDs that the API returns as the keys of an object
        return _stable(declared, list(seen))
    lists = isinstance(declared, list) and isinstance(seen, list) and len(declared) == len(seen)
    if lists and all(isinstance(each, dict) for each in (*declared, *seen)):
        return [_narrowed(left, right) for left, right in zip(declared, seen, strict=True)]
    return _stable(declared, seen)
