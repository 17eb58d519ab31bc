"""RDS databases with their subnet groups and parameter groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import database_name, final_snapshot, two_zones
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, tag_list, tag_map

_API = {
    "identifier": "DBInstanceIdentifier",
    "instanceClass": "DBInstanceClass",
    "engine": "Engine",
    "engineVersion": "EngineVersion",
    "allocatedStorage": "AllocatedStorage",
    "maxAllocatedStorage": "MaxAllocatedStorage",
    "storageType": "StorageType",
    "storageEncrypted": "StorageEncrypted",
    "kmsKeyId": "KmsKeyId",
    "dbName": "DBName",
    "username": "MasterUsername",
    "password": "MasterUserPassword",
    "manageMasterUserPassword": "ManageMasterUserPassword",
    "masterUserSecretKmsKeyId": "MasterUserSecretKmsKeyId",
    "port": "Port",
    "multiAz": "MultiAZ",
    "backupRetentionPeriod": "BackupRetentionPeriod",
    "backupWindow": "PreferredBackupWindow",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "copyTagsToSnapshot": "CopyTagsToSnapshot",
    "deletionProtection": "DeletionProtection",
    "dbSubnetGroupName": "DBSubnetGroupName",
    "publiclyAccessible": "PubliclyAccessible",
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
    "parameterGroupName": "DBParameterGroupName",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "performanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "caCertIdentifier": "CACertificateIdentifier",
    "monitoringInterval": "MonitoringInterval",
    "monitoringRoleArn": "MonitoringRoleArn",
}
"""The provider's properties, mapped to their names in the API."""

_FIXED = frozenset(
    {"engine", "storageEncrypted", "kmsKeyId", "dbName", "username", "dbSubnetGroupName", "availabilityZone"}
)

_ANSWERS: Mapping[str, Callable[[Values], object]] = {
    "iamDatabaseAuthenticationEnabled": lambda there: there.get("IAMDatabaseAuthenticationEnabled"),
    "enabledCloudwatchLogsExports": lambda there: there.get("EnabledCloudwatchLogsExports") or [],
    "dbSubnetGroupName": lambda there: (there.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
    "parameterGroupName": lambda there: (there.get("DBParameterGroups") or [{}])[0].get("DBParameterGroupName"),
    "vpcSecurityGroupIds": lambda there: [group["VpcSecurityGroupId"] for group in there.get("VpcSecurityGroups", ())],
    "port": lambda there: (there.get("Endpoint") or {}).get("Port"),
}
"""Properties that are nested differently in responses than in calls."""


_UNSAID = (
    *("password", "masterUserSecretKmsKeyId", "performanceInsightsEnabled", "performanceInsightsKmsKeyId"),
    "performanceInsightsRetentionPeriod",
)
"""Properties that moto or the API itself does not return. Their drift is therefore not detected."""


def _called(values: Values) -> Values:
    return {_API[name]: value for name, value in values.items() if name in _API and value is not None}


def _create(api: Api, values: Values) -> str:
    if values.get("enabledCloudwatchLogsExports"):
        for name in values["enabledCloudwatchLogsExports"]:
            _log_known(values["engine"], name)
    for key in ("kmsKeyId", "performanceInsightsKmsKeyId"):
        if values.get(key):
            api.call("kms", "describe_key", KeyId=values[key])
    api.call("rds", "create_db_instance", **_called(values), Tags=tag_list(values["tagsAll"]))
    return str(values["identifier"])


def _log_known(engine: str, name: str) -> None:
    """Reject log types not supported by the engine.

    Source: botocore 1.44.8, rds CloudwatchLogsExportConfiguration, read 2026-11-25.
    """
    known = ("postgresql", "upgrade", "iam-db-auth-error")
    if engine == "postgres" and name not in known:
        raise Refused("InvalidParameterCombination", f"You cannot use the log type '{name}' with engine {engine}")


def _update(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    fixed = _FIXED | {"identifier", "port"}
    changed = {name: value for name, value in values.items() if value != olds.get(name) and name not in fixed}
    call = _called(changed)
    exports = call.pop("EnableCloudwatchLogsExports", None)
    if exports is not None:
        before = set(olds.get("enabledCloudwatchLogsExports") or ())
        call["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(set(exports) - before),
            "DisableLogTypes": sorted(before - set(exports)),
        }
    if call:
        api.call("rds", "modify_db_instance", DBInstanceIdentifier=resource_id, ApplyImmediately=True, **call)


def _read(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("rds", "describe_db_instances", DBInstanceIdentifier=resource_id)["DBInstances"][0]
    if there["DBInstanceStatus"] == "deleting":
        return None
    state = {name: _ANSWERS[name](there) if name in _ANSWERS else there.get(_API[name]) for name in _API}
    secret = there.get("MasterUserSecret")
    state["manageMasterUserPassword"] = bool(secret) or None
    for name in _UNSAID:
        state[name] = values.get(name)
    endpoint = there.get("Endpoint") or {}
    return {
        **{name: value for name, value in state.items() if value is not None},
        "arn": there["DBInstanceArn"],
        "address": endpoint.get("Address"),
        "endpoint": f"{endpoint.get('Address')}:{endpoint.get('Port')}",
        "engineVersionActual": there["EngineVersion"],
        "resourceId": there.get("DbiResourceId"),
        "status": there["DBInstanceStatus"],
        "masterUserSecrets": [
            {
                "secretArn": secret["SecretArn"],
                "secretStatus": secret["SecretStatus"],
                "kmsKeyId": secret.get("KmsKeyId", ""),
            }
        ]
        if secret
        else [],
        "tagsAll": tag_map(api.call("rds", "list_tags_for_resource", ResourceName=there["DBInstanceArn"])["TagList"]),
    }


def _delete(api: Api, resource_id: str, values: Values) -> None:
    skip = bool(values.get("skipFinalSnapshot", False))
    api.call(
        "rds",
        "delete_db_instance",
        DBInstanceIdentifier=resource_id,
        SkipFinalSnapshot=skip,
        FinalDBSnapshotIdentifier=None if skip else values.get("finalSnapshotIdentifier"),
        DeleteAutomatedBackups=values.get("deleteAutomatedBackups", True),
    )


def _tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    arn = values["arn"]
    if gone:
        api.call("rds", "remove_tags_from_resource", ResourceName=arn, TagKeys=gone)
    api.call("rds", "add_tags_to_resource", ResourceName=arn, Tags=tag_list(tags))


def _create_subnets(api: Api, values: Values) -> str:
    api.call(
        "rds",
        "create_db_subnet_group",
        DBSubnetGroupName=values["name"],
        DBSubnetGroupDescription=values["description"],
        SubnetIds=values["subnetIds"],
        Tags=tag_list(values["tagsAll"]),
    )
    return str(values["name"])


def _update_subnets(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call(
        "rds",
        "modify_db_subnet_group",
        DBSubnetGroupName=resource_id,
        DBSubnetGroupDescription=values["description"],
        SubnetIds=values["subnetIds"],
    )


def _read_subnets(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("rds", "describe_db_subnet_groups", DBSubnetGroupName=resource_id)["DBSubnetGroups"][0]
    arn = there["DBSubnetGroupArn"]
    return {
        "arn": arn,
        "name": there["DBSubnetGroupName"],
        "description": there["DBSubnetGroupDescription"],
        "subnetIds": [subnet["SubnetIdentifier"] for subnet in there["Subnets"]],
        "vpcId": there["VpcId"],
        "supportedNetworkTypes": ["IPV4"],
        "tagsAll": tag_map(api.call("rds", "list_tags_for_resource", ResourceName=arn)["TagList"]),
    }


def _delete_subnets(api: Api, resource_id: str, values: Values) -> None:
    for database in api.call("rds", "describe_db_instances")["DBInstances"]:
        if (database.get("DBSubnetGroup") or {}).get("DBSubnetGroupName") == resource_id:
            # botocore 1.44.8, rds DeleteDBSubnetGroup, read 2026-11-24
            raise Refused(
                "InvalidDBSubnetGroupStateFault", f"{resource_id} is used by {database['DBInstanceIdentifier']}"
            )
    api.call("rds", "delete_db_subnet_group", DBSubnetGroupName=resource_id)


def _create_parameters(api: Api, values: Values) -> str:
    api.call(
        "rds",
        "create_db_parameter_group",
        DBParameterGroupName=values["name"],
        DBParameterGroupFamily=values["family"],
        Description=values["description"],
        Tags=tag_list(values["tagsAll"]),
    )
    _update_parameters(api, values["name"], {}, values)
    return str(values["name"])


def _update_parameters(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    parameters = [
        {
            "ParameterName": each["name"],
            "ParameterValue": each["value"],
            "ApplyMethod": each.get("applyMethod", "immediate"),
        }
        for each in values.get("parameters") or ()
    ]
    if parameters:
        api.call("rds", "modify_db_parameter_group", DBParameterGroupName=resource_id, Parameters=parameters)


def _read_parameters(api: Api, resource_id: str, values: Values) -> Values | None:
    groups = api.call("rds", "describe_db_parameter_groups", DBParameterGroupName=resource_id)["DBParameterGroups"]
    if not groups:
        return None
    there = groups[0]
    listed = api.call("rds", "describe_db_parameters", DBParameterGroupName=resource_id)["Parameters"]
    by_name = {each["ParameterName"]: each.get("ParameterValue") for each in listed}
    declared = values.get("parameters") or []
    return {
        "arn": there["DBParameterGroupArn"],
        "name": there["DBParameterGroupName"],
        "family": there["DBParameterGroupFamily"],
        "description": there["Description"],
        "parameters": [{**each, "value": by_name.get(each["name"])} for each in declared],
        "tagsAll": tag_map(
            api.call("rds", "list_tags_for_resource", ResourceName=there["DBParameterGroupArn"])["TagList"]
        ),
    }


def _delete_parameters(api: Api, resource_id: str, values: Values) -> None:
    api.call("rds", "delete_db_parameter_group", DBParameterGroupName=resource_id)


RECORDS = {
    "aws:rds/instance:Instance": Record(
        _create,
        _read,
        _delete,
        _update,
        _tag,
        fixed=_FIXED,
        steering=frozenset(
            {"skipFinalSnapshot", "finalSnapshotIdentifier", "applyImmediately", "deleteAutomatedBackups"}
            | {"identifierPrefix", "allowMajorVersionUpgrade"}
        ),
        naming=Naming("identifier", longest=63, lower=True),
        rules=(database_name,),
        on_delete=(final_snapshot,),
    ),
    "aws:rds/subnetGroup:SubnetGroup": Record(
        _create_subnets,
        _read_subnets,
        _delete_subnets,
        _update_subnets,
        _tag,
        fixed=frozenset({"name", "namePrefix"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(lower=True),
        defaults=(("description", "Managed by Pulumi"),),
        rules=(two_zones("subnetIds"),),
    ),
    "aws:rds/parameterGroup:ParameterGroup": Record(
        _create_parameters,
        _read_parameters,
        _delete_parameters,
        _update_parameters,
        _tag,
        fixed=frozenset({"name", "namePrefix", "family", "description"}),
        steering=frozenset({"namePrefix", "skipDestroy"}),
        naming=Naming(lower=True),
        defaults=(("description", "Managed by Pulumi"),),
    ),
}
