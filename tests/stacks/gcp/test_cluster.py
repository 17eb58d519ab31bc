"""Tests that the cluster is private and encrypted, without the permissions Google grants by default."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.gcp.programs import CLUSTER, elsewhere, registered
from tests.stacks.programs import Refused

GKE = "gcp:container/cluster:Cluster"
ACCOUNT = "gcp:serviceaccount/account:Account"
MEMBER = "gcp:projects/iAMMember:IAMMember"
KEY = "projects/acme-ml/locations/europe-west4/keyRings/fraud-prod-main/cryptoKeys/fraud-prod-main"
WITH_KUBECONFIG = f"""{CLUSTER}
import pulumi

pulumi.ComponentResource("tiny:Names", "names", {{"kubeconfig": cluster.kubeconfig}})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a private cluster."""
    return registered(tmp_path_factory.mktemp("cluster"), WITH_KUBECONFIG)


@pytest.fixture(scope="module")
def cluster_inputs(resources: Resources) -> dict[str, Any]:
    """Return the cluster's inputs."""
    return inputs(resources, GKE, "fraud-prod-main")


def kubeconfig(resources: Resources) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(inputs(resources, "tiny:Names", "names")["kubeconfig"])
    return config


def test_neither_nodes_nor_the_api_are_public(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["privateClusterConfig"] == {
        "enablePrivateNodes": True,
        "enablePrivateEndpoint": True,
        "masterGlobalAccessConfig": {"enabled": True},
    }
    assert cluster_inputs["masterAuthorizedNetworksConfig"] == {
        "cidrBlocks": [],
        "gcpPublicCidrsAccessEnabled": False,
        "privateEndpointEnforcementEnabled": True,
    }
    assert cluster_inputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["allowExternalTraffic"] is False


def test_public_api_accepts_only_the_addresses_in_the_spec(tmp_path: Path) -> None:
    program = CLUSTER.replace('version="1.35"', 'version="1.35", public_access_cidrs=["198.51.100.0/24"]')
    cluster = inputs(registered(tmp_path, program), GKE, "fraud-prod-main")

    assert cluster["privateClusterConfig"]["enablePrivateNodes"] is True
    assert cluster["privateClusterConfig"]["enablePrivateEndpoint"] is False
    assert cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"] == [{"cidrBlock": "198.51.100.0/24"}]


def test_setting_allows_connected_networks_to_reach_the_private_api(tmp_path: Path) -> None:
    resources = registered(tmp_path, CLUSTER, "apiClients: '[\"10.99.0.0/16\"]'")
    cluster = inputs(resources, GKE, "fraud-prod-main")

    assert cluster["privateClusterConfig"]["enablePrivateEndpoint"] is True
    assert cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"] == [{"cidrBlock": "10.99.0.0/16"}]


def test_setting_enables_the_dns_endpoint_protected_by_iam(tmp_path: Path) -> None:
    resources = registered(tmp_path, WITH_KUBECONFIG, "dnsEndpoint: true")
    endpoints = inputs(resources, GKE, "fraud-prod-main")["controlPlaneEndpointsConfig"]

    assert endpoints["dnsEndpointConfig"] == {
        "allowExternalTraffic": True,
        "enableK8sCertsViaDns": False,
        "enableK8sTokensViaDns": False,
    }
    assert kubeconfig(resources)["clusters"][0]["cluster"] == {
        "server": "https://gke-1.europe-west4-123456789012.gke.goog"
    }


def test_kubeconfig_contains_no_secret(resources: Resources) -> None:
    config = kubeconfig(resources)
    user = config["users"][0]["user"]

    assert config["clusters"][0]["cluster"] == {
        "server": "https://10.0.0.2",
        "certificate-authority-data": base64.b64encode(b"certificate").decode(),
    }
    assert set(user) == {"exec"}
    assert user["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert user["exec"]["args"] == ["--use_application_default_credentials"], "Pulumi has no other login"


def test_network_policies_are_enforced(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["datapathProvider"] == "ADVANCED_DATAPATH"
    assert cluster_inputs["addonsConfig"]["networkPolicyConfig"] == {"disabled": True}
    assert cluster_inputs["addonsConfig"]["dnsCacheConfig"] == {"enabled": False}
    assert cluster_inputs["dnsConfig"] == {"clusterDns": "KUBE_DNS"}, "policies open the Pods of kube-dns"


def test_pods_have_their_own_identities(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["workloadIdentityConfig"] == {"workloadPool": "acme-ml.svc.id.goog"}
    assert cluster_inputs["nodeConfig"]["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}


def test_secrets_are_encrypted_with_our_key(resources: Resources, cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["databaseEncryption"] == {"state": "ENCRYPTED", "keyName": KEY}
    assert cluster_inputs["nodeConfig"]["bootDiskKmsKey"] == KEY
    grants = {
        f"gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember fraud-prod-main-{name}" for name in ("compute", "container")
    }
    assert grants <= needs(resources, GKE, "fraud-prod-main")


def test_legacy_and_anonymous_access_is_disabled(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["enableShieldedNodes"] is True
    assert cluster_inputs["enableLegacyAbac"] is False
    assert cluster_inputs["masterAuth"] == {"clientCertificateConfig": {"issueClientCertificate": False}}
    assert cluster_inputs["anonymousAuthenticationConfig"] == {"mode": "LIMITED"}
    assert set(cluster_inputs["rbacBindingConfig"].values()) == {False}
    assert cluster_inputs["binaryAuthorization"] == {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"}
    defaults = cluster_inputs["nodePoolDefaults"]["nodeConfigDefaults"]
    assert defaults == {"insecureKubeletReadonlyPortEnabled": "FALSE"}


def test_features_that_workloads_replace_are_disabled(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["addonsConfig"]["rayOperatorConfigs"] == [{"enabled": False}]
    assert cluster_inputs["gatewayApiConfig"] == {"channel": "CHANNEL_DISABLED"}
    assert cluster_inputs["monitoringConfig"]["managedPrometheus"] == {"enabled": False}
    assert "WORKLOADS" not in cluster_inputs["loggingConfig"]["enableComponents"]


def test_nodes_may_only_write_logs_and_metrics(resources: Resources) -> None:
    account = inputs(resources, ACCOUNT, "fraud-prod-main-nodes")

    assert {name: each["inputs"] for name, each in of(resources, MEMBER).items()} == {
        "fraud-prod-main-nodes": {
            "project": "acme-ml",
            "role": "roles/container.defaultNodeServiceAccount",
            "member": f"serviceAccount:{account['accountId']}@acme-ml.iam.gserviceaccount.com",
        }
    }


def test_default_pool_is_removed_and_its_settings_ignored(resources: Resources, cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["removeDefaultNodePool"] is True
    assert cluster_inputs["nodeConfig"]["diskType"] == "pd-standard", "no quota of SSDs is needed for it"
    assert resources[f"{GKE} fraud-prod-main"]["ignoreChanges"] == ["nodeConfig"]


def test_google_upgrades_only_on_weekends(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["releaseChannel"] == {"channel": "REGULAR"}
    assert cluster_inputs["minMasterVersion"] == "1.35"
    assert cluster_inputs["maintenancePolicy"] == {
        "recurringWindow": {
            "startTime": "2026-01-03T00:00:00Z",
            "endTime": "2026-01-03T08:00:00Z",
            "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
        }
    }


def test_setting_turns_both_protections_off(resources: Resources, tmp_path: Path) -> None:
    without = registered(tmp_path, CLUSTER, "protect: false")

    assert resources[f"{GKE} fraud-prod-main"]["protect"]
    assert inputs(resources, GKE, "fraud-prod-main")["deletionProtection"] is True
    assert not without[f"{GKE} fraud-prod-main"]["protect"]
    assert inputs(without, GKE, "fraud-prod-main")["deletionProtection"] is False


def test_administrators_are_limited_to_this_cluster(tmp_path: Path) -> None:
    resources = registered(tmp_path, CLUSTER, "admins: '[\"group:platform@acme.example\"]'")

    assert inputs(resources, MEMBER, "fraud-prod-main-platform@acme.example") == {
        "project": "acme-ml",
        "role": "roles/container.admin",
        "member": "group:platform@acme.example",
        "condition": {
            "title": "cluster fraud-prod-main",
            "expression": 'resource.name == "projects/acme-ml/locations/europe-west4/clusters/fraud-prod-main"',
        },
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("admins: '[\"platform@acme.example\"]'", "must be members such as group:NAME"),
        ("admins: '\"group:platform@acme.example\"'", "the setting admins is a list"),
        ("apiClients: '[]'", "the setting apiClients is a list"),
    ],
)
def test_settings_of_the_wrong_type_are_refused(settings: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=message):
        registered(tmp_path, CLUSTER, settings)


def test_names_that_gke_does_not_accept_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="a name can have at most 40 characters"):
        registered(tmp_path, CLUSTER.replace('Cluster(\n    "fraud-prod-main"', f'Cluster(\n    "{"f" * 41}"'))


def test_everything_belongs_to_the_project(resources: Resources) -> None:
    assert not elsewhere(resources)
