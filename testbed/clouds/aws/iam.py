"""IAM roles and users with their policies and keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Literal

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record, Tag
from testbed.clouds.aws.rules import policy_document, policy_size
from testbed.clouds.shared.values import Values, picked, tag_list, tag_map

_Owner = Literal["role", "user"]


def _create_role(api: Api, values: Values) -> str:
    response = api.call(
        "iam",
        "create_role",
        RoleName=values["name"],
        AssumeRolePolicyDocument=values["assumeRolePolicy"],
        **picked(values, "path", "description", "maxSessionDuration", "permissionsBoundary"),
        Tags=tag_list(values["tagsAll"]),
    )
    for arn in values.get("managedPolicyArns", ()):
        api.call("iam", "attach_role_policy", RoleName=values["name"], PolicyArn=arn)
    return str(response["Role"]["RoleName"])


def _update_role(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call("iam", "update_assume_role_policy", RoleName=resource_id, PolicyDocument=values["assumeRolePolicy"])
    api.call("iam", "update_role", RoleName=resource_id, **picked(values, "description", "maxSessionDuration"))
    if boundary := values.get("permissionsBoundary"):
        api.call("iam", "put_role_permissions_boundary", RoleName=resource_id, PermissionsBoundary=boundary)


def _read_role(api: Api, resource_id: str, values: Values) -> Values | None:
    role = api.call("iam", "get_role", RoleName=resource_id)["Role"]
    attached = api.call("iam", "list_attached_role_policies", RoleName=resource_id)["AttachedPolicies"]
    arns = [policy["PolicyArn"] for policy in attached]
    return {
        "arn": role["Arn"],
        "name": role["RoleName"],
        "uniqueId": role["RoleId"],
        "path": role["Path"],
        "createDate": role["CreateDate"].isoformat(),
        "description": role.get("Description", ""),
        "assumeRolePolicy": _text(role["AssumeRolePolicyDocument"]),
        "maxSessionDuration": role["MaxSessionDuration"],
        "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        **({"managedPolicyArns": arns} if "managedPolicyArns" in values else {}),
        "tagsAll": tag_map(role.get("Tags")),
    }


def _text(document: Values) -> str:
    """Convert a policy document parsed by botocore back to JSON text, as returned by the provider."""
    return json.dumps(document)


def _delete_role(api: Api, resource_id: str, values: Values) -> None:
    for arn in values.get("managedPolicyArns", ()):
        api.call("iam", "detach_role_policy", RoleName=resource_id, PolicyArn=arn)
    if values.get("forceDetachPolicies"):
        for policy in api.call("iam", "list_attached_role_policies", RoleName=resource_id)["AttachedPolicies"]:
            api.call("iam", "detach_role_policy", RoleName=resource_id, PolicyArn=policy["PolicyArn"])
    api.call("iam", "delete_role", RoleName=resource_id)


def _tags(kind: str, parameter: str) -> Tag:
    def tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
        if gone:
            api.call("iam", f"untag_{kind}", **{parameter: resource_id}, TagKeys=gone)
        api.call("iam", f"tag_{kind}", **{parameter: resource_id}, Tags=tag_list(tags))

    return tag


def _owner(owner: _Owner) -> str:
    return {"role": "RoleName", "user": "UserName"}[owner]


def _put_inline(owner: _Owner, api: Api, values: Values) -> str:
    api.call(
        "iam",
        f"put_{owner}_policy",
        **{_owner(owner): values[owner]},
        PolicyName=values["name"],
        PolicyDocument=values["policy"],
    )
    return f"{values[owner]}:{values['name']}"


def _update_inline(owner: _Owner, api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_inline(owner, api, values)


def _read_inline(owner: _Owner, api: Api, resource_id: str, values: Values) -> Values | None:
    holder, _, name = resource_id.partition(":")
    response = api.call("iam", f"get_{owner}_policy", **{_owner(owner): holder}, PolicyName=name)
    return {owner: holder, "name": name, "policy": _text(response["PolicyDocument"])}


def _delete_inline(owner: _Owner, api: Api, resource_id: str, values: Values) -> None:
    holder, _, name = resource_id.partition(":")
    api.call("iam", f"delete_{owner}_policy", **{_owner(owner): holder}, PolicyName=name)


def _attach(owner: _Owner, api: Api, values: Values) -> str:
    api.call("iam", f"attach_{owner}_policy", **{_owner(owner): values[owner]}, PolicyArn=values["policyArn"])
    return f"{values[owner]}/{values['policyArn']}"


def _read_attached(owner: _Owner, api: Api, resource_id: str, values: Values) -> Values | None:
    holder, _, arn = resource_id.partition("/")
    listed = api.call("iam", f"list_attached_{owner}_policies", **{_owner(owner): holder})["AttachedPolicies"]
    return {owner: holder, "policyArn": arn} if arn in [policy["PolicyArn"] for policy in listed] else None


def _detach(owner: _Owner, api: Api, resource_id: str, values: Values) -> None:
    holder, _, arn = resource_id.partition("/")
    api.call("iam", f"detach_{owner}_policy", **{_owner(owner): holder}, PolicyArn=arn)


def _create_user(api: Api, values: Values) -> str:
    response = api.call(
        "iam",
        "create_user",
        UserName=values["name"],
        **picked(values, "path", "permissionsBoundary"),
        Tags=tag_list(values["tagsAll"]),
    )
    return str(response["User"]["UserName"])


def _read_user(api: Api, resource_id: str, values: Values) -> Values | None:
    user = api.call("iam", "get_user", UserName=resource_id)["User"]
    return {
        "arn": user["Arn"],
        "name": user["UserName"],
        "path": user["Path"],
        "uniqueId": user["UserId"],
        "permissionsBoundary": (user.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "tagsAll": tag_map(user.get("Tags")),
    }


def _delete_user(api: Api, resource_id: str, values: Values) -> None:
    if values.get("forceDestroy"):
        for key in api.call("iam", "list_access_keys", UserName=resource_id)["AccessKeyMetadata"]:
            api.call("iam", "delete_access_key", UserName=resource_id, AccessKeyId=key["AccessKeyId"])
    api.call("iam", "delete_user", UserName=resource_id)


def _create_key(api: Api, values: Values) -> str:
    key = api.call("iam", "create_access_key", UserName=values["user"])["AccessKey"]
    values["secret"] = key["SecretAccessKey"]
    return str(key["AccessKeyId"])


def _update_key(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call(
        "iam",
        "update_access_key",
        UserName=values["user"],
        AccessKeyId=resource_id,
        Status=values.get("status", "Active"),
    )


def _read_key(api: Api, resource_id: str, values: Values) -> Values | None:
    for key in api.call("iam", "list_access_keys", UserName=values["user"])["AccessKeyMetadata"]:
        if key["AccessKeyId"] == resource_id:
            created = key["CreateDate"].isoformat()
            return {"user": key["UserName"], "status": key["Status"], "createDate": created, "secret": values["secret"]}
    return None


def _delete_key(api: Api, resource_id: str, values: Values) -> None:
    api.call("iam", "delete_access_key", UserName=values["user"], AccessKeyId=resource_id)


def _create_policy(api: Api, values: Values) -> str:
    response = api.call(
        "iam",
        "create_policy",
        PolicyName=values["name"],
        PolicyDocument=values["policy"],
        **picked(values, "path", "description"),
        Tags=tag_list(values["tagsAll"]),
    )
    return str(response["Policy"]["Arn"])


def _update_policy(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    """Add a policy version, first deleting the oldest non-default one if there are five, IAM's maximum."""
    versions = api.call("iam", "list_policy_versions", PolicyArn=resource_id)["Versions"]
    if len(versions) >= 5:
        oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
        api.call("iam", "delete_policy_version", PolicyArn=resource_id, VersionId=oldest["VersionId"])
    api.call("iam", "create_policy_version", PolicyArn=resource_id, PolicyDocument=values["policy"], SetAsDefault=True)


def _read_policy(api: Api, resource_id: str, values: Values) -> Values | None:
    policy = api.call("iam", "get_policy", PolicyArn=resource_id)["Policy"]
    version = api.call("iam", "get_policy_version", PolicyArn=resource_id, VersionId=policy["DefaultVersionId"])
    return {
        "arn": resource_id,
        "name": policy["PolicyName"],
        "path": policy["Path"],
        "policyId": policy["PolicyId"],
        "description": policy.get("Description", ""),
        "policy": _text(version["PolicyVersion"]["Document"]),
        "attachmentCount": policy["AttachmentCount"],
        "tagsAll": tag_map(policy.get("Tags")),
    }


def _delete_policy(api: Api, resource_id: str, values: Values) -> None:
    for version in api.call("iam", "list_policy_versions", PolicyArn=resource_id)["Versions"]:
        if not version["IsDefaultVersion"]:
            api.call("iam", "delete_policy_version", PolicyArn=resource_id, VersionId=version["VersionId"])
    api.call("iam", "delete_policy", PolicyArn=resource_id)


def _create_profile(api: Api, values: Values) -> str:
    name = str(values["name"])
    api.call("iam", "create_instance_profile", InstanceProfileName=name, Tags=tag_list(values["tagsAll"]))
    _give_role(api, name, values)
    return name


def _give_role(api: Api, resource_id: str, values: Values) -> None:
    if values.get("role"):
        api.call("iam", "add_role_to_instance_profile", InstanceProfileName=resource_id, RoleName=values["role"])


def _take_role(api: Api, resource_id: str, values: Values) -> None:
    if values.get("role"):
        api.call("iam", "remove_role_from_instance_profile", InstanceProfileName=resource_id, RoleName=values["role"])


def _read_profile(api: Api, resource_id: str, values: Values) -> Values | None:
    profile = api.call("iam", "get_instance_profile", InstanceProfileName=resource_id)["InstanceProfile"]
    roles = [role["RoleName"] for role in profile["Roles"]]
    return {
        "name": resource_id,
        "arn": profile["Arn"],
        "path": profile["Path"],
        "uniqueId": profile["InstanceProfileId"],
        "createDate": profile["CreateDate"].isoformat(),
        "role": roles[0] if roles else None,
        "tagsAll": tag_map(profile["Tags"]),
    }


def _update_profile(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    """Replace the role in an instance profile, which can have only one role."""
    if olds.get("role") != values.get("role"):
        _take_role(api, resource_id, olds)
        _give_role(api, resource_id, values)


def _delete_profile(api: Api, resource_id: str, values: Values) -> None:
    _take_role(api, resource_id, values)
    api.call("iam", "delete_instance_profile", InstanceProfileName=resource_id)


def _trust_issuer(api: Api, values: Values) -> str:
    response = api.call(
        "iam",
        "create_open_id_connect_provider",
        Url=values["url"],
        ClientIDList=values["clientIdLists"],
        ThumbprintList=values.get("thumbprintLists"),
        Tags=tag_list(values["tagsAll"]),
    )
    return str(response["OpenIDConnectProviderArn"])


def _read_issuer(api: Api, resource_id: str, values: Values) -> Values | None:
    """Return a token issuer. IAM omits the scheme of its URL, which the provider ignores."""
    issuer = api.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=resource_id)
    return {
        "arn": resource_id,
        "url": f"https://{issuer['Url'].removeprefix('https://')}",
        "clientIdLists": issuer["ClientIDList"],
        "thumbprintLists": issuer["ThumbprintList"],
        "tagsAll": tag_map(issuer.get("Tags")),
    }


def _update_issuer(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    """Update a token issuer's thumbprints. moto has no calls to change its client IDs."""
    if thumbprints := values.get("thumbprintLists"):
        api.call(
            "iam",
            "update_open_id_connect_provider_thumbprint",
            OpenIDConnectProviderArn=resource_id,
            ThumbprintList=thumbprints,
        )


def _delete_issuer(api: Api, resource_id: str, values: Values) -> None:
    api.call("iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=resource_id)


_OF_ALL_WITHIN: dict[_Owner, int] = {"role": 10_240, "user": 2_048}
_OF_A_MANAGED_ONE = 6_144


def _inline(owner: _Owner) -> Record:
    return Record(
        partial(_put_inline, owner),
        partial(_read_inline, owner),
        partial(_delete_inline, owner),
        partial(_update_inline, owner),
        fixed=frozenset({owner, "name", "namePrefix"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(longest=128),
        rules=(policy_document("policy"), policy_size(_OF_ALL_WITHIN[owner])),
    )


def _attachment(owner: _Owner) -> Record:
    return Record(partial(_attach, owner), partial(_read_attached, owner), partial(_detach, owner))


RECORDS = {
    "aws:iam/role:Role": Record(
        _create_role,
        _read_role,
        _delete_role,
        _update_role,
        _tags("role", "RoleName"),
        fixed=frozenset({"name", "namePrefix", "path"}),
        steering=frozenset({"forceDetachPolicies", "namePrefix"}),
        naming=Naming(longest=64),
        rules=(policy_document("assumeRolePolicy"),),
    ),
    "aws:iam/instanceProfile:InstanceProfile": Record(
        _create_profile,
        _read_profile,
        _delete_profile,
        _update_profile,
        _tags("instance_profile", "InstanceProfileName"),
        fixed=frozenset({"name", "namePrefix", "path"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(longest=128),
    ),
    "aws:iam/rolePolicy:RolePolicy": _inline("role"),
    "aws:iam/userPolicy:UserPolicy": _inline("user"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment("role"),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": _attachment("user"),
    "aws:iam/user:User": Record(
        _create_user,
        _read_user,
        _delete_user,
        None,
        _tags("user", "UserName"),
        steering=frozenset({"forceDestroy"}),
        naming=Naming(longest=64),
    ),
    "aws:iam/accessKey:AccessKey": Record(
        _create_key, _read_key, _delete_key, _update_key, fixed=frozenset({"user", "pgpKey"})
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Record(
        _trust_issuer,
        _read_issuer,
        _delete_issuer,
        _update_issuer,
        _tags("open_id_connect_provider", "OpenIDConnectProviderArn"),
        fixed=frozenset({"url"}),
    ),
    "aws:iam/policy:Policy": Record(
        _create_policy,
        _read_policy,
        _delete_policy,
        _update_policy,
        _tags("policy", "PolicyArn"),
        fixed=frozenset({"name", "namePrefix", "path", "description"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(longest=128),
        rules=(policy_document("policy"), policy_size(_OF_A_MANAGED_ONE)),
    ),
}
