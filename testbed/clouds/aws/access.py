"""EKS calls that moto lacks: add-ons, access entries with their policies, and Pod Identity associations."""

from __future__ import annotations

import json
import re
import secrets

import yaml

from testbed.clouds.aws.api import Api, Own
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

_NEEDS_NODES = ("coredns", "aws-ebs-csi-driver", "aws-efs-csi-driver", "metrics-server", "eks-node-monitoring-agent")
_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role/|user/|root$)")  # does not match role sessions


def _cluster(api: Api, wanted: Values) -> Values:
    found: Values = api.call("eks", "describe_cluster", name=wanted["clusterName"])["cluster"]
    return found


def _there(api: Api, kind: str, key: str) -> Values:
    found = api.store.get(kind, key)
    if found is None:
        raise Refused("ResourceNotFoundException", f"No {kind} found for {key.replace('|', ' ')}")
    return found


def _new(api: Api, kind: str, key: str, value: Values) -> Values:
    if api.store.get(kind, key) is not None:
        raise Refused("ResourceInUseException", f"{kind}: {key.replace('|', ' ')} is there already")
    api.store.put(kind, key, value)
    return value


def _role(api: Api, arn: str) -> None:
    """Raise an error unless the role exists and Pod Identity may assume it.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html, 2026-11-24.
    """
    role = api.call("iam", "get_role", RoleName=arn.rpartition("/")[2])["Role"]
    if "pods.eks.amazonaws.com" not in json.dumps(role["AssumeRolePolicyDocument"]):
        raise Refused("InvalidParameterException", f"Trust policy of {arn} does not let pods.eks.amazonaws.com in")


def _addon_checked(api: Api, wanted: Values) -> None:
    """Check the version's format, and that settings are JSON or YAML: botocore 1.44.8, eks CreateAddon, 2026-11-25."""
    version = wanted.get("addonVersion")
    if version and not _VERSION.fullmatch(version):
        raise Refused("InvalidParameterException", f"Addon version specified is not supported: {version}")
    if text := wanted.get("configurationValues"):
        try:
            settings = yaml.safe_load(text)
        except yaml.YAMLError as error:
            problem = f"ConfigurationValue is neither JSON nor YAML: {error}"
            raise Refused("InvalidParameterException", problem) from error
        if not isinstance(settings, dict):
            raise Refused("InvalidParameterException", "ConfigurationValue is no mapping")
    for association in wanted.get("podIdentityAssociations") or ():
        _role(api, association["roleArn"])


def _create_addon(api: Api, wanted: Values) -> Values:
    _cluster(api, wanted)
    _addon_checked(api, wanted)
    name = wanted["addonName"]
    groups = api.call("eks", "list_nodegroups", clusterName=wanted["clusterName"])["nodegroups"]
    if name in _NEEDS_NODES and not groups:
        # the provider's message after twenty minutes: https://github.com/maddevsio/aws-eks-base/issues/112, 2026-11-25
        raise Refused("DEGRADED", f"addon {name}: InsufficientNumberOfReplicas: the cluster has no node")
    rest = f"addon/{wanted['clusterName']}/{name}/{secrets.token_hex(8)}"
    value = {**wanted, "addonArn": api.arn("eks", rest), "status": "ACTIVE"}
    value.setdefault("addonVersion", "v1.0.0-eksbuild.1")
    return {"addon": _new(api, "addons", f"{wanted['clusterName']}|{name}", value)}


def _describe_addon(api: Api, wanted: Values) -> Values:
    return {"addon": _there(api, "addons", f"{wanted['clusterName']}|{wanted['addonName']}")}


def _update_addon(api: Api, wanted: Values) -> Values:
    before = _describe_addon(api, wanted)["addon"]
    _addon_checked(api, wanted)
    api.store.put("addons", f"{wanted['clusterName']}|{wanted['addonName']}", {**before, **wanted})
    return {"update": {"status": "Successful"}}


def _delete_addon(api: Api, wanted: Values) -> Values:
    found = _describe_addon(api, wanted)
    api.store.take("addons", f"{wanted['clusterName']}|{wanted['addonName']}")
    return found


def _entry_key(wanted: Values) -> str:
    return f"{wanted['clusterName']}|{wanted['principalArn']}"


def _create_entry(api: Api, wanted: Values) -> Values:
    if _cluster(api, wanted)["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        # botocore 1.44.8, eks CreateAccessEntry, read 2026-11-24
        raise Refused("InvalidRequestException", "The cluster's authentication mode must be API or API_AND_CONFIG_MAP")
    principal = str(wanted["principalArn"])
    if not _PRINCIPAL.match(principal):  # must be an IAM user or role: CreateAccessEntry, principalArn
        raise Refused("InvalidParameterException", f"The principalArn parameter format is not valid: {principal}")
    rest = f"access-entry/{wanted['clusterName']}/{secrets.token_hex(8)}"
    value = {"type": "STANDARD", **wanted, "accessEntryArn": api.arn("eks", rest)}
    return {"accessEntry": _new(api, "entries", _entry_key(wanted), value)}


def _describe_entry(api: Api, wanted: Values) -> Values:
    return {"accessEntry": _there(api, "entries", _entry_key(wanted))}


def _update_entry(api: Api, wanted: Values) -> Values:
    value = {**_there(api, "entries", _entry_key(wanted)), **wanted}
    api.store.put("entries", _entry_key(wanted), value)
    return {"accessEntry": value}


def _delete_entry(api: Api, wanted: Values) -> Values:
    _there(api, "entries", _entry_key(wanted))
    api.store.take("entries", _entry_key(wanted))
    return {}


def _associate(api: Api, wanted: Values) -> Values:
    entry = _there(api, "entries", _entry_key(wanted))
    # botocore 1.44.8, eks AssociateAccessPolicy and AccessScope, read 2026-11-25
    if not str(wanted["policyArn"]).startswith("arn:aws:eks::aws:cluster-access-policy/"):
        raise Refused("InvalidParameterException", f"The policyArn {wanted['policyArn']} is no cluster access policy")
    scope = wanted["accessScope"]
    if scope["type"] == "namespace" and not scope.get("namespaces"):
        raise Refused("InvalidParameterException", "a scope of namespaces names some")
    value = {"policyArn": wanted["policyArn"], "accessScope": scope}
    entry["policies"] = {**entry.get("policies", {}), wanted["policyArn"]: value}
    api.store.put("entries", _entry_key(wanted), entry)
    return {"associatedAccessPolicy": value}


def _associated(api: Api, wanted: Values) -> Values:
    return {"associatedAccessPolicies": list(_there(api, "entries", _entry_key(wanted)).get("policies", {}).values())}


def _disassociate(api: Api, wanted: Values) -> Values:
    entry = _there(api, "entries", _entry_key(wanted))
    entry.get("policies", {}).pop(wanted["policyArn"], None)
    api.store.put("entries", _entry_key(wanted), entry)
    return {}


def _create_identity(api: Api, wanted: Values) -> Values:
    _cluster(api, wanted)
    _role(api, wanted["roleArn"])
    cluster = wanted["clusterName"]
    for key, other in api.store.all("associations").items():
        same = all(other[name] == wanted[name] for name in ("namespace", "serviceAccount"))
        if same and key.split("|")[0] == cluster:  # botocore 1.44.8, eks CreatePodIdentityAssociation, read 2026-11-25
            raise Refused("ResourceInUseException", f"Association already exists: {other['associationId']}")
    found = f"a-{secrets.token_hex(9)[:17]}"
    arn = api.arn("eks", f"podidentityassociation/{cluster}/{found}")
    value = {"disableSessionTags": False, **wanted, "associationId": found, "associationArn": arn}
    return {"association": _new(api, "associations", f"{cluster}|{found}", value)}


def _describe_identity(api: Api, wanted: Values) -> Values:
    return {"association": _there(api, "associations", f"{wanted['clusterName']}|{wanted['associationId']}")}


def _update_identity(api: Api, wanted: Values) -> Values:
    _role(api, wanted["roleArn"])
    value = {**_describe_identity(api, wanted)["association"], **wanted}
    api.store.put("associations", f"{wanted['clusterName']}|{wanted['associationId']}", value)
    return {"association": value}


def _delete_identity(api: Api, wanted: Values) -> Values:
    found = _describe_identity(api, wanted)
    api.store.take("associations", f"{wanted['clusterName']}|{wanted['associationId']}")
    return found


OWN: dict[tuple[str, str], Own] = {
    ("eks", "create_addon"): _create_addon,
    ("eks", "describe_addon"): _describe_addon,
    ("eks", "update_addon"): _update_addon,
    ("eks", "delete_addon"): _delete_addon,
    ("eks", "create_access_entry"): _create_entry,
    ("eks", "describe_access_entry"): _describe_entry,
    ("eks", "update_access_entry"): _update_entry,
    ("eks", "delete_access_entry"): _delete_entry,
    ("eks", "associate_access_policy"): _associate,
    ("eks", "list_associated_access_policies"): _associated,
    ("eks", "disassociate_access_policy"): _disassociate,
    ("eks", "create_pod_identity_association"): _create_identity,
    ("eks", "describe_pod_identity_association"): _describe_identity,
    ("eks", "update_pod_identity_association"): _update_identity,
    ("eks", "delete_pod_identity_association"): _delete_identity,
}
