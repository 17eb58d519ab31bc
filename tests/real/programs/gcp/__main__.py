"""Creates Google Cloud resources like a beginner might, including some that block each other's deletion."""

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
account = gcp.Provider("account", project="acme", region="europe-west4", default_labels={"owner": "platform"})
options = pulumi.ResourceOptions(provider=account)
enabled = [
    gcp.projects.Service(name, service=f"{name}.googleapis.com", disable_on_destroy=False, opts=options)
    for name in ("cloudkms", "compute", "iam", "secretmanager", "storage")
]
ready = pulumi.ResourceOptions(provider=account, depends_on=enabled)
agent = gcp.storage.get_project_service_account_output(
    project="acme", opts=pulumi.InvokeOutputOptions(provider=account, depends_on=list(enabled))
)

network = gcp.compute.Network("network", auto_create_subnetworks=False, description=config.require("about"), opts=ready)
gcp.compute.Subnetwork(
    "subnetwork",
    network=network.id,
    ip_cidr_range=config.require("cidr"),
    log_config=gcp.compute.SubnetworkLogConfigArgs(flow_sampling=0.5),
    opts=options,
)
gcp.compute.Firewall(
    "deny",
    network=network.id,
    direction="INGRESS",
    source_ranges=["0.0.0.0/0"],
    denies=[gcp.compute.FirewallDenyArgs(protocol="all")],
    opts=options,
)
ring = gcp.kms.KeyRing("ring", location="europe-west4", opts=ready)
key = gcp.kms.CryptoKey("key", key_ring=ring.id, rotation_period="7776000s", opts=options)
grant = gcp.kms.CryptoKeyIAMMember(
    "storage",
    crypto_key_id=key.id,
    role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
    member=agent.member,
    opts=options,
)
bucket = gcp.storage.Bucket(
    "data",
    name="small-data-20261127",
    location="EUROPE-WEST4",
    uniform_bucket_level_access=True,
    encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=key.id),
    lifecycle_rules=[
        gcp.storage.BucketLifecycleRuleArgs(
            action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
            condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=config.require_int("days")),
        )
    ],
    opts=pulumi.ResourceOptions(provider=account, depends_on=[grant]),
)
reader = gcp.serviceaccount.Account("reader", account_id="small-reader", opts=ready)
gcp.storage.BucketIAMMember(
    "reader",
    bucket=bucket.name,
    role="roles/storage.objectViewer",
    member=reader.member,
    condition=gcp.storage.BucketIAMMemberConditionArgs(
        title="raw", expression='resource.name.startsWith("projects/_/buckets/small-data-20261127/objects/raw/")'
    ),
    opts=options,
)
secret = gcp.secretmanager.Secret(
    "token",
    secret_id="small-token",
    replication=gcp.secretmanager.SecretReplicationArgs(auto=gcp.secretmanager.SecretReplicationAutoArgs()),
    opts=ready,
)
gcp.secretmanager.SecretVersion(
    "token", secret=secret.id, secret_data=pulumi.Output.secret("only for this test"), opts=options
)

pulumi.export("labels", bucket.effective_labels)
pulumi.export("network", network.self_link)
