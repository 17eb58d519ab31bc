"""Runs emitted programs under Pulumi's mocks and prints the resources that each program registers.

python registrations.py FOLDER…

Each folder is an emitted project with its own `modelyard_stacks` and settings. Prints one line of JSON per folder: the
registrations, sorted by name because their order is not fixed.
"""

from __future__ import annotations

import base64
import json
import os
import re
import runpy
import sys
from collections import defaultdict
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

import pulumi
import yaml
from pulumi.runtime import mocks

_to_dict: Any = import_module("google.protobuf.json_format").MessageToDict  # a dependency of pulumi that has no types
_answers: Any = getattr(mocks.MockMonitor, "RegisterResource")  # noqa: B009 - pulumi leaves it untyped
_runs: Any = getattr(pulumi.runtime, "test")  # noqa: B009 - pulumi leaves it untyped


ACCOUNT = "123456789012"
SUBSCRIPTION = "6f0c6f2e-9c1d-4d0c-8f7e-0a1b2c3d4e5f"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
KUBECONFIG = """\
clusters:
  - {name: aks, cluster: {server: "https://fraud.privatelink.azmk8s.example:443", certificate-authority-data: Y2U=}}
users: [{name: aks, user: {exec: {command: kubelogin, args: [get-token, --login, devicecode]}}}]
"""
ANSWERS: dict[str, dict[str, Any]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "names": [f"eu-central-1{letter}" for letter in "abc"],
        "zoneIds": [f"euc1-az{number}" for number in (2, 3, 1)],
    },
    "aws:ec2/getPrefixList:getPrefixList": {"cidrBlocks": ["52.219.44.0/22", "3.5.134.0/23"]},
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/somebody",
    },
    "aws:eks/getAddonVersion:getAddonVersion": {"version": "v1.3.10-eksbuild.2"},
    "aws:eks/getCluster:getCluster": {
        "arn": f"arn:aws:eks:eu-central-1:{ACCOUNT}:cluster/platform",
        "certificateAuthorities": [{"data": "Y2VydGlmaWNhdGU="}],
        "endpoint": "https://platform.eks.example",
        "identities": [{"oidcs": [{"issuer": "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF"}]}],
        "version": "1.36",
        "vpcConfig": {
            "clusterSecurityGroupId": "sg-platform",
            "subnetIds": ["subnet-a", "subnet-b"],
            "vpcId": "vpc-platform",
        },
    },
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": {
        "arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF"
    },
    "aws:iam/getSessionContext:getSessionContext": {"issuerArn": f"arn:aws:iam::{ACCOUNT}:role/deployer"},
    "gcp:container/getCluster:getCluster": {
        "name": "platform",
        "endpoint": "10.1.0.2",
        "masterAuths": [{"clusterCaCertificate": "Y2VydGlmaWNhdGU="}],
        "network": "projects/acme-platform/global/networks/shared",
        "subnetwork": "projects/acme-platform/regions/europe-west3/subnetworks/nodes",
        "nodePools": [{"nodeConfigs": [{"serviceAccount": "nodes@acme-platform.iam.gserviceaccount.com"}]}],
        "workloadIdentityConfigs": [{"workloadPool": "acme-ml.svc.id.goog"}],
    },
    "gcp:organizations/getProject:getProject": {"number": ACCOUNT, "billingAccount": "0A1B2C-3D4E5F-6A7B8C"},
    "gcp:sql/getCaCerts:getCaCerts": {
        "certs": [{"cert": "the first authority\n"}, {"cert": "the next authority"}],
        "activeVersion": "1",
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "member": f"serviceAccount:service-{ACCOUNT}@gs-project-accounts.iam.gserviceaccount.com"
    },
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": {
        "serviceAccountId": f"serviceAccount:cmek-p{ACCOUNT}@gcp-sa-logging.iam.gserviceaccount.com"
    },
    "azure-native:authorization:getClientConfig": {
        "clientId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "objectId": "11111111-2222-3333-4444-555555555555",
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
    },
    "azure-native:containerservice:getManagedCluster": {
        "name": "platform",
        "agentPoolProfiles": [
            {
                "name": "system",
                "vnetSubnetID": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/network/providers/Microsoft.Network"
                "/virtualNetworks/shared/subnets/nodes",
            }
        ],
        "identityProfile": {"kubeletidentity": {"objectId": "22222222-3333-4444-5555-666666666666"}},
        "oidcIssuerProfile": {"issuerURL": "https://westeurope.oic.prod-aks.azure.com/tenant/platform/"},
        "securityProfile": {"workloadIdentity": {"enabled": True}},
    },
    "azure-native:network:getSubnet": {"addressPrefix": "10.20.0.0/20"},
    "azure-native:containerservice:listManagedClusterUserCredentials": {
        "kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(KUBECONFIG.encode()).decode()}]
    },
}
"""The values that provider functions return, by function."""

GOOGLE_PROJECT = "acme-ml"
ZONES_WITH = {"a3-highgpu-8g": "bc", "nowhere-8": ""}
"""The Google zones that offer a machine type, by the zones' last letter. Other machine types are in all zones."""

GOOGLE_IDS = {
    "gcp:artifactregistry/repository:Repository": "projects/{project}/locations/{location}/repositories/{repositoryId}",
    "gcp:compute/address:Address": "projects/{project}/regions/{region}/addresses/{name}",
    "gcp:compute/network:Network": "projects/{project}/global/networks/{name}",
    "gcp:compute/subnetwork:Subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
    "gcp:container/cluster:Cluster": "projects/{project}/locations/{location}/clusters/{name}",
    "gcp:kms/cryptoKey:CryptoKey": "{keyRing}/cryptoKeys/{name}",
    "gcp:kms/keyRing:KeyRing": "projects/{project}/locations/{location}/keyRings/{name}",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "projects/{project}/locations/{location}/buckets/{bucketId}",
    "gcp:secretmanager/secret:Secret": "projects/{project}/secrets/{secretId}",
}
"""ID patterns of Google's resources by type, filled with inputs. The ID of other resources is their name."""

AZURE_IDS = {
    "compute:DiskEncryptionSet": "Microsoft.Compute/diskEncryptionSets/{diskEncryptionSetName}",
    "containerregistry:Registry": "Microsoft.ContainerRegistry/registries/{registryName}",
    "containerservice:ManagedCluster": "Microsoft.ContainerService/managedClusters/{resourceName}",
    "dbforpostgresql:Server": "Microsoft.DBforPostgreSQL/flexibleServers/{serverName}",
    "keyvault:Key": "Microsoft.KeyVault/vaults/{vaultName}/keys/{keyName}",
    "keyvault:Secret": "Microsoft.KeyVault/vaults/{vaultName}/secrets/{secretName}",
    "keyvault:Vault": "Microsoft.KeyVault/vaults/{vaultName}",
    "managedidentity:UserAssignedIdentity": "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}",
    "monitor:ActionGroup": "Microsoft.Insights/actionGroups/{actionGroupName}",
    "network:NatGateway": "Microsoft.Network/natGateways/{natGatewayName}",
    "network:NetworkSecurityGroup": "Microsoft.Network/networkSecurityGroups/{networkSecurityGroupName}",
    "network:PublicIPAddress": "Microsoft.Network/publicIPAddresses/{publicIpAddressName}",
    "network:Subnet": "Microsoft.Network/virtualNetworks/{virtualNetworkName}/subnets/{subnetName}",
    "network:VirtualNetwork": "Microsoft.Network/virtualNetworks/{virtualNetworkName}",
    "operationalinsights:Workspace": "Microsoft.OperationalInsights/workspaces/{workspaceName}",
    "privatedns:PrivateZone": "Microsoft.Network/privateDnsZones/{privateZoneName}",
    "storage:BlobContainer": (
        "Microsoft.Storage/storageAccounts/{accountName}/blobServices/default/containers/{containerName}"
    ),
    "storage:StorageAccount": "Microsoft.Storage/storageAccounts/{accountName}",
}
"""The IDs of Azure resources below their group, by type. The last part of an ID is the resource's name or, if the
inputs have no name, Pulumi's name for the resource.
"""

COMPUTED: dict[str, dict[str, Any]] = {
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://cluster.eks.example",
        "certificateAuthority": {"data": "Y2VydGlmaWNhdGU="},
        "vpcConfig": {"clusterSecurityGroupId": "sg-cluster", "vpcId": "vpc", "subnetIds": []},
    },
    "aws:eks/nodeGroup:NodeGroup": {"resources": [{"autoscalingGroups": [{"name": "asg"}]}]},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:iam/accessKey:AccessKey": {"secret": "made-by-iam"},
    "aws:rds/instance:Instance": {
        "address": "database.rds.example",
        "masterUserSecrets": [
            {
                "secretArn": f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:rds!db-1-abcdef",
                "secretStatus": "active",
            }
        ],
    },
    "azure-native:containerservice:ManagedCluster": {
        "oidcIssuerProfile": {"issuerURL": "https://westeurope.oic.prod-aks.azure.com/tenant/issuer/"}
    },
    "gcp:compute/address:Address": {"address": "10.0.0.5"},
    "gcp:container/cluster:Cluster": {
        "endpoint": "10.0.0.2",
        "masterAuth": {"clusterCaCertificate": "Y2VydGlmaWNhdGU="},
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": f"gke-1.europe-west4-{ACCOUNT}.gke.goog"}},
    },
    "gcp:monitoring/notificationChannel:NotificationChannel": {
        "name": f"projects/{GOOGLE_PROJECT}/notificationChannels/1"
    },
    "gcp:sql/databaseInstance:DatabaseInstance": {
        "pscServiceAttachmentLink": "projects/p-tp/regions/europe-west4/serviceAttachments/a-psc"
    },
}
"""Outputs that a cloud adds to a resource's inputs, by type."""


class Nothing(pulumi.runtime.Mocks):
    """Mocks that return every resource's inputs plus the outputs a cloud would add.

    Referenced stacks have every output the program reads.
    """

    def __init__(self, outputs: dict[str, str]) -> None:
        self._outputs = outputs

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Return the inputs plus the outputs added by the cloud.

        The ID is a path in Google Cloud and Azure, and the name elsewhere.
        """
        if args.typ == "pulumi:pulumi:StackReference":
            issuer = {"issuer": f"https://{args.name}.example/id"} if "issuer" in self._outputs else {}
            return args.name, {"outputs": {**self._outputs, **issuer}, "secretOutputNames": ["kubeconfig"]}
        outputs: dict[str, Any] = dict(cast("dict[str, Any]", args.inputs))  # pyright: ignore[reportUnknownMemberType] # the SDK leaves it untyped
        if args.typ.startswith("aws:"):
            kind = args.typ.rpartition(":")[2]
            outputs = {"arn": f"arn:aws:{args.typ.split(':')[1].partition('/')[0]}:::{kind}/{args.name}", **outputs}
            outputs = {"name": args.name, "keyId": args.name, **outputs}
            if args.typ == "aws:s3/bucket:Bucket":
                outputs["arn"] = f"arn:aws:s3:::{outputs['bucket']}"
        if args.typ.startswith("gcp:"):
            outputs = _of_google(args.typ, {"name": args.name, "project": GOOGLE_PROJECT, **outputs})
        if args.typ.startswith("azure-native:"):
            outputs = _of_azure(args.typ, args.name, outputs)
        if args.typ == "pulumi:index:Stash":
            outputs["output"] = outputs["input"]
        for key, value in COMPUTED.get(args.typ, {}).items():
            outputs[key] = {**outputs.get(key, {}), **value} if isinstance(value, dict) else value
        return outputs.get("id", args.name), outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Return the cloud's result for a function that our programs call."""
        arguments = cast("dict[str, Any]", args.args)  # pyright: ignore[reportUnknownMemberType] # the SDK leaves it untyped
        if args.token == "gcp:compute/getZones:getZones":
            return {"names": [f"{arguments['region']}-{letter}" for letter in "abcd"]}
        if args.token == "gcp:compute/getMachineTypes:getMachineTypes":
            machine = arguments["filter"].split('"')[1]
            return {
                "machineTypes": [{"name": machine}] if arguments["zone"][-1] in ZONES_WITH.get(machine, "abc") else []
            }
        return ANSWERS[args.token]


def _of_google(type_: str, outputs: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs that Google adds to a resource: its ID, a link, and an account's e-mail address."""
    identifier = GOOGLE_IDS[type_].format_map(outputs) if type_ in GOOGLE_IDS else outputs["name"]
    account = ""
    if type_ == "gcp:serviceaccount/account:Account":
        account = f"{outputs['accountId']}@{GOOGLE_PROJECT}.iam.gserviceaccount.com"
    if type_ == "gcp:projects/serviceIdentity:ServiceIdentity":
        service = outputs["service"].partition(".")[0]
        account = f"service-{ACCOUNT}@gcp-sa-{service}.iam.gserviceaccount.com"
    emails = {"email": account, "member": f"serviceAccount:{account}"} if account else {}
    link = f"https://www.googleapis.com/compute/v1/{identifier}"
    return {"id": identifier, "selfLink": link, **emails, **outputs}


def _of_azure(type_: str, title: str, outputs: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs Azure adds to a resource.

    These are its ID and name and, for some types, addresses or other IDs.
    """
    kind = type_.removeprefix("azure-native:")
    names: dict[str, Any] = defaultdict(lambda: title, outputs)
    path = AZURE_IDS.get(kind, f"Microsoft.Unknown/{kind.partition(':')[2]}/{{name}}").format_map(names)
    name = path.rpartition("/")[2]
    added: dict[str, Any] = {
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{names['resourceGroupName']}/providers/{path}",
        "name": name,
    }
    if kind == "resources:ResourceGroup":
        name = outputs["resourceGroupName"]
        added = {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}", "name": name}
    if kind == "keyvault:Vault":
        added["properties"] = {**outputs["properties"], "vaultUri": f"https://{name}.vault.azure.net/"}
    if kind == "keyvault:Key":
        uri = f"https://{outputs['vaultName']}.vault.azure.net/keys/{name}"
        added |= {"keyUri": uri, "keyUriWithVersion": f"{uri}/0123456789abcdef0123456789abcdef"}
    if kind == "managedidentity:UserAssignedIdentity":
        added |= {f"{use}Id": str(uuid5(NAMESPACE_URL, f"{use}/{name}")) for use in ("client", "principal")}
    if kind == "dbforpostgresql:Server":
        added["fullyQualifiedDomainName"] = f"{name}.postgres.database.azure.com"
    if "userAssignedIdentities" in outputs.get("identity", {}):
        identity_ids = outputs["identity"]["userAssignedIdentities"]
        identities: dict[str, dict[str, Any]] = {identity: {} for identity in identity_ids}
        added["identity"] = {**outputs["identity"], "userAssignedIdentities": identities}
    return {**outputs, **added}


class Recorder(mocks.MockMonitor):
    """Records the resources that a program registers."""

    def __init__(self, answers: Nothing) -> None:
        super().__init__(answers)
        self.seen: list[dict[str, Any]] = []

    def RegisterResource(self, request: Any) -> Any:
        """Record a registration request and respond as the mock does."""
        inputs = _to_dict(request.object)
        self.seen.append(
            {
                "type": request.type,
                "name": request.name,
                "parent": _short(request.parent),
                "provider": _short(request.provider.rpartition("::")[0] if request.provider else ""),
                "dependsOn": sorted(_short(urn) for urn in request.dependencies),
                "propertyDependencies": {
                    name: sorted(_short(urn) for urn in each.urns)
                    for name, each in sorted(request.propertyDependencies.items())
                    if each.urns
                },
                "protect": request.protect,
                "ignoreChanges": list(request.ignoreChanges),
                **({"replaceOnChanges": list(request.replaceOnChanges)} if request.replaceOnChanges else {}),
                **({"deleteBeforeReplace": True} if request.deleteBeforeReplace else {}),
                **({"retainOnDelete": True} if request.retainOnDelete else {}),
                "remote": request.remote,
                "inputs": inputs,
            }
        )
        return _answers(self, request)


def register(folder: Path) -> list[dict[str, Any]]:
    """Return the resources a folder's program registers.

    A path to a settings file selects that file's stack.
    """
    settings = folder if folder.is_file() else next(folder.glob("Pulumi.*.yaml"))
    folder = settings.parent
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    stack = settings.name.removeprefix("Pulumi.").removesuffix(".yaml")
    stack_settings: Any = yaml.safe_load(settings.read_text())
    config = cast("dict[str, Any]", stack_settings.get("config", {}))
    output_names = re.findall(r'\["(\w+)"\]', (folder / "__main__.py").read_text())
    answers = Nothing({name: f"the {name}" for name in output_names})
    monitor = Recorder(answers)
    mocks.set_mocks(answers, project["name"], stack, preview=False, monitor=monitor, organization="organization")
    values = {key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in config.items()}
    clouds = {"gcp:project": GOOGLE_PROJECT, "azure-native:subscriptionId": SUBSCRIPTION}
    pulumi.runtime.set_all_config({**clouds, **values})
    for name in [name for name in sys.modules if name.partition(".")[0] == "modelyard_stacks"]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        _runs(partial(_run, folder / "__main__.py"))()
        library = sys.modules.get("modelyard_stacks")  # a handwritten program has none
        assert library is None or Path(str(library.__file__)).parent == folder / "modelyard_stacks", library
    finally:
        sys.path.remove(str(folder))
    return sorted(monitor.seen, key=lambda resource: (resource["type"], resource["name"], resource["parent"]))


def _run(program: Path) -> None:
    pulumi.runtime.register_stack_transformation(_without_aliases)
    runpy.run_path(str(program), run_name="__main__")


def _without_aliases(args: pulumi.ResourceTransformationArgs) -> None:
    """Drop the aliases of Azure resources.

    There is one per API version, which accounts for most of a run's time.
    """
    if args.type_.startswith("azure-native:"):
        args.opts.aliases = None


def _short(urn: str) -> str:
    """Return the type and name in a URN, omitting the stack and project."""
    return "::".join(urn.split("::")[2:])


if __name__ == "__main__":
    os.chdir("/")  # a program must find its files from any working directory
    for argument in sys.argv[1:]:
        sys.stdout.write(json.dumps(register(Path(argument))) + "\n")
