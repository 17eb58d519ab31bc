"""Members of IAM policies, including which principals exist, and which service agents may use a key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.clouds.gcp.api import Api, at, refused
from testbed.clouds.gcp.kinds import Rule
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

ACCOUNT = "gcp:serviceaccount/account:Account"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
IDENTITY_POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"

_USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_DOMAINS = {
    "artifactregistry": "gcp-sa-artifactregistry",
    "compute": "compute-system",
    "container": "container-engine-robot",
    "logging": "gcp-sa-logging",
    "secretmanager": "gcp-sa-secretmanager",
    "sqladmin": "gcp-sa-cloud-sql",
    "storage": "gs-project-accounts",
}
"""The domains of service agents: https://docs.cloud.google.com/iam/docs/service-agents, read 2026-11-27."""

_SUBJECT = re.compile(
    r"principal://iam\.googleapis\.com/projects/(\d+)/locations/global/workloadIdentityPools/([^/]+)"
    r"/subject/(.{1,127})"
)
_POD_OF_GKE = re.compile(r"ns/[a-z0-9-]+/sa/[a-z0-9.-]+")
_KMS_WORDS = {
    "storage": "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been"
    " authorized to use this key., forbidden",
}
"""Error messages of services with their own wording: ollionorg/gcp-landing-zone, pull request 59, read 2026-11-27."""


def agent(api: Api, service: str) -> str:
    """Return the email address of a service's agent in this project."""
    return f"service-{api.number}@{_DOMAINS[service]}.iam.gserviceaccount.com"


def create_agent(api: Api, service: str) -> str:
    """Create a service's agent, like the first use of the service does, and return the agent's email address."""
    address = agent(api, service)
    api.store.put("agents", address, {"service": service})
    return address


def exists(api: Api, values: Values) -> None:
    """Reject a member that doesn't exist.

    Wording for identity pools: pulumi programs that bind before the cluster exists, read 2026-11-27. For accounts:
    https://docs.cloud.google.com/iam/docs/troubleshoot-policies, read 2026-11-27.
    """
    member = str(values["member"])
    kind, _, name = member.partition(":")
    if kind == "serviceAccount":
        accounts = {str(each["email"]) for each in api.all(ACCOUNT).values()}
        if name not in accounts and api.store.get("agents", name) is None:
            raise refused(400, f"Service account {name} does not exist., badRequest")
    elif subject := _SUBJECT.fullmatch(member):
        number, pool, name = subject.groups()
        if number != api.number or not _is_in(api, pool, name):
            raise refused(
                400,
                f"Identity Pool does not exist ({pool}). Please check that you specified a valid resource name as"
                " returned in the `name` attribute in the configuration API., badRequest",
            )
    elif kind not in ("user", "group", "domain") or "@" not in name:
        raise refused(400, f"Invalid member {member}., badRequest")


def _is_in(api: Api, pool: str, name: str) -> bool:
    """Return whether an identity pool exists and may contain the given subject.

    Clusters share one pool, whose subjects are Pods.
    """
    if api.store.get("pools", pool) is not None:
        return bool(_POD_OF_GKE.fullmatch(name))
    return api.find(IDENTITY_POOL, f"projects/{api.account}/locations/global/workloadIdentityPools/{pool}") is not None


def encrypts(service: str, *paths: str) -> Rule:
    """Return a rule that rejects keys in another location, and keys the service's agent may not use."""

    def rule(api: Api, values: Values) -> None:
        place = str(values.get("location") or values.get("region") or api.region).lower()
        for key in (str(each) for path in paths for each in at(values, path)):
            if f"/locations/{place}/" not in key:
                raise refused(400, f"The key {key} is not in the location {place} of the resource., badRequest")
            if (api.find(KEY, key) or {}).get("destroyed") or not _may_use(api, service, key):
                raise _denied(service, key)

    return rule


def holders(api: Api, key: str) -> Iterator[str]:
    """Yield the members that may encrypt and decrypt with a key."""
    for grant in api.all(KEY_MEMBER).values():
        if grant["cryptoKeyId"] == key and grant["role"] == _USE:
            yield str(grant["member"])


def _may_use(api: Api, service: str, key: str) -> bool:
    return f"serviceAccount:{agent(api, service)}" in holders(api, key)


def _denied(service: str, key: str) -> Refused:
    general = f"Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on resource '{key}' (or it may not exist)."
    return refused(403, _KMS_WORDS.get(service, f"{general}, forbidden"))
