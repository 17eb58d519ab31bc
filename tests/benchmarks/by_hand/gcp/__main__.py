"""The infrastructure of the example `hello` on Google Cloud, written by hand with plain pulumi-gcp.

It does the same as the emitted program: a private network with NAT and Google's APIs at private addresses, GKE with
node pools for the system, training and serving, one key for encryption at rest, a bucket, a PostgreSQL database, an
image repository, permissions for each workload, logs and alarms. Where there are alternatives, it uses whichever has
the fewest resources without weakening access control or encryption, with these exceptions:

- IAM members instead of bindings or policies, which would remove the members that Google and others add.
- An alert policy for each condition, because people silence whole policies, not single conditions.
- Private DNS zones for Google's APIs, as in Google's guide. A response policy would need fewer resources, but a network
  can have only one.
"""

import json
import secrets
from collections.abc import Sequence
from typing import Any, cast

import pulumi
import pulumi_gcp as gcp

REGION = "europe-west3"
NAME = "hello-gcp-main"
NAMESPACE = "hello-gcp"
BUCKET = "hello-gcp-lake-4b1d07"
LABELS = {
    "modelyard-system": "hello",
    "modelyard-environment": "gcp",
    "modelyard-target": "main",
    "modelyard-owner": "growth",
}
LOG_DAYS = 30
EMAIL = "growth@acme.example"
PROTECT = pulumi.Config().get_bool("protect") is not False
PROJECT = pulumi.Config("gcp").require("project")
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]

provider = gcp.Provider(
    "main",
    project=PROJECT,
    region=REGION,
    default_labels=LABELS,
    billing_project=PROJECT,
    user_project_override=True,
)
here = pulumi.ResourceOptions(provider=provider)


def after(*resources: pulumi.Resource, protect: bool | None = None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(provider=provider, depends_on=list(resources), protect=protect)


# ---- the APIs

apis = [
    gcp.projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False, opts=here)
    for api in (
        "artifactregistry",
        "binaryauthorization",
        "cloudkms",
        "cloudresourcemanager",
        "compute",
        "container",
        "dns",
        "iam",
        "iamcredentials",
        "logging",
        "monitoring",
        "secretmanager",
        "serviceusage",
        "sqladmin",
        "storage",
        "sts",
    )
]
asking = pulumi.InvokeOutputOptions(provider=provider, depends_on=list(apis))
number = gcp.organizations.get_project_output(project_id=PROJECT, opts=asking).number

# ---- the key

ring = gcp.kms.KeyRing(NAME, location=REGION, opts=after(*apis, protect=PROTECT))
key = gcp.kms.CryptoKey(
    NAME,
    name=NAME,
    key_ring=ring.id,
    purpose="ENCRYPT_DECRYPT",
    rotation_period=f"{90 * 24 * 3600}s",
    deletion_policy="ABANDON",
    opts=after(protect=PROTECT),
)


def agent(service: str) -> pulumi.Output[str]:
    """Create a service's own account in this project, where it otherwise only appears on the first request."""
    api = f"{service}.googleapis.com"
    return gcp.projects.ServiceIdentity(f"{NAME}-{service}", service=api, project=PROJECT, opts=after(*apis)).member


agents = {
    **{each: agent(each) for each in ("artifactregistry", "container", "secretmanager", "sqladmin")},
    "compute": pulumi.Output.concat("serviceAccount:service-", number, "@compute-system.iam.gserviceaccount.com"),
    "logging": pulumi.Output.concat(
        "serviceAccount:",
        gcp.logging.get_project_cmek_settings_output(project=PROJECT, opts=asking).service_account_id,
    ),
    "storage": gcp.storage.get_project_service_account_output(project=PROJECT, opts=asking).member,
}
uses_key = {
    service: gcp.kms.CryptoKeyIAMMember(
        f"{NAME}-{service}",
        crypto_key_id=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=member,
        # backups of databases outlive the stack
        opts=pulumi.ResourceOptions(provider=provider, retain_on_delete=service == "sqladmin"),
    )
    for service, member in agents.items()
}

# ---- the network

network = gcp.compute.Network(
    NAME,
    auto_create_subnetworks=False,
    routing_mode="REGIONAL",
    delete_default_routes_on_create=False,
    opts=after(*apis, protect=PROTECT),
)
subnetwork = gcp.compute.Subnetwork(
    NAME,
    network=network.id,
    region=REGION,
    ip_cidr_range="10.0.0.0/18",
    private_ip_google_access=True,
    secondary_ip_ranges=[
        {"range_name": "pods", "ip_cidr_range": "10.0.128.0/17"},
        {"range_name": "services", "ip_cidr_range": "10.0.64.0/19"},
    ],
    log_config={
        "aggregation_interval": "INTERVAL_10_MIN",
        "flow_sampling": 0.5,
        "metadata": "INCLUDE_ALL_METADATA",
    },
    opts=after(protect=PROTECT),
)
gcp.compute.Firewall(
    f"{NAME}-deny",
    network=network.id,
    description="Logs connections that no rule allows",
    direction="INGRESS",
    priority=65534,
    source_ranges=["0.0.0.0/0"],
    denies=[{"protocol": "all"}],
    log_config={"metadata": "INCLUDE_ALL_METADATA"},
    opts=here,
)
router = gcp.compute.Router(NAME, network=network.id, region=REGION, opts=here)
nat = gcp.compute.RouterNat(
    NAME,
    router=router.name,
    region=REGION,
    nat_ip_allocate_option="AUTO_ONLY",
    source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
    enable_dynamic_port_allocation=True,
    enable_endpoint_independent_mapping=False,
    min_ports_per_vm=64,
    max_ports_per_vm=4096,
    log_config={"enable": True, "filter": "ERRORS_ONLY"},
    opts=here,
)
records: list[gcp.dns.RecordSet] = []
for domain, host in (("googleapis.com", "private.googleapis.com"), ("gcr.io", "gcr.io"), ("pkg.dev", "pkg.dev")):
    zone_name = f"{NAME}-{domain.replace('.', '-')}"
    zone = gcp.dns.ManagedZone(
        zone_name,
        dns_name=f"{domain}.",
        description=f"Google's private addresses for {domain}",
        visibility="private",
        private_visibility_config={"networks": [{"network_url": network.self_link}]},
        opts=here,
    )
    for kind, name, values in (
        ("A", host, [f"199.36.153.{last}" for last in range(8, 12)]),
        ("CNAME", f"*.{domain}", [f"{host}."]),
    ):
        records.append(
            gcp.dns.RecordSet(
                f"{zone_name}-{kind.lower()}",
                managed_zone=zone.name,
                name=f"{name}.",
                type=kind,
                ttl=300,
                rrdatas=values,
                opts=here,
            )
        )

# ---- logs of the cluster and the network

logs = gcp.logging.ProjectBucketConfig(
    NAME,
    project=PROJECT,
    location=REGION,
    bucket_id=ring.name,
    description=f"Cluster {NAME} and its network",
    retention_days=LOG_DAYS,
    cmek_settings={"kms_key_name": key.id},
    opts=after(uses_key["logging"]),
)
ours = pulumi.Output.format(
    'resource.labels.cluster_name="{0}" OR (log_id("compute.googleapis.com/vpc_flows") '
    'AND resource.labels.subnetwork_name="{1}")',
    NAME,
    subnetwork.name,
)
sink = gcp.logging.ProjectSink(
    NAME,
    destination=pulumi.Output.concat("logging.googleapis.com/", logs.id),
    filter=ours,
    unique_writer_identity=True,
    opts=here,
)
gcp.logging.ProjectExclusion(NAME, filter=ours, opts=after(sink))

# ---- the cluster

node_account = gcp.serviceaccount.Account(
    f"{NAME}-nodes", account_id=f"{NAME}-nodes", display_name=f"Nodes of {NAME}", opts=after(*apis)
)
node_rights = gcp.projects.IAMMember(
    f"{NAME}-nodes",
    project=PROJECT,
    role="roles/container.defaultNodeServiceAccount",
    member=node_account.member,
    opts=here,
)
cluster = gcp.container.Cluster(
    NAME,
    name=NAME,
    location=REGION,
    min_master_version="1.36",
    release_channel={"channel": "REGULAR"},
    maintenance_policy={
        "recurring_window": {
            "start_time": "2026-01-03T00:00:00Z",
            "end_time": "2026-01-03T08:00:00Z",
            "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
        }
    },
    deletion_protection=PROTECT,
    resource_labels=LABELS,
    cost_management_config={"enabled": True},
    remove_default_node_pool=True,
    initial_node_count=1,
    node_config={
        "service_account": node_account.email,
        "oauth_scopes": SCOPES,
        "boot_disk_kms_key": key.id,
        "disk_size_gb": 30,
        "disk_type": "pd-standard",
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "metadata": {"disable-legacy-endpoints": "true"},
    },
    network=network.id,
    subnetwork=subnetwork.id,
    networking_mode="VPC_NATIVE",
    ip_allocation_policy={"cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"},
    default_max_pods_per_node=64,
    datapath_provider="ADVANCED_DATAPATH",
    enable_intranode_visibility=True,
    private_cluster_config={
        "enable_private_nodes": True,
        "enable_private_endpoint": True,
        "master_global_access_config": {"enabled": True},
    },
    master_authorized_networks_config={
        "cidr_blocks": [],
        "gcp_public_cidrs_access_enabled": False,
        "private_endpoint_enforcement_enabled": True,
    },
    control_plane_endpoints_config={
        "dns_endpoint_config": {"allow_external_traffic": False},
        "ip_endpoints_config": {"enabled": True},
    },
    workload_identity_config={"workload_pool": f"{PROJECT}.svc.id.goog"},
    database_encryption={"state": "ENCRYPTED", "key_name": key.id},
    enable_shielded_nodes=True,
    enable_legacy_abac=False,
    anonymous_authentication_config={"mode": "LIMITED"},
    rbac_binding_config={
        "enable_insecure_binding_system_authenticated": False,
        "enable_insecure_binding_system_unauthenticated": False,
    },
    master_auth={"client_certificate_config": {"issue_client_certificate": False}},
    node_pool_defaults={"node_config_defaults": {"insecure_kubelet_readonly_port_enabled": "FALSE"}},
    binary_authorization={"evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"},
    security_posture_config={"mode": "BASIC"},
    logging_config={"enable_components": ["SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"]},
    monitoring_config={"enable_components": ["SYSTEM_COMPONENTS"], "managed_prometheus": {"enabled": False}},
    dns_config={"cluster_dns": "KUBE_DNS"},
    gateway_api_config={"channel": "CHANNEL_DISABLED"},
    addons_config={
        "gce_persistent_disk_csi_driver_config": {"enabled": True},
        "dns_cache_config": {"enabled": False},
        "network_policy_config": {"disabled": True},
        "ray_operator_configs": [{"enabled": False}],
    },
    opts=pulumi.ResourceOptions(
        provider=provider,
        depends_on=[nat, *records, uses_key["container"], uses_key["compute"]],
        protect=PROTECT,
        ignore_changes=["nodeConfig"],
    ),
)
# projects' owners administer every cluster; nobody else does unless the setting names them
for admin in cast("list[str]", pulumi.Config().get_object("admins") or []):
    gcp.projects.IAMMember(
        f"{NAME}-{admin}",
        project=PROJECT,
        role="roles/container.admin",
        member=admin,
        condition={
            "title": f"cluster {NAME}",
            "expression": f'resource.name == "projects/{PROJECT}/locations/{REGION}/clusters/{NAME}"',
        },
        opts=here,
    )


def node_pool(pool: str, machine: str, min_nodes: int, max_nodes: int, *, tainted: bool = True) -> None:
    gcp.container.NodePool(
        pool,
        name=pool,
        cluster=cluster.name,
        location=REGION,
        node_config={
            "machine_type": machine,
            "disk_type": "pd-balanced",
            "disk_size_gb": 100,
            "boot_disk_kms_key": key.id,
            "image_type": "COS_CONTAINERD",
            "labels": {"modelyard.dev/pool": pool, "modelyard.dev/capacity": "on-demand"},
            "taints": [{"key": "modelyard.dev/pool", "value": pool, "effect": "NO_SCHEDULE"}] if tainted else [],
            "resource_labels": LABELS,
            "service_account": node_account.email,
            "oauth_scopes": SCOPES,
            "workload_metadata_config": {"mode": "GKE_METADATA"},
            "metadata": {"disable-legacy-endpoints": "true"},
            "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
            "kubelet_config": {"insecure_kubelet_readonly_port_enabled": "FALSE"},
            "gvnic": {"enabled": True},
        },
        autoscaling={
            "total_min_node_count": min_nodes,
            "total_max_node_count": max_nodes,
            "location_policy": "BALANCED",
        },
        initial_node_count=1 if min_nodes >= 2 else 0,  # in each of three zones
        ignore_node_count_changes=True,
        management={"auto_repair": True, "auto_upgrade": True},
        upgrade_settings={"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0},
        network_config={"enable_private_nodes": True},
        opts=pulumi.ResourceOptions(
            provider=provider,
            depends_on=[cluster, node_rights, nat, *records, uses_key["compute"]],
            delete_before_replace=True,
            ignore_changes=["initialNodeCount"],
        ),
    )


node_pool("system", "e2-standard-2", 2, 5, tainted=False)
node_pool("pipelines-train", "e2-standard-4", 0, 1)
node_pool("inference-churn", "e2-standard-2", 1, 2)

# ---- the bucket

lake = gcp.storage.Bucket(
    "lake",
    name=BUCKET,
    location=REGION.upper(),
    storage_class="STANDARD",
    force_destroy=False,
    uniform_bucket_level_access=True,
    public_access_prevention="enforced",
    encryption={"default_kms_key_name": key.id},
    versioning={"enabled": True},
    soft_delete_policy={"retention_duration_seconds": 0},
    lifecycle_rules=[
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
        {
            "action": {"type": "Delete"},
            "condition": {"age": 90, "matches_prefixes": ["mlflow/logs/"], "with_state": "LIVE"},
        },
        {
            "action": {"type": "Delete"},
            "condition": {"days_since_noncurrent_time": 30, "with_state": "ARCHIVED"},
        },
    ],
    opts=after(uses_key["storage"], protect=PROTECT),
)

# ---- the database of the registry

database = gcp.sql.DatabaseInstance(
    "runs",
    database_version="POSTGRES_18",
    region=REGION,
    encryption_key_name=key.id,
    deletion_protection=PROTECT,
    settings={
        "tier": "db-custom-1-3840",
        "edition": "ENTERPRISE",
        "availability_type": "ZONAL",
        "disk_type": "PD_SSD",
        "disk_size": 20,
        "disk_autoresize": False,
        "deletion_protection_enabled": PROTECT,
        "user_labels": LABELS,
        "insights_config": {"query_insights_enabled": True},
        "maintenance_window": {"day": 7, "hour": 4, "update_track": "stable"},
        "backup_configuration": {
            "enabled": True,
            "start_time": "02:00",
            "location": REGION,
            "point_in_time_recovery_enabled": True,
            "transaction_log_retention_days": 7,
            "backup_retention_settings": {"retained_backups": 7, "retention_unit": "COUNT"},
        },
        "retain_backups_on_delete": True,
        "final_backup_config": {"enabled": True, "retention_days": 7},
        "ip_configuration": {
            "ipv4_enabled": False,
            "ssl_mode": "ENCRYPTED_ONLY",
            "server_ca_mode": "GOOGLE_MANAGED_INTERNAL_CA",
            "psc_configs": [{"psc_enabled": True, "allowed_consumer_projects": [PROJECT]}],
        },
        "database_flags": [
            {"name": flag, "value": value}
            for flag, value in (
                ("log_checkpoints", "on"),
                ("log_connections", "on"),
                ("log_disconnections", "on"),
                ("log_lock_waits", "on"),
                ("log_min_error_statement", "error"),
                ("log_min_messages", "warning"),
                ("log_temp_files", "0"),
            )
        ],
    },
    opts=after(*apis, uses_key["sqladmin"], protect=PROTECT),
)
gcp.sql.Database("runs", instance=database.name, name="runs", deletion_policy="ABANDON", opts=here)
address = gcp.compute.Address(
    "runs", address_type="INTERNAL", region=REGION, subnetwork=subnetwork.id, labels=LABELS, opts=here
)
gcp.compute.ForwardingRule(
    "runs",
    region=REGION,
    network=network.id,
    ip_address=address.self_link,
    load_balancing_scheme="",
    target=database.psc_service_attachment_link,
    opts=here,
)
authorities = gcp.sql.get_ca_certs_output(
    instance=database.name,
    project=PROJECT,
    opts=pulumi.InvokeOutputOptions(provider=provider, depends_on=[database]),
).certs
login = gcp.secretmanager.Secret(
    "runs",
    secret_id=pulumi.Output.concat(database.name, "-login"),
    replication={
        "user_managed": {
            "replicas": [{"location": REGION, "customer_managed_encryption": {"kms_key_name": key.id}}],
        }
    },
    opts=after(*apis, uses_key["secretmanager"]),
)
kept = gcp.secretmanager.SecretVersion(
    "runs",
    secret=login.id,
    secret_data=pulumi.Output.secret(json.dumps({"username": "runs", "password": secrets.token_urlsafe(32)})),
    opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["secretData"]),
)


def password_of(text: str | None) -> str:
    return str(json.loads(text or "{}")["password"])


gcp.sql.User(
    "runs",
    instance=database.name,
    name="runs",
    type="BUILT_IN",
    password=pulumi.Output.secret(cast("Any", kept.secret_data.apply(password_of))),
    deletion_policy="ABANDON",
    opts=here,
)

# ---- images

images = gcp.artifactregistry.Repository(
    NAME,
    repository_id=NAME,
    location=REGION,
    format="DOCKER",
    kms_key_name=key.id,
    docker_config={"immutable_tags": True},
    cleanup_policies=[
        {"id": "untagged", "action": "DELETE", "condition": {"tag_state": "UNTAGGED", "older_than": "1209600s"}}
    ],
    cleanup_policy_dry_run=False,
    opts=after(uses_key["artifactregistry"], protect=PROTECT),
)
gcp.artifactregistry.RepositoryIamMember(
    f"{NAME}-nodes",
    repository=images.name,
    location=REGION,
    role="roles/artifactregistry.reader",
    member=node_account.member,
    opts=here,
)

# ---- permissions of workloads


def pods(namespace: str, service_account: str) -> pulumi.Output[str]:
    return pulumi.Output.concat(
        "principal://iam.googleapis.com/projects/",
        number,
        f"/locations/global/workloadIdentityPools/{PROJECT}.svc.id.goog/subject/ns/{namespace}/sa/{service_account}",
    )


def lake_rights(
    workload: str, *, read: Sequence[str] = (), write: Sequence[str] = (), append: Sequence[str] = ()
) -> None:
    """Let a workload list the bucket and access the given folders in it."""
    member = pods(NAMESPACE, workload)
    gcp.storage.BucketIAMMember(
        f"{workload}-list",
        bucket=lake.name,
        role="roles/storage.legacyBucketReader",
        member=member,
        opts=after(cluster),
    )
    for role, folders in (("objectViewer", read), ("objectUser", write), ("objectCreator", append)):
        paths = [f"projects/_/buckets/{BUCKET}/objects/{folder}" for folder in folders]
        conditions = [f'resource.name == "{path}" || resource.name.startsWith("{path}/")' for path in paths]
        if conditions:
            gcp.storage.BucketIAMMember(
                f"{workload}-{role}",
                bucket=lake.name,
                role=f"roles/storage.{role}",
                member=member,
                condition={"title": f"{workload} {role}", "expression": " || ".join(conditions)},
                opts=after(cluster),
            )


lake_rights("registry", write=["mlflow"])
lake_rights("train", read=["subscribers"], write=["mlflow/models/hello-churn"], append=["mlflow/logs/train"])
lake_rights("churn", read=["mlflow/models/hello-churn"])
lake_rights("promoter", read=["mlflow/models"])
gcp.secretmanager.SecretIamMember(
    f"{NAME}-runs",
    project=PROJECT,
    secret_id=login.secret_id,
    role="roles/secretmanager.secretAccessor",
    member=pods("external-secrets", f"external-secrets-{NAME}"),
    opts=after(cluster),
)

# ---- alarms

mail = gcp.monitoring.NotificationChannel(
    EMAIL, type="email", display_name=f"{NAME}: {EMAIL}", labels={"email_address": EMAIL}, opts=after(*apis)
)


def alarm(name: str, description: str, condition: gcp.monitoring.AlertPolicyConditionArgsDict) -> None:
    gcp.monitoring.AlertPolicy(
        name,
        display_name=name,
        combiner="OR",
        conditions=[condition],
        documentation={"content": description, "mime_type": "text/markdown"},
        notification_channels=[mail.name],
        user_labels=LABELS,
        opts=after(*apis),
    )


def watched(metric: str) -> pulumi.Output[str]:
    return pulumi.Output.format(
        'resource.type="cloudsql_database" AND resource.labels.database_id="{0}:{1}" AND metric.type="{2}"',
        PROJECT,
        database.name,
        f"cloudsql.googleapis.com/database/{metric}",
    )


for what, metric, limit in (
    ("storage", "disk/utilization", 0.85),
    ("cpu", "cpu/utilization", 0.8),
    ("connections", "postgresql/num_backends", 80),
):
    alarm(
        f"runs-{what}",
        f"database runs: {metric} has exceeded its limit",
        {
            "display_name": "above its limit",
            "condition_threshold": {
                "filter": watched(metric),
                "comparison": "COMPARISON_GT",
                "threshold_value": limit,
                "duration": "900s",
                "aggregations": [{"alignment_period": "300s", "per_series_aligner": "ALIGN_MEAN"}],
            },
        },
    )
alarm(
    "runs-silent",
    "database runs: it has stopped reporting metrics",
    {
        "display_name": "no metrics",
        "condition_absent": {
            "filter": watched("up"),
            "duration": "900s",
            "aggregations": [{"alignment_period": "300s", "per_series_aligner": "ALIGN_MEAN"}],
        },
    },
)
alarm(
    f"{NAME}-nat",
    "Cloud NAT has no free port for another connection",
    {
        "display_name": "above its limit",
        "condition_threshold": {
            "filter": pulumi.Output.format(
                'resource.type="nat_gateway" AND resource.labels.gateway_name="{0}" '
                'AND metric.type="router.googleapis.com/nat/nat_allocation_failed"',
                nat.name,
            ),
            "comparison": "COMPARISON_GT",
            "threshold_value": 0,
            "duration": "0s",
            "aggregations": [{"alignment_period": "300s", "per_series_aligner": "ALIGN_COUNT_TRUE"}],
        },
    },
)

# ---- what the workloads need

kubeconfig = pulumi.Output.json_dumps(
    {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": NAME,
                "cluster": {
                    "server": pulumi.Output.concat("https://", cluster.endpoint),
                    "certificate-authority-data": cluster.master_auth.cluster_ca_certificate,
                },
            }
        ],
        "users": [
            {
                "name": NAME,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "gke-gcloud-auth-plugin",
                        "args": ["--use_application_default_credentials"],
                        "interactiveMode": "Never",
                        "provideClusterInfo": True,
                    }
                },
            }
        ],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
)
pulumi.export("kubeconfig", kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", REGION)
pulumi.export("project", PROJECT)
pulumi.export("key_id", key.id)
pulumi.export("google_ranges", "199.36.153.8/30")
pulumi.export("image_registry", f"{REGION}-docker.pkg.dev/{PROJECT}/{NAME}")
pulumi.export("runs_host", address.address)
pulumi.export("runs_port", 5432)
pulumi.export(
    "runs_authority", authorities.apply(lambda certificates: "".join(f"{each.cert.strip()}\n" for each in certificates))
)
pulumi.export("runs_secret", login.secret_id)
