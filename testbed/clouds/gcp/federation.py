"""Identity pools and their providers, i.e. the issuers of other clusters trusted by a project."""

from __future__ import annotations

import re
from functools import partial

from testbed.clouds.gcp.api import Api, refused
from testbed.clouds.gcp.kinds import Kind
from testbed.clouds.gcp.members import IDENTITY_POOL
from testbed.clouds.shared.values import Values

PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"

_IAM = "iam.googleapis.com"
_POOL_PATH = "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
_PROVIDER_PATH = f"{_POOL_PATH}/providers/{{workloadIdentityPoolProviderId}}"
_ID = re.compile(r"(?!gcp-)[a-z0-9-]{4,32}")
_LONGEST = {"displayName": 32, "description": 256, "attributeCondition": 4096}
_MOST_AUDIENCES, _LONGEST_AUDIENCE = 10, 256
_EXISTS = "Requested entity already exists, alreadyExists"


def _pool(api: Api, values: Values, before: Values) -> Values:
    return {"name": f"projects/{api.number}/locations/global/workloadIdentityPools/{values['workloadIdentityPoolId']}"}


def _provider(api: Api, values: Values, before: Values) -> Values:
    return {"name": f"{_pool(api, values, before)['name']}/providers/{values['workloadIdentityPoolProviderId']}"}


def _identified(name: str, api: Api, values: Values) -> None:
    """Check an ID's format: iam.v1, workloadIdentityPools.create and providers.create, read 2026-11-30."""
    if not _ID.fullmatch(str(values[name])):
        raise refused(400, f"{name} {values[name]} has 4 to 32 of a-z, 0-9 and -, and not gcp- first., badRequest")


def _texts(api: Api, values: Values) -> None:
    """Check string lengths: iam.v1, WorkloadIdentityPool and WorkloadIdentityPoolProvider, read 2026-11-30."""
    for name, longest in _LONGEST.items():
        if len(str(values.get(name, ""))) > longest:
            raise refused(400, f"{name} cannot exceed {longest} characters., badRequest")


def _issuer(api: Api, values: Values) -> None:
    """Check an issuer: iam.v1, Oidc and WorkloadIdentityPoolProvider, attributeMapping, read 2026-11-30."""
    oidc = values.get("oidc") or {}
    if not str(oidc.get("issuerUri", "")).startswith("https://"):
        raise refused(400, "The issuer URI must be an HTTPS endpoint., badRequest")
    if "google.subject" not in (values.get("attributeMapping") or {}):
        raise refused(400, "An OIDC provider must map google.subject., badRequest")
    audiences = [str(each) for each in oidc.get("allowedAudiences") or ()]
    if len(audiences) > _MOST_AUDIENCES or any(len(each) > _LONGEST_AUDIENCE for each in audiences):
        raise refused(400, f"At most {_MOST_AUDIENCES} audiences of {_LONGEST_AUDIENCE} characters., badRequest")


def _not_reserved(path: str, api: Api, values: Values) -> None:
    """Reject the ID of a deleted resource, which stays reserved for 30 days.

    Source: iam.v1, WorkloadIdentityPool, state. Wording: terraform-google-modules/
    terraform-google-github-actions-runners, issue 49. Both read 2026-11-30.
    """
    if api.store.get("deleted", api.filled(path, values)) is not None:
        raise refused(409, _EXISTS)


def _reserve(api: Api, identifier: str, values: Values) -> None:
    api.store.put("deleted", identifier, {})


KINDS = {
    IDENTITY_POOL: Kind(
        _POOL_PATH,
        _IAM,
        fixed=frozenset({"workloadIdentityPoolId", "mode", "project"}),
        assign=_pool,
        rules=(partial(_identified, "workloadIdentityPoolId"), _texts, partial(_not_reserved, _POOL_PATH)),
        guards=(_reserve,),
        contains=(PROVIDER,),
        exists=_EXISTS,
    ),
    PROVIDER: Kind(
        _PROVIDER_PATH,
        _IAM,
        fixed=frozenset({"workloadIdentityPoolId", "workloadIdentityPoolProviderId", "project"}),
        assign=_provider,
        references={"workloadIdentityPoolId": IDENTITY_POOL},
        rules=(
            partial(_identified, "workloadIdentityPoolProviderId"),
            _texts,
            _issuer,
            partial(_not_reserved, _PROVIDER_PATH),
        ),
        guards=(_reserve,),
        exists=_EXISTS,
    ),
}
