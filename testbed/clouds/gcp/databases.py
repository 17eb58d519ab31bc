"""Cloud SQL instances, databases and users."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from testbed.clouds.gcp import members
from testbed.clouds.gcp.api import Api, at, refused
from testbed.clouds.gcp.kinds import Kind, default_naming
from testbed.clouds.gcp.network import DATABASE as INSTANCE
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

DATABASE = "gcp:sql/database:Database"
USER = "gcp:sql/user:User"

_SQL = "sqladmin.googleapis.com"
_RELEASED = "released"
_CUSTOM = re.compile(r"db-custom-(\d+)-(\d+)")
_SHARED = ("db-f1-micro", "db-g1-small")


def _assign(api: Api, values: Values, before: Values) -> Values:
    name, region = str(values["name"]), api.filled("{region}", values)
    if not before and api.store.get(_RELEASED, f"{INSTANCE} {name}"):
        raise refused(
            409,
            "The Cloud SQL instance already exists. When you delete an instance, you can't reuse the name of the"
            " deleted instance until one week from the deletion date., instanceAlreadyExists",
        )
    number = before.get("number") or api.serial()
    attachment = f"projects/p{number}-tp/regions/{region}/serviceAttachments/a-{number}-psc-service-attachment"
    return {
        "number": number,
        "connectionName": f"{api.account}:{region}:{name}",
        "pscServiceAttachmentLink": attachment,
        "dnsName": f"{number}.{region}.sql.goog.",
        "selfLink": f"https://sqladmin.googleapis.com/sql/v1beta4/projects/{api.account}/instances/{name}",
        "serviceAccountEmailAddress": f"p{api.number}-{number}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
        "serverCaCerts": before.get("serverCaCerts") or [_authority(name)],
    }


def _authority(instance: str) -> Values:
    """Create an instance's certificate authority, which is valid for ten years."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Google Cloud SQL Server CA {instance}")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    return {
        "cert": certificate.public_bytes(Encoding.PEM).decode(),
        "commonName": name.rfc4514_string(),
        "createTime": certificate.not_valid_before_utc.isoformat(),
        "expirationTime": certificate.not_valid_after_utc.isoformat(),
        "sha1Fingerprint": certificate.fingerprint(SHA1()).hex(),  # the API's own name and algorithm
    }


def _machine(api: Api, values: Values) -> None:
    """Reject invalid machines.

    Source: https://docs.cloud.google.com/sql/docs/postgres/instance-settings, read 2026-11-27.
    """
    tier = str(values["settings"]["tier"])
    custom = _CUSTOM.fullmatch(tier)
    cores, megabytes = (int(custom[1]), int(custom[2])) if custom else (0, 0)
    fits = cores and megabytes % 256 == 0 and 0.9 * 1024 <= megabytes / cores <= 6.5 * 1024 and megabytes >= 3840
    if not fits and tier not in _SHARED:
        raise refused(400, f"Invalid request: Invalid Tier ({tier}) for ({values['databaseVersion']})., invalid")


def _backups(api: Api, values: Values) -> None:
    """Reject contradictory backup settings, and regional instances without point-in-time recovery.

    Source: sqladmin.v1, BackupConfiguration, read 2026-11-27.
    """
    backups = values["settings"].get("backupConfiguration") or {}
    days = int(backups.get("transactionLogRetentionDays", 7))
    (retained,) = at(backups, "backupRetentionSettings.retainedBackups") or [7]
    if not 1 <= days <= 7 or days > retained:
        raise refused(
            400, f"Invalid request: {days} days of transaction logs with {retained} retained backups., invalid"
        )
    if values["settings"].get("availabilityType") == "REGIONAL" and not backups.get("pointInTimeRecoveryEnabled"):
        raise refused(400, "Invalid request: a regional instance needs backups and their logs., invalid")


def _no_smaller_disk(api: Api, values: Values) -> None:
    """Refuse to shrink a disk. Source: sqladmin.v1, Settings, dataDiskSizeGb, read 2026-11-27."""
    before = api.find(INSTANCE, str(values["name"]))
    if before and int(values["settings"]["diskSize"]) < int(before["settings"]["diskSize"]):
        raise refused(400, "Invalid request: The disk size of an instance cannot be decreased., invalid")


def _protected(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a protected instance, or else record retained backups and reserve the name.

    Wording of the first error: issues about the provider bridged by pulumi-gcp, read 2026-11-27.
    """
    if values.get("deletionProtection", True):
        raise Refused(
            "Error",
            "Error, failed to delete instance because deletion_protection is set to true. Set it to false to proceed"
            " with instance deletion.",
        )
    current = api.find(INSTANCE, identifier) or {}
    if current["settings"].get("deletionProtectionEnabled"):
        raise refused(400, "The instance is protected. Please disable the deletion protection and try again., invalid")
    if current["settings"].get("retainBackupsOnDelete") or at(current, "settings.finalBackupConfig.enabled") == [True]:
        api.store.put("backups", identifier, {"key": current.get("encryptionKeyName")})
    api.store.put(_RELEASED, f"{INSTANCE} {identifier}", {"for": "a week"})


KINDS = {
    INSTANCE: Kind(
        "{name}",
        _SQL,
        fixed=frozenset({"name", "region", "project", "collation", "encryptionKeyName", "masterInstanceName"}),
        naming=default_naming(98),
        client=frozenset({"deletionProtection"}),
        assign=_assign,
        rules=(_machine, _backups, _no_smaller_disk, members.encrypts("sqladmin", "encryptionKeyName")),
        guards=(_protected,),
        contains=(DATABASE, USER),
        exists="The Cloud SQL instance {} already exists., instanceAlreadyExists",
    ),
    DATABASE: Kind(
        "projects/{project}/instances/{instance}/databases/{name}",
        _SQL,
        fixed=frozenset({"name", "instance", "project"}),
        naming=default_naming(),
        references={"instance": INSTANCE},
    ),
    USER: Kind(
        "{name}//{instance}",
        _SQL,
        fixed=frozenset({"name", "instance", "type", "host", "project"}),
        client=frozenset({"password"}),  # the API never returns it
        references={"instance": INSTANCE},
    ),
}
