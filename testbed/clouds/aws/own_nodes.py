"""EKS calls for node groups. moto stores the group, and the stand-in stores its Auto Scaling group and nodes."""

from __future__ import annotations

from base64 import b64decode

from testbed.clouds.aws import fake_nodes
from testbed.clouds.aws.api import Api, Own
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, tag_list

_DISK_GIB = 20
"""The default root volume of a node: botocore 1.44.8, eks CreateNodegroup, diskSize, read 2026-11-26."""

_KEPT = ("updateConfig", "nodeRepairConfig", "version", "releaseVersion", "launchTemplate")


def _create(api: Api, request: Values) -> Values:
    cluster = api.call("eks", "describe_cluster", name=request["clusterName"])["cluster"]
    _ready(api, cluster, request)
    group = api.moto("eks", "create_nodegroup", request)["nodegroup"]
    stored = {key: request[key] for key in _KEPT if key in request}
    stored.setdefault("version", cluster["version"])
    api.store.put("groups", _key(request), stored)
    _scaling_group(api, group, request)
    _let_in(api, request)
    described = _describe(api, request)
    fake_nodes.scale(described["nodegroup"], _disk_gib(api, described["nodegroup"]))
    return described


def _ready(api: Api, cluster: Values, request: Values) -> None:
    """Reject nodes in a cluster without a network add-on, where they wouldn't become ready in time.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html, NodeCreationFailure, 2026-11-25.

    A cluster with `bootstrapSelfManagedAddons`, the default, has such an add-on.
    """
    own = cluster.get("bootstrapSelfManagedAddons", True)
    there = api.store.get("addons", f"{cluster['name']}|vpc-cni")
    if not own and not there and request.get("scalingConfig", {}).get("desiredSize", 1):
        raise Refused("NodeCreationFailure", "Unhealthy nodes in the kubernetes cluster: no network add-on")
    if template := request.get("launchTemplate"):
        # botocore 1.44.8, eks CreateNodegroup, launchTemplate, read 2026-11-25
        if "diskSize" in request or "remoteAccess" in request:
            raise Refused("InvalidParameterException", "diskSize and remoteAccess belong into the launch template")
        template_ref = (
            {"LaunchTemplateId": template["id"]} if "id" in template else {"LaunchTemplateName": template["name"]}
        )
        version = str(template.get("version", "$Default"))
        api.call("ec2", "describe_launch_template_versions", **template_ref, Versions=[version])


def _disk_gib(api: Api, group: Values) -> int:
    """Return the size in GiB of the disk used by Pods, i.e. the striped local disks or the root volume.

    Local disks are used if the user data stripes them. Source:
    https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/, LocalStorageOptions, 2026-11-26.
    """
    template = group.get("launchTemplate")
    if not template:
        return int(group.get("diskSize", _DISK_GIB))
    version = str(template.get("version", "$Default"))
    (template_version,) = api.call(
        "ec2", "describe_launch_template_versions", LaunchTemplateId=template["id"], Versions=[version]
    )["LaunchTemplateVersions"]
    data = template_version["LaunchTemplateData"]
    if b"RAID0" in b64decode(data.get("UserData", "")):
        machine = group["instanceTypes"][0]
        (described,) = api.call("ec2", "describe_instance_types", InstanceTypes=[machine])["InstanceTypes"]
        return int(described["InstanceStorageInfo"]["TotalSizeInGB"] * 10**9 / 2**30)
    volumes = [mapping["Ebs"]["VolumeSize"] for mapping in data.get("BlockDeviceMappings", ())]
    return int(volumes[0]) if volumes else _DISK_GIB


def _key(request: Values) -> str:
    return f"{request['clusterName']}|{request['nodegroupName']}"


def _scaling_group(api: Api, group: Values, request: Values) -> None:
    """Create a node group's Auto Scaling group with size zero so that moto doesn't start any machines."""
    name = group["resources"]["autoScalingGroups"][0]["name"]
    template = group.get("launchTemplate")
    if template is None:
        response = api.call(
            "ec2",
            "create_launch_template",
            LaunchTemplateName=name,
            LaunchTemplateData={"InstanceType": group["instanceTypes"][0]},
        )
        template_ref = {"LaunchTemplateId": response["LaunchTemplate"]["LaunchTemplateId"]}
    else:
        template_ref = {"LaunchTemplateId": template["id"], "Version": str(template.get("version", "$Default"))}
    cluster = request["clusterName"]
    about = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    tags = {
        "eks:cluster-name": cluster,
        "eks:nodegroup-name": request["nodegroupName"],
        f"kubernetes.io/cluster/{cluster}": "owned",
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{cluster}": "owned",
    }
    api.call(
        "autoscaling",
        "create_auto_scaling_group",
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=0,
        DesiredCapacity=0,
        VPCZoneIdentifier=",".join(group["subnets"]),
        LaunchTemplate=template_ref,
        Tags=[{**tag, **about} for tag in tag_list(tags)],
    )


def _let_in(api: Api, request: Values) -> None:
    """Create the access entry for the node role: botocore 1.44.8, eks CreateAccessEntry, read 2026-11-24."""
    key = f"{request['clusterName']}|{request['nodeRole']}"
    if api.store.get("entries", key) is None:
        api.store.put("entries", key, {"principalArn": request["nodeRole"], "type": "EC2_LINUX", "tags": {}})


def _describe(api: Api, request: Values) -> Values:
    key = {"clusterName": request["clusterName"], "nodegroupName": request["nodegroupName"]}
    group = api.moto("eks", "describe_nodegroup", key)["nodegroup"]
    return {"nodegroup": {**group, **(api.store.get("groups", _key(request)) or {})}}


def _update_config(api: Api, request: Values) -> Values:
    answer = api.moto("eks", "update_nodegroup_config", request)
    with api.store.open() as everything:
        stored = everything["groups"][_key(request)]
        stored.update({key: request[key] for key in ("updateConfig", "nodeRepairConfig") if key in request})
    group = _describe(api, request)["nodegroup"]
    fake_nodes.scale(group, _disk_gib(api, group))
    return answer


def _update_version(api: Api, request: Values) -> Values:
    with api.store.open() as everything:
        stored = everything["groups"][_key(request)]
        stored.update({key: request[key] for key in ("version", "releaseVersion", "launchTemplate") if key in request})
    return {"update": {"status": "Successful"}}


def _delete(api: Api, request: Values) -> Values:
    group = _describe(api, request)["nodegroup"]
    answer = api.moto("eks", "delete_nodegroup", request)
    name = group["resources"]["autoScalingGroups"][0]["name"]
    api.call("autoscaling", "delete_auto_scaling_group", AutoScalingGroupName=name, ForceDelete=True)
    if not group.get("launchTemplate"):
        api.call("ec2", "delete_launch_template", LaunchTemplateName=name)
    api.store.take("groups", _key(request))
    fake_nodes.remove(group)
    return answer


OWN: dict[tuple[str, str], Own] = {
    ("eks", "create_nodegroup"): _create,
    ("eks", "describe_nodegroup"): _describe,
    ("eks", "update_nodegroup_config"): _update_config,
    ("eks", "update_nodegroup_version"): _update_version,
    ("eks", "delete_nodegroup"): _delete,
}
