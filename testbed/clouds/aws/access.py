"""EKS calls missing from moto: add-ons, access entries with their policies, and Pod Identity associations."""

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


def _cluster(api: Api, request: Values) -> Values:
    cluster: Values = api.call("eks", "describe_cluster", name=request["clusterName"])["cluster"]
    return cluster


def _there(api: Api, kind: str, key: str) -> Values:
    value = api.store.get(kind, key)
    if value is None:
        raise Refused("ResourceNotFoundException", f"No {kind} found for {key.replace('|', ' ')}")
    return value


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


def _addon_checked(api: Api, request: Values) -> None:
    """Check an add-on's version format, and that its settings are JSON or YAML.

    Source: botocore 1.44.8, eks CreateAddon, 2026-11-25.
    """
    version = request.get("addonVersion")
    if version and not _VERSION.fullmatch(version):
        raise Refused("InvalidParameterException", f"Addon version specified is not supported: {version}")
    if text := request.get("configurationValues"):
        try:
            settings = yaml.safe_load(text)
        except yaml.YAMLError as error:
            problem = f"ConfigurationValue is neither JSON nor YAML: {error}"
            raise Refused("InvalidParameterException", problem) from error
        if not isinstance(settings, dict):
            raise Refused("InvalidParameterException", "ConfigurationValue is no mapping")
    for association in request.get("podIdentityAssociations") or ():
        _role(api, association["roleArn"])


def _create_addon(api: Api, request: Values) -> Values:
    _cluster(api, request)
    _addon_checked(api, request)
    name = request["addonName"]
    groups = api.call("eks", "list_nodegroups", clusterName=request["clusterName"])["nodegroups"]
    if name in _NEEDS_NODES and not groups:
        # the provider's message after twenty minutes: https://github.com/maddevsio/aws-eks-base/issues/112, 2026-11-25
        raise Refused("DEGRADED", f"addon {name}: InsufficientNumberOfReplicas: the cluster has no node")
    rest = f"addon/{request['clusterName']}/{name}/{secrets.token_hex(8)}"
    value = {**request, "addonArn": api.arn("eks", rest), "status": "ACTIVE"}
    value.setdefault("addonVersion", "v1.0.0-eksbuild.1")
    return {"addon": _new(api, "addons", f"{request['clusterName']}|{name}", value)}


def _describe_addon(api: Api, request: Values) -> Values:
    return {"addon": _there(api, "addons", f"{request['clusterName']}|{request['addonName']}")}


def _update_addon(api: Api, request: Values) -> Values:
    before = _describe_addon(api, request)["addon"]
    _addon_checked(api, request)
    api.store.put("addons", f"{request['clusterName']}|{request['addonName']}", {**before, **request})
    return {"update": {"status": "Successful"}}


def _delete_addon(api: Api, request: Values) -> Values:
    addon = _describe_addon(api, request)
    api.store.take("addons", f"{request['clusterName']}|{request['addonName']}")
    return addon


def _entry_key(request: Values) -> str:
    return f"{request['clusterName']}|{request['principalArn']}"


def _create_entry(api: Api, request: Values) -> Values:
    if _cluster(api, request)["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        # botocore 1.44.8, eks CreateAccessEntry, read 2026-11-24
        raise Refused("InvalidRequestException", "The cluster's authentication mode must be API or API_AND_CONFIG_MAP")
    principal = str(request["principalArn"])
    if not _PRINCIPAL.match(principal):  # must be an IAM user or role: CreateAccessEntry, principalArn
        raise Refused("InvalidParameterException", f"The principalArn parameter format is not valid: {principal}")
    rest = f"access-entry/{request['clusterName']}/{secrets.token_hex(8)}"
    value = {"type": "STANDARD", **request, "accessEntryArn": api.arn("eks", rest)}
    return {"accessEntry": _new(api, "entries", _entry_key(request), value)}


def _describe_entry(api: Api, request: Values) -> Values:
    return {"accessEntry": _there(api, "entries", _entry_key(request))}


def _update_entry(api: Api, request: Values) -> Values:
    value = {**_there(api, "entries", _entry_key(request)), **request}
    api.store.put("entries", _entry_key(request), value)
    return {"accessEntry": value}


def _delete_entry(api: Api, request: Values) -> Values:
    _there(api, "entries", _entry_key(request))
    api.store.take("entries", _entry_key(request))
    return {}


def _associate(api: Api, request: Values) -> Values:
    entry = _there(api, "entries", _entry_key(request))
    # botocore 1.44.8, eks AssociateAccessPolicy and AccessScope, read 2026-11-25
    if not str(request["policyArn"]).startswith("arn:aws:eks::aws:cluster-access-policy/"):
        raise Refused("InvalidParameterException", f"The policyArn {request['policyArn']} is no cluster access policy")
    scope = request["accessScope"]
    if scope["type"] == "namespace" and not scope.get("namespaces"):
        raise Refused("InvalidParameterException", "a scope of namespaces names some")
    value = {"policyArn": request["policyArn"], "accessScope": scope}
    entry["policies"] = {**entry.get("policies", {}), request["policyArn"]: value}
    api.store.put("entries", _entry_key(request), entry)
    return {"associatedAccessPolicy": value}


def _associated(api: Api, request: Values) -> Values:
    return {"associatedAccessPolicies": list(_there(api, "entries", _entry_key(request)).get("policies", {}).values())}


def _disassociate(api: Api, request: Values) -> Values:
    entry = _there(api, "entries", _entry_key(request))
    entry.get("policies", {}).pop(request["policyArn"], None)
    api.store.put("entries", _entry_key(request), entry)
    return {}


def _create_identity(api: Api, request: Values) -> Values:
    _cluster(api, request)
    _role(api, request["roleArn"])
    cluster = request["clusterName"]
    for key, other in api.store.all("associations").items():
        same = all(other[name] == request[name] for name in ("namespace", "serviceAccount"))
        if same and key.split("|")[0] == cluster:  # botocore 1.44.8, eks CreatePodIdentityAssociation, read 2026-11-25
            raise Refused("ResourceInUseException", f"Association already exists: {other['associationId']}")
    association_id = f"a-{secrets.token_hex(9)[:17]}"
    arn = api.arn("eks", f"podidentityassociation/{cluster}/{association_id}")
    value = {"disableSessionTags": False, **request, "associationId": association_id, "associationArn": arn}
    return {"association": _new(api, "associations", f"{cluster}|{association_id}", value)}


def _describe_identity(api: Api, request: Values) -> Values:
    return {"association": _there(api, "associations", f"{request['clusterName']}|{request['associationId']}")}


def _update_identity(api: Api, request: Values) -> Values:
    _role(api, request["roleArn"])
    value = {**_describe_identity(api, request)["association"], **request}
    api.store.put("associations", f"{request['clusterName']}|{request['associationId']}", value)
    return {"association": value}


def _delete_identity(api: Api, request: Values) -> Values:
    association = _describe_identity(api, request)
    api.store.take("associations", f"{request['clusterName']}|{request['associationId']}")
    return association


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
