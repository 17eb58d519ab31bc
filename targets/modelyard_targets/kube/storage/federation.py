"""How a cloud's object storage recognizes workloads on other targets, using tokens signed by their own cluster.

A Pod gets a ServiceAccount token for the cloud's audience and exchanges it for short-lived credentials, so no keys are
needed. See docs/decisions/0074-several-clouds.md for the rationale.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from modelyard.records import record
from modelyard.spec import Store, System, TargetSpec

IDENTITIES_FOLDER: Final = "/var/run/modelyard/identities"
"""The folder in Pods with the tokens for other clouds, with a subfolder for each target."""

TOKEN_FILE: Final = "token"
CREDENTIALS_FILE: Final = "credentials.json"

_ONLY_INSIDE: Final = frozenset({"cluster", "corp", "home", "internal", "intranet", "lan", "local", "localhost", "svc"})
"""Top-level domains that public DNS does not resolve (RFC 6762, RFC 6761, RFC 9476, and Kubernetes' own)."""


@record
class Federation:
    """How a cloud exchanges ServiceAccount tokens for its own credentials.

    `values` names what the cloud's program knows about each identity, and output names end in these names. Pods receive
    each value in a variable (`variables`) or in a file whose path is in a variable (`file`).
    """

    audience: str
    host: str  # host that exchanges tokens; may contain {region}
    values: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()  # variable, value
    token: str = ""  # variable with the path of the token
    file: tuple[str, str] | None = None  # variable, value: the file contains the value, which names the token's path
    region: str = ""  # variable with the region
    also: tuple[str, ...] = ()  # additional hosts that libraries call
    uploads: bool = False  # the issuer's keys can be uploaded, so the issuer need not be on the internet
    notes: tuple[str, ...] = ()  # what people must know before they apply `crossings/`; may contain {readers}


AWS: Final = Federation(
    audience="sts.amazonaws.com",
    host="sts.{region}.amazonaws.com",
    values=("role_arn",),
    variables=(("AWS_ROLE_ARN", "role_arn"),),
    token="AWS_WEB_IDENTITY_TOKEN_FILE",
    region="AWS_DEFAULT_REGION",
    notes=(
        "An account of AWS has each issuer once. If another program has already created that of {readers}, `up` fails;"
        " use it as it is: `pulumi config set --path 'existingIssuers[0]' TARGET` in `crossings/`.",
    ),
)
"""The role for a web identity, which boto3 and Arrow find through these variables
(docs.aws.amazon.com/sdkref, "Assume role credential provider", read 2026-11-27).
"""

AZURE: Final = Federation(
    audience="api://AzureADTokenExchange",
    host="login.microsoftonline.com",
    values=("client_id", "tenant"),
    variables=(("AZURE_CLIENT_ID", "client_id"), ("AZURE_TENANT_ID", "tenant")),
    token="AZURE_FEDERATED_TOKEN_FILE",
    notes=(
        "Whoever applies `crossings/` must be allowed to assign roles on these stores. If the account of an adopted"
        " store is in another resource group, say where: `pulumi config set --path accounts.ACCOUNT GROUP`.",
    ),
)
"""The variables that AKS sets for Pods with a workload identity, which the runtime reads."""

GOOGLE: Final = Federation(
    audience="sts.googleapis.com",
    host="sts.googleapis.com",
    values=("credentials",),
    file=("GOOGLE_APPLICATION_CREDENTIALS", "credentials"),
    # MLflow's client requests the name of the project and continues if the request is denied
    also=("cloudresourcemanager.googleapis.com",),
    uploads=True,
    notes=(
        "If Google Cloud cannot read the public keys of {readers} on the internet, upload them:"
        ' `pulumi config set keys-TARGET -- "$(kubectl get --raw /openid/v1/jwks)"` in `crossings/`, and again whenever'
        " the cluster replaces its keys.",
        "The pool of a cluster keeps its ID for 30 days after it was destroyed. To create it again before that, choose"
        " another ID: `pulumi config set poolNumber 2` in `crossings/`.",
    ),
)
"""A credential configuration for workload identity federation, which contains no secret. Google's libraries and Arrow
find it through this variable (docs.cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes, 2026-11-27).
"""


def may_federate(store: Store, target: TargetSpec, system: System, federation: Federation | None) -> bool:
    """Return whether workloads on a target can access a store in another cloud with their own identity."""
    if federation is None or store.type != "object" or store.endpoint or store.credentials is not None:
        return False
    return system.target(store.target).provider != target.provider and trusts(federation, target)


def trusts(federation: Federation, target: TargetSpec) -> bool:
    """Return whether a cloud can verify the tokens of a target's cluster. Managed clusters' keys are always public."""
    if target.in_cloud:
        return True
    return bool(target.issuer) and (federation.uploads or is_public(target.issuer))


def is_public(issuer: str) -> bool:
    """Return whether an issuer's host may be reachable on the internet. Hosts without a domain aren't."""
    try:
        host = urlsplit(issuer).hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        labels = host.rstrip(".").lower().split(".")
        return len(labels) > 1 and labels[-1] not in _ONLY_INSIDE


def identity_folder(target: str) -> str:
    """Return the folder in Pods with the token for a target's stores."""
    return f"{IDENTITIES_FOLDER}/{target}"
