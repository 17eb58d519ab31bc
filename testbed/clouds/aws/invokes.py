"""Provider functions (invokes) that programs call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from testbed.clouds.aws.api import Api
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

Invoke: TypeAlias = Callable[[Api, Values], Values]


def _caller(api: Api, arguments: Values) -> Values:
    answer = api.call("sts", "get_caller_identity")
    account = str(answer["Account"])
    return {"id": account, "accountId": account, "arn": answer["Arn"], "userId": answer["UserId"]}


def _session_context(api: Api, arguments: Values) -> Values:
    """Return the role that issued the session with the given ARN, or the ARN itself if it isn't a session's."""
    arn = str(arguments["arn"])
    before, _, session = arn.partition(":assumed-role/")
    if not session:
        return {"id": arn, "arn": arn, "issuerArn": arn, "issuerId": "", "issuerName": "", "sessionName": ""}
    role, _, name = session.partition("/")
    issuer = before.replace(":sts:", ":iam:") + f":role/{role}"
    return {"id": arn, "arn": arn, "issuerArn": issuer, "issuerId": "", "issuerName": role, "sessionName": name}


def _zones(api: Api, arguments: Values) -> Values:
    filters = [{"Name": "state", "Values": [arguments["state"]]}] if arguments.get("state") else []
    all_zones = api.call("ec2", "describe_availability_zones", Filters=filters)["AvailabilityZones"]
    usual = [zone for zone in all_zones if zone.get("ZoneType", "availability-zone") == "availability-zone"]
    excluded = arguments.get("excludeNames") or ()
    zones = sorted((z for z in usual if z["ZoneName"] not in excluded), key=lambda zone: str(zone["ZoneName"]))
    return {
        "id": api.region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": [api.region],
        "state": arguments.get("state"),
        "region": api.region,
    }


def _region(api: Api, arguments: Values) -> Values:
    return {
        "id": api.region,
        "name": api.region,
        "region": api.region,
        "endpoint": f"ec2.{api.region}.amazonaws.com",
        "description": api.region,
    }


def _partition(api: Api, arguments: Values) -> Values:
    suffix = "amazonaws.com"
    return {"id": "aws", "partition": "aws", "dnsSuffix": suffix, "reverseDnsPrefix": "com.amazonaws"}


def _prefix_list(api: Api, arguments: Values) -> Values:
    """Return an AWS-managed prefix list by name, rejecting unknown names with the same error as EC2."""
    filters = [{"Name": "prefix-list-name", "Values": [arguments["name"]]}]
    (prefix_list,) = api.call("ec2", "describe_managed_prefix_lists", Filters=filters)["PrefixLists"]
    entries = api.call("ec2", "get_managed_prefix_list_entries", PrefixListId=prefix_list["PrefixListId"])["Entries"]
    return {
        "id": prefix_list["PrefixListId"],
        "name": arguments["name"],
        "cidrBlocks": [entry["Cidr"] for entry in entries],
    }


def _cluster(api: Api, arguments: Values) -> Values:
    """Return a cluster by name, rejecting unknown names with the same error as EKS."""
    name = str(arguments["name"])
    cluster = api.call("eks", "describe_cluster", name=name)["cluster"]
    return {
        "id": name,
        "name": name,
        **{key: cluster[key] for key in ("arn", "endpoint", "version", "status", "roleArn")},
        "certificateAuthorities": [cluster["certificateAuthority"]],
        "identities": [{"oidcs": [cluster["identity"]["oidc"]]}],
        "accessConfigs": [cluster["accessConfig"]],
        "vpcConfig": cluster["resourcesVpcConfig"],
        "region": api.region,
    }


def _token_provider(api: Api, arguments: Values) -> Values:
    """Return the IAM OIDC provider for the token issuer with the given URL.

    Wording: https://github.com/hashicorp/terraform-provider-aws, internal/service/iam, read 2026-11-27.
    """
    url = str(arguments["url"])
    for entry in api.call("iam", "list_open_id_connect_providers")["OpenIDConnectProviderList"]:
        arn = entry["Arn"]
        if str(arn).partition(":oidc-provider/")[2] == url.removeprefix("https://"):
            provider = api.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
            clients, prints = provider["ClientIDList"], provider["ThumbprintList"]
            return {"id": arn, "arn": arn, "url": provider["Url"], "clientIdLists": clients, "thumbprintLists": prints}
    raise Refused("Error", f"finding IAM OIDC Provider by url ({url}): couldn't find resource")


INVOKES: Mapping[str, Invoke] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:ec2/getPrefixList:getPrefixList": _prefix_list,
    "aws:eks/getCluster:getCluster": _cluster,
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": _token_provider,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:iam/getSessionContext:getSessionContext": _session_context,
}
