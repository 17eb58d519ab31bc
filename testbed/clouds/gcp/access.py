"""A project's services, service accounts and keys, and the members of their policies."""

from __future__ import annotations

import re

from testbed.clouds.gcp import members
from testbed.clouds.gcp.api import Api, refused
from testbed.clouds.gcp.kinds import Kind, default_naming
from testbed.clouds.shared.values import Values

SERVICE = "gcp:projects/service:Service"
RING = "gcp:kms/keyRing:KeyRing"

_KMS = "cloudkms.googleapis.com"
_USAGE = "serviceusage.googleapis.com"
_ACCOUNT = re.compile(r"[a-z][-a-z0-9]{4,28}[a-z0-9]")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,63}")


def _enable(api: Api, identifier: str) -> None:
    """Enable or disable a service. Compute Engine's service agent is created along with its service."""
    service = identifier.partition("/")[2]
    enabled = api.find(SERVICE, identifier) is not None
    with api.store.open() as everything:
        project = everything["project"][api.account]
        others = [each for each in project["services"] if each != service]
        project["services"] = sorted([*others, service]) if enabled else others
    if enabled and service == "compute.googleapis.com":
        members.create_agent(api, "compute")


def _identity(api: Api, values: Values, before: Values) -> Values:
    address = members.create_agent(api, str(values["service"]).partition(".")[0])
    return {"email": address, "member": f"serviceAccount:{address}"}


def _account(api: Api, values: Values, before: Values) -> Values:
    email = f"{values['accountId']}@{api.account}.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{api.account}/serviceAccounts/{email}",
        "uniqueId": before.get("uniqueId") or str(api.serial()),
    }


def _account_id(api: Api, values: Values) -> None:
    """Reject an invalid account ID. Source: iam.v1, CreateServiceAccountRequest, accountId, read 2026-11-27."""
    if not _ACCOUNT.fullmatch(str(values.get("accountId", ""))):
        raise refused(
            400,
            "The account ID must be 6-30 characters long, start with a lower case letter and contain only lower case"
            " alphanumerical characters and '-'., badRequest",
        )


def _key_name(api: Api, values: Values) -> None:
    """Reject an invalid key name. Source: cloudkms.v1, keyRings.create, keyRingId, read 2026-11-27."""
    if not _NAME.fullmatch(str(values["name"])):
        raise refused(400, f"The name {values['name']} does not match {_NAME.pattern}., badRequest")


def _key(api: Api, values: Values, before: Values) -> Values:
    version = f"{values['keyRing']}/cryptoKeys/{values['name']}/cryptoKeyVersions/1"
    return {"primaries": [{"name": version, "state": "ENABLED"}]}


def _destroy_versions(api: Api, identifier: str, values: Values) -> None:
    """Destroy all versions of a key, which can't be deleted itself: pulumi-gcp 10.2, kms.CryptoKey, 2026-11-27."""
    with api.store.open() as everything:
        everything[members.KEY][identifier]["assigned"]["destroyed"] = True


KINDS = {
    SERVICE: Kind(
        "{project}/{service}",
        _USAGE,
        fixed=frozenset({"service", "project"}),
        client=frozenset({"disableOnDestroy", "disableDependentServices"}),
        stays=lambda values: values.get("disableOnDestroy") is False,
        shared=True,
        after=_enable,
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": Kind(
        "projects/{project}/services/{service}",
        _USAGE,
        fixed=frozenset({"service", "project"}),
        assign=_identity,
        stays=lambda values: True,
        shared=True,
    ),
    "gcp:projects/iAMMember:IAMMember": Kind(
        "{project}/{role}/{member}",
        "cloudresourcemanager.googleapis.com",
        fixed=frozenset({"project", "role", "member", "condition"}),
        rules=(members.exists,),
        shared=True,
    ),
    members.ACCOUNT: Kind(
        "projects/{project}/serviceAccounts/{email}",
        "iam.googleapis.com",
        fixed=frozenset({"accountId", "project"}),
        assign=_account,
        rules=(_account_id,),
        exists="Service account {} already exists., alreadyExists",
    ),
    RING: Kind(
        "projects/{project}/locations/{location}/keyRings/{name}",
        _KMS,
        fixed=frozenset({"name", "location", "project"}),
        naming=default_naming(),
        rules=(_key_name,),
        stays=lambda values: True,
        exists="KeyRing {} already exists., alreadyExists",
    ),
    members.KEY: Kind(
        "{keyRing}/cryptoKeys/{name}",
        _KMS,
        fixed=frozenset(
            {"name", "keyRing", "purpose", "versionTemplate.protectionLevel", "destroyScheduledDuration", "importOnly"}
        ),
        naming=default_naming(),
        labels="labels",
        assign=_key,
        references={"keyRing": RING},
        rules=(_key_name,),
        guards=(_destroy_versions,),
        stays=lambda values: True,
        exists="CryptoKey {} already exists., alreadyExists",
    ),
    members.KEY_MEMBER: Kind(
        "{cryptoKeyId}/{role}/{member}",
        _KMS,
        fixed=frozenset({"cryptoKeyId", "role", "member", "condition"}),
        references={"cryptoKeyId": members.KEY},
        rules=(members.exists,),
        shared=True,
    ),
}
