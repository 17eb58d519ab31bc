"""Resource groups, identities, roles and role assignments."""

from __future__ import annotations

from testbed.clouds.azure.api import Api, guid, last, not_found, refused
from testbed.clouds.azure.kinds import GROUP, kind
from testbed.clouds.azure.rights import Grant, built_in, grants
from testbed.clouds.shared.values import Values

ASSIGNMENT = "azure-native:authorization:RoleAssignment"
ROLE = "azure-native:authorization:RoleDefinition"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"

_MOST_CREDENTIALS = 20
_MOST_ASSIGNMENTS = 4000
_LONGEST_CONDITION = 8192
"""Source: https://learn.microsoft.com/en-us/azure/role-based-access-control/troubleshoot-limits, 2026-11-27."""


def allowed(api: Api, identity: str, action: str, resource: str, *, data: bool = False) -> bool:
    """Return whether the identity with the given ID may perform an action on a resource."""
    principal = principal_of(api, identity)
    return any(
        each.principal == principal and each.covers(resource) and each.role.allows(action, data=data)
        for each in all_grants(api)
    )


def all_grants(api: Api) -> list[Grant]:
    """Return the grants that result from all role assignments."""
    return list(grants(api.all(ASSIGNMENT).values(), api.all(ROLE).values()))


def principal_of(api: Api, identity: str) -> str:
    """Return the object ID of an identity."""
    resource = api.find(IDENTITY, identity)
    if resource is None:
        raise not_found(identity)
    return str(resource["principalId"])


def _identity(api: Api, values: Values, before: Values) -> Values:
    where = api.filled("{resourceGroupName}/{resourceName}", values)
    return before or {
        "clientId": guid("client", where, str(api.serial())),
        "principalId": guid("principal", where, str(api.serial())),
        "tenantId": api.tenant,
    }


def _known_principal(api: Api, values: Values) -> None:
    """Reject a principal that isn't in the directory.

    Wording: https://learn.microsoft.com/en-us/azure/role-based-access-control/troubleshooting, read 2026-11-27.
    """
    principal = str(values["principalId"])
    identities = {str(each["principalId"]) for each in api.all(IDENTITY).values()}
    if principal not in identities | set(api.subscription["members"]):
        raise refused(
            400,
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory {api.tenant}. Check that you have"
            " the correct principal ID. If you are creating this principal and then immediately assigning a role, this"
            " error might be related to a replication delay. In this case, set the role assignment principalType"
            " property to a value, such as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype",
        )


def _known_role(api: Api, values: Values) -> None:
    """Reject a role that doesn't exist or can't be assigned at this scope (wording: same page)."""
    role_id, scope = str(values["roleDefinitionId"]), str(values["scope"])
    if not role_id.startswith(f"/subscriptions/{api.account}/providers/Microsoft.Authorization/roleDefinitions/"):
        raise refused(400, "InvalidRoleDefinitionId", f"The role definition ID '{role_id}' is not valid.")
    custom = [each for each in api.all(ROLE).values() if each["roleDefinitionId"] == last(role_id)]
    if last(role_id) not in built_in() and not custom:
        raise refused(
            400,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{last(role_id)}' does not exist.",
        )
    for each in custom:
        if not any(f"{scope}/".startswith(f"{place}/") for place in each["assignableScopes"]):
            raise refused(
                400, "RoleAssignmentScopeNotAssignableToRoleDefinition", f"{each['roleName']} is not assignable here."
            )


def _only_assignment(api: Api, values: Values) -> None:
    """Reject duplicate assignments (same role, principal and resource) and too many assignments.

    Wording: same page. Limit: `_MOST_ASSIGNMENTS`.
    """
    triple = ("scope", "principalId", "roleDefinitionId")
    for each in api.all(ASSIGNMENT).values():
        same = all(each[name] == values[name] for name in triple)
        if same and each["roleAssignmentName"] != values["roleAssignmentName"]:
            raise refused(409, "RoleAssignmentExists", "The role assignment already exists.")
    if len(api.all(ASSIGNMENT)) >= _MOST_ASSIGNMENTS:
        raise refused(400, "RoleAssignmentLimitExceeded", "No more role assignments can be created")


def _steady_assignment(api: Api, values: Values) -> None:
    """Refuse to change an assignment's role in place. Wording: Azure/acs-engine, issue 2916, read 2026-11-27."""
    identifier = api.filled(KINDS[ASSIGNMENT].path, values)
    before = api.find(ASSIGNMENT, identifier)
    if before and before["roleDefinitionId"] != values["roleDefinitionId"]:
        raise refused(
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )


def _scope(api: Api, values: Values) -> None:
    """Reject a role assignment on a container that doesn't exist.

    A secret may still be missing, since secrets aren't managed by Resource Manager and may be written later.
    """
    scope = str(values["scope"])
    if "/blobServices/default/containers/" in scope and not api.exists(scope):
        raise not_found(scope)


def _condition(api: Api, values: Values) -> None:
    """Reject invalid conditions, and conditions on roles without data actions.

    Source: https://learn.microsoft.com/en-us/azure/role-based-access-control/conditions-format, 2026-11-27.
    """
    condition = values.get("condition")
    if condition is None:
        return
    size = len(str(condition).encode())
    if values.get("conditionVersion") != "2.0" or size > _LONGEST_CONDITION:
        raise refused(400, "InvalidCondition", f"The condition is not valid: {size} bytes, in version 2.0.")
    (role,) = grants([values], api.all(ROLE).values())
    if not role.role.data_actions:
        raise refused(400, "InvalidCondition", f"Conditions are not supported for the role {role.role.name}.")


def _only_role(api: Api, values: Values) -> None:
    """Reject a duplicate role name and invalid assignable scopes.

    Wording: https://learn.microsoft.com/en-us/azure/role-based-access-control/troubleshooting, read 2026-11-27.
    """
    others = [each for each in api.all(ROLE).values() if each["roleDefinitionId"] != values["roleDefinitionId"]]
    if any(each["roleName"] == values["roleName"] for each in others):
        raise refused(
            409,
            "RoleDefinitionWithSameNameExists",
            "A custom role with the same name already exists in this directory. Use a different name.",
        )
    if values["scope"] not in values["assignableScopes"]:
        raise refused(400, "InvalidAssignableScopes", f"{values['scope']} is not among the assignable scopes.")
    for place in values["assignableScopes"]:
        if not api.exists(str(place)):
            raise not_found(str(place))


def _unassigned(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a role that is still assigned.

    Wording: https://learn.microsoft.com/en-us/azure/role-based-access-control/troubleshooting, read 2026-11-27.
    """
    if any(last(str(each["roleDefinitionId"])) == last(identifier) for each in api.all(ASSIGNMENT).values()):
        raise refused(409, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role")


def _credential(api: Api, values: Values) -> None:
    """Reject duplicate, excess or invalid federated credentials.

    Source: https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation-considerations,
    read 2026-11-27.
    """
    own = {
        name: each
        for name, each in api.all(CREDENTIAL).items()
        if (each["resourceGroupName"], each["resourceName"]) == (values["resourceGroupName"], values["resourceName"])
        and name != api.filled(KINDS[CREDENTIAL].path, values)
    }
    if any((each["issuer"], each["subject"]) == (values["issuer"], values["subject"]) for each in own.values()):
        raise refused(409, "Conflict", "Issuer and subject combination already exists for this Managed Identity.")
    if len(own) >= _MOST_CREDENTIALS:
        raise refused(400, "BadRequest", f"Too many Federated Identity Credentials. The limit is {_MOST_CREDENTIALS}.")
    if len(values["audiences"]) != 1 or not str(values["issuer"]).startswith("https://"):
        raise refused(400, "BadRequest", "A credential has one audience and an issuer with https.")


KINDS = {
    GROUP: kind(GROUP, longest=90),
    IDENTITY: kind(IDENTITY, assign=_identity),
    CREDENTIAL: kind(
        CREDENTIAL,
        tracked=False,
        rules=(_credential,),
        # wording: Azure/bicep-registry-modules, issue 1447, read 2026-11-27
        busy=(
            409,
            "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            "Too many Federated Identity Credentials are written concurrently for the managed identity '{0}'."
            " Concurrent Federated Identity Credentials writes under the same managed identity are not supported.",
        ),
    ),
    ROLE: kind(ROLE, tracked=False, is_guid=True, rules=(_only_role,), guards=(_unassigned,)),
    ASSIGNMENT: kind(
        ASSIGNMENT,
        tracked=False,
        is_guid=True,
        fixed=frozenset({"principalId", "scope"}),
        rules=(_known_principal, _known_role, _scope, _steady_assignment, _only_assignment, _condition),
    ),
}
