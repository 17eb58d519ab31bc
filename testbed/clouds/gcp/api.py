"""One project's resources, stored in a file, and the errors returned by Google's APIs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.store import Store
from testbed.clouds.shared.stored import StoredApi, at
from testbed.clouds.shared.values import Values

__all__ = ["FOLDER", "Api", "at", "refused", "relative"]

FOLDER = "MODELYARD_GCP_FOLDER"
"""The environment variable with the folder for the cloud's state and for orders from tests."""

_PLACE = re.compile(r"\{(\w+)\}")
_HOST = re.compile(r"^https://[^/]+/(?:\w+/)?(?:v\d\w*/)?(?=projects/)")


class Api(StoredApi):
    """The API as seen by one project. `account` is the project, and `region` the provider's default region."""

    @classmethod
    def at(cls, folder: Path, account: str, region: str) -> Api:
        """Return the API of the cloud whose state is in the given folder."""
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
        """Reject calls to services that aren't enabled in this project.

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

    def filled(self, template: str, values: Mapping[str, Any]) -> str:
        """Fill a template such as `projects/{project}/secrets/{secretId}` with the given properties."""
        usual = {"project": self.account, "region": self.region, "location": self.region}
        return _PLACE.sub(lambda place: str(values.get(place[1]) or usual[place[1]]), template)


def refused(code: int, message: str) -> Refused:
    """Return the error raised by Google's client library for a response with the given status."""
    return Refused(f"googleapi: Error {code}", message)


def relative(link: str) -> str:
    """Return a link without its host (`https://www.googleapis.com/compute/v1/`), as resource names have none."""
    return _HOST.sub("", link)
