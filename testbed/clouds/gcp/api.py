"""One project's resources, which are stored in a file, and the errors of Google's APIs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.store import Store
from testbed.clouds.shared.values import Values

FOLDER = "MODELYARD_GCP_FOLDER"
"""The environment variable with the folder for the state of the cloud and the orders of tests."""

_PLACE = re.compile(r"\{(\w+)\}")
_HOST = re.compile(r"^https://[^/]+/(?:\w+/)?(?:v\d\w*/)?(?=projects/)")


class Api:
    """The API as seen from one project. `account` is the project and `region` its provider's default region."""

    def __init__(self, account: str, region: str, store: Store) -> None:
        self.account = account
        self.region = region
        self.store = store

    @classmethod
    def at(cls, folder: Path, account: str, region: str) -> Api:
        """Return the API of the cloud whose state is in this folder."""
        return cls(account, region, Store(folder / "store.json"))

    @property
    def project(self) -> Values:
        """Return the project's number and billing account."""
        project = self.store.get("project", self.account)
        if project is None:
            raise refused(404, f"The project '{self.account}' was not found or you lack permission to see it, notFound")
        return project

    @property
    def number(self) -> str:
        """Return the project's number."""
        return str(self.project["number"])

    def use(self, service: str) -> None:
        """Refuse a call to a service that is not enabled in this project.

        Wording: https://github.com/midl-dev/tezos-on-gke/issues/34, read 2026-11-27.
        """
        if service not in self.project["services"]:
            where = f"https://console.developers.google.com/apis/api/{service}/overview?project={self.number}"
            raise refused(
                403,
                f"{service} has not been used in project {self.number} before or it is disabled. Enable it by visiting"
                f" {where} then retry. If you enabled this API recently, wait a few minutes for the action to propagate"
                " to our systems and retry., accessNotConfigured",
            )

    def find(self, kind: str, identifier: str) -> Values | None:
        """Return a resource's properties as the cloud has them, or None."""
        stored = self.store.get(kind, identifier)
        return None if stored is None else merged(stored["declared"], stored["assigned"])

    def all(self, kind: str) -> dict[str, Values]:
        """Return the properties of all resources of a type by ID."""
        return {
            identifier: merged(stored["declared"], stored["assigned"])
            for identifier, stored in self.store.all(kind).items()
        }

    def serial(self) -> int:
        """Return a number that no other call of this cloud returns."""
        with self.store.open() as everything:
            counter = everything.setdefault("counter", {"": {"last": 4_000_000_000}})[""]
            counter["last"] += 1
            return int(counter["last"])

    def filled(self, template: str, values: Mapping[str, Any]) -> str:
        """Return a template such as `projects/{project}/secrets/{secretId}` with these properties."""
        usual = {"project": self.account, "region": self.region, "location": self.region}
        return _PLACE.sub(lambda place: str(values.get(place[1]) or usual[place[1]]), template)


def refused(code: int, message: str) -> Refused:
    """Return the error that Google's client library raises for a response with this status."""
    return Refused(f"googleapi: Error {code}", message)


def relative(link: str) -> str:
    """Return a link without its host, `https://www.googleapis.com/compute/v1/`, as names of resources have none."""
    return _HOST.sub("", link)


def merged(declared: Any, assigned: Any) -> Any:
    """Return declared properties together with those that the cloud assigned, at every depth."""
    if isinstance(declared, dict) and isinstance(assigned, dict):
        return {
            name: merged(declared[name], assigned[name])
            if name in declared and name in assigned
            else declared.get(name, assigned.get(name))
            for name in {**declared, **assigned}
        }
    return assigned


def at(values: Any, path: str) -> list[Any]:
    """Return all values at a path such as `nodeConfig.taints.key`, through lists."""
    reached: list[Any] = [values]
    for name in path.split("."):
        inner = [each for value in reached for each in (value if isinstance(value, list) else [value])]
        reached = [each[name] for each in inner if isinstance(each, dict) and each.get(name) is not None]
    return [each for value in reached for each in (value if isinstance(value, list) else [value])]
