"""Decides whether a request is allowed: first by explicit denials, then by every applicable policy.

Sources, 2026-11-25:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html,
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html. Service control policies and session
policies aren't supported, since an account outside an organisation has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from testbed.clouds.aws.authorization.conditions import hold
from testbed.clouds.aws.authorization.language import Policy, Statement
from testbed.clouds.aws.authorization.patterns import Context, matches, matches_resource, resolves


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, which is a role session, a user, or a service such as `logs.eu-central-1.amazonaws.com`."""

    arn: str
    """The ARN of the role or user, or an empty string for a service."""

    account: str = ""
    session: str = ""
    """The ARN of the role's session, or an empty string without a session."""

    service: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one action on one resource. The keys of `context` are case-insensitive."""

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=dict[str, tuple[str, ...]])
    resource_account: str = ""
    """The account of the resource. An empty string means the principal's account."""


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies that apply to a request.

    If `needs_resource` is set, the bucket or key policy in `resource` must itself allow the request.
    """

    identity: tuple[Policy, ...] = ()
    resource: Policy | None = None
    boundary: Policy | None = None
    endpoint: Policy | None = None
    needs_resource: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the request is allowed and, if not, why, in AWS's words."""

    allowed: bool
    why: str = ""


def decide(request: Request, policies: Policies) -> Decision:
    """Return whether a request is allowed, with the reason for a denial."""
    context = {key.lower(): tuple(values) for key, values in request.context.items()}
    every = [*policies.identity, *(each for each in (policies.resource, policies.boundary, policies.endpoint) if each)]
    for policy in every:
        for statement in _about(policy, request, context):
            if not statement.allows and (statement.principals is None or _names(statement, request.principal)):
                return Decision(False, f"with an explicit deny in a {policy.name}")
    if policies.endpoint is not None and not _direct(policies.endpoint, request, context):
        return Decision(False, f"because no VPC endpoint policy allows the {request.action} action")
    bounded = policies.boundary is None or _allowed(policies.boundary, request, context)
    by_identity = bounded and any(_allowed(policy, request, context) for policy in policies.identity)
    by_resource = policies.resource is not None and _direct(policies.resource, request, context, bounded=bounded)
    delegated = policies.resource is not None and _delegates(policies.resource, request, context)
    across = request.resource_account not in ("", request.principal.account)
    if across or policies.needs_resource:
        allowed = (by_resource and (by_identity or not across)) or (delegated and by_identity)
    else:
        allowed = by_identity or by_resource
    if allowed:
        return Decision(True)
    missing = "identity-based" if not by_identity else "resource-based"
    return Decision(False, f"because no {missing} policy allows the {request.action} action")


def _about(policy: Policy, request: Request, context: Context) -> Iterable[Statement]:
    """Return a policy's statements that cover the request's action and resource and whose conditions are met."""
    for statement in policy.statements:
        acts = any(matches(each, request.action, context, ignore_case=True) for each in statement.actions)
        reaches = any(matches_resource(each, request.resource, context) for each in statement.resources)
        if acts == statement.all_but_actions:
            continue
        if statement.resources and reaches == statement.all_but_resources:
            continue
        if statement.all_but_resources and not all(resolves(each, context) for each in statement.resources):
            continue
        if hold(statement.conditions, context):
            yield statement


def _allowed(policy: Policy, request: Request, context: Context) -> bool:
    return any(statement.allows for statement in _about(policy, request, context))


def _direct(policy: Policy, request: Request, context: Context, *, bounded: bool = True) -> bool:
    """Return whether a resource policy allows this principal directly.

    If the policy names the session or allows everybody, the role's permissions boundary doesn't apply. If it names the
    role, the boundary applies.
    """
    principal = request.principal
    if principal.session and not bounded:
        principal = replace(principal, arn="")
    return any(each.allows and _names(each, principal) for each in _about(policy, request, context))


def _delegates(policy: Policy, request: Request, context: Context) -> bool:
    """Return whether the policy delegates the decision to identity policies in the principal's account."""
    account = request.principal.account
    names = {account, f"arn:aws:iam::{account}:root"}
    statements = _about(policy, request, context)
    return any(each.allows and names & set((each.principals or {}).get("AWS", ())) for each in statements)


def _names(statement: Statement, principal: Principal) -> bool:
    """Return whether a statement names the principal. Naming the account only covers everybody in it for denials."""
    if statement.principals is None:
        return False
    if principal.service:
        return principal.service in statement.principals.get("Service", ())
    identifiers = {"*", principal.arn, principal.session} - {""}
    if not statement.allows:
        identifiers |= {principal.account, f"arn:aws:iam::{principal.account}:root"}
    return bool(identifiers & set(statement.principals.get("AWS", ())))
