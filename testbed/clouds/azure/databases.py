"""PostgreSQL servers, their databases and parameters."""

from __future__ import annotations

import re
from typing import Any

from testbed.clouds.azure.api import Api, refused
from testbed.clouds.azure.keys import encrypts
from testbed.clouds.azure.kinds import kind, unique
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

_PREFIX = "azure-native:dbforpostgresql:"
SERVER = f"{_PREFIX}Server"
DATABASE = f"{_PREFIX}Database"
PARAMETER = f"{_PREFIX}Configuration"

_SIZES = (32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16384, 32767)
_TIERS = {"B": "Burstable", "D": "GeneralPurpose", "E": "MemoryOptimized"}
_VERSIONS = ("13", "14", "15", "16", "17", "18")
_SIZE = re.compile(r"Standard_([BDE])\d+\w*")
_LEAST_DAYS, _MOST_DAYS = 7, 35
_BUSY = (
    409,
    "ServerIsBusy",
    "Cannot complete operation while server '{1}' is busy processing another operation. Try again later.",
)


def _server(api: Api, values: Values, before: Values) -> Values:
    return {"fullyQualifiedDomainName": f"{values['serverName']}.postgres.database.azure.com"}


def _before(api: Api, values: Values) -> Values:
    return api.find(SERVER, api.filled(KINDS[SERVER].path, values)) or {}


def _machine(api: Api, values: Values) -> None:
    """Reject SKUs that don't belong to their tier, and burstable servers with high availability.

    Source: https://learn.microsoft.com/en-us/azure/postgresql/flexible-server/concepts-compute, 2026-11-27. High
    availability: .../flexible-server/concepts-high-availability.
    """
    name, tier = values["sku"]["name"], values["sku"]["tier"]
    matched = _SIZE.fullmatch(name)
    if matched is None or _TIERS[matched[1]] != tier:
        raise refused(400, "InvalidParameterValue", f"The sku {name} is not one of tier {tier}.")
    if tier == "Burstable" and (values.get("highAvailability") or {}).get("mode", "Disabled") != "Disabled":
        raise refused(400, "HighAvailabilityNotSupported", "High availability is not supported for Burstable SKU tier.")


def _storage(api: Api, values: Values) -> None:
    """Reject unsupported storage sizes and attempts to reduce the size.

    Source: https://learn.microsoft.com/en-us/azure/postgresql/flexible-server/concepts-storage, 2026-11-27.
    """
    size = int(values["storage"]["storageSizeGB"])
    before = int((_before(api, values).get("storage") or {}).get("storageSizeGB", 0))
    if size not in _SIZES:
        raise refused(400, "InvalidParameterValue", f"Storage size {size} is not one of {', '.join(map(str, _SIZES))}.")
    if size < before:
        raise refused(
            400, "StorageSizeReductionNotSupported", f"Reducing storage from {before} to {size} GB is not supported."
        )


def _version(api: Api, values: Values) -> None:
    """Reject unsupported versions and downgrades. Source: .../concepts-major-version-upgrade, read 2026-11-27."""
    version, before = str(values["version"]), str(_before(api, values).get("version", ""))
    if version not in _VERSIONS or (before and int(version) < int(before)):
        raise refused(400, "InvalidParameterValue", f"Version {version} is not possible after '{before}'.")


def _backup(api: Api, values: Values) -> None:
    """Reject unsupported backup retention periods. Source: .../concepts-backup-restore, read 2026-11-27."""
    days = int(values["backup"]["backupRetentionDays"])
    if not _LEAST_DAYS <= days <= _MOST_DAYS:
        raise refused(400, "InvalidParameterValue", f"Backups are kept from {_LEAST_DAYS} to {_MOST_DAYS} days.")


def _password(api: Api, values: Values) -> None:
    """Reject a weak password. Source: .../flexible-server/how-to-create-users, read 2026-11-27."""
    password = values.get("administratorLoginPassword")
    if password is None:
        return
    kinds = sum(bool(re.search(pattern, str(password))) for pattern in ("[a-z]", "[A-Z]", "[0-9]", r"[^a-zA-Z0-9]"))
    if not 8 <= len(str(password)) <= 128 or kinds < 3:
        raise refused(400, "PasswordTooWeak", "Password validation failed. The password does not meet policy.")


def _key(values: Values) -> tuple[Any, Any]:
    encryption = values.get("dataEncryption") or {}
    return encryption.get("primaryKeyURI"), encryption.get("primaryUserAssignedIdentityId")


def _denied(key: str, identity: str) -> Refused:
    """Return the error for an identity that may not use the encryption key.

    Source: https://learn.microsoft.com/en-us/azure/postgresql/flexible-server/security-data-encryption, 2026.
    """
    return refused(
        400,
        "AzureKeyVaultMissingPermissions",
        f"The server is missing required permissions on the Azure Key Vault: {identity}, {key}.",
    )


def _database_name(api: Api, values: Values) -> None:
    """Reject the names of the server's own databases."""
    if values["databaseName"] in ("postgres", "azure_maintenance", "azure_sys"):
        raise refused(400, "InvalidParameterValue", f"Database '{values['databaseName']}' is a system database.")


KINDS = {
    SERVER: kind(
        SERVER,
        longest=63,
        fixed=frozenset(
            {"administratorLogin", "availabilityZone", "backup.geoRedundantBackup", "sourceServerResourceId"}
        ),
        frozen=frozenset({"dataEncryption", "network.delegatedSubnetResourceId"}),
        client=frozenset({"administratorLoginPassword", "createMode"}),  # the API never returns them
        assign=_server,
        rules=(
            unique(SERVER, "serverName", "ServerNameAlreadyExists", "Specified server name {} is already used."),
            _machine,
            _storage,
            _version,
            _backup,
            _password,
            encrypts(_key, _denied),
        ),
    ),
    DATABASE: kind(
        DATABASE, tracked=False, rules=(_database_name,), frozen=frozenset({"charset", "collation"}), busy=_BUSY
    ),
    # deletion restores the server's default: pulumi-azure-native, custom_postgres_config.go
    PARAMETER: kind(PARAMETER, tracked=False, shared=True, busy=_BUSY),
}
