"""Tests that policies are evaluated as documented by AWS, with the same decisions as another implementation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from testbed.clouds.aws.authorization.decide import Policies, Principal, Request, decide
from testbed.clouds.aws.authorization.language import NotEvaluated, parse
from testbed.clouds.aws.authorization.s3_requests import needed_actions
from tests.testbed.authorization_cases import ACCOUNT, ROLE, SESSION, Case, cases

VERDICTS = Path(__file__).with_name("authorization_verdicts.txt")
PRINCIPAL = Principal(ROLE, ACCOUNT, SESSION)


def judged(case: Case) -> bool:
    """Return whether the evaluator allows the request of a case."""
    context = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in case.context.items()}
    policies = Policies(
        identity=tuple(parse("identity-based policy", each) for each in case.identity),
        resource=parse("resource-based policy", case.resource_policy) if case.resource_policy else None,
        boundary=parse("permissions boundary", case.boundary) if case.boundary else None,
        endpoint=parse("VPC endpoint policy", case.endpoint) if case.endpoint else None,
        needs_resource=case.action.startswith("kms:"),
    )
    return decide(Request(PRINCIPAL, case.action, case.resource, context, case.account), policies).allowed


def is_allowed(action: str, resource: str, context: Mapping[str, tuple[str, ...]], **statement: Any) -> bool:
    """Return whether a policy with a single statement allows a request."""
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}}
    policies = Policies((parse("identity-based policy", document),))
    return decide(Request(PRINCIPAL, action, resource, context), policies).allowed


def test_decisions_match_another_implementation() -> None:
    """The cases cover every condition operator, quantifier and pattern, and every combination of policy types."""
    lines = (line.partition("\t") for line in VERDICTS.read_text().splitlines())
    verdicts = {name: word == "allowed" for word, _, name in lines}
    decisions = {case.name: judged(case) for case in cases()}

    assert decisions.keys() == verdicts.keys()
    assert [name for name, allowed in decisions.items() if allowed is not verdicts[name]] == []


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [("a${*}", "a*", True), ("a${*}", "ab", False), ("${?}", "?", True), ("${$}", "$", True), ("a*", "a*", True)],
)
def test_special_characters_can_be_written_as_variables(written: str, value: str, expected: bool) -> None:
    """Variables such as `${*}` stand for the characters themselves.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html, 2026-11-25.
    """
    condition = {"StringLike": {"aws:PrincipalTag/team": written}}
    context = {"aws:PrincipalTag/team": (value,)}

    assert (
        is_allowed("s3:GetObject", "*", context, Action="s3:GetObject", Resource="*", Condition=condition) is expected
    )


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ({"Condition": {"StringEquals": {"s3:x-amz-acl": "private"}}}, "condition key s3:x-amz-acl"),
        ({"Condition": {"StringMatches": {"s3:prefix": "a"}}}, "condition operator StringMatches"),
        ({"Condition": {"BinaryEquals": {"s3:prefix": "QmluYXJ5"}}}, "condition operator BinaryEquals"),
        ({"Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": "a"}}}, "condition operator ForAnyValue"),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "*"}}}, "compared with an ARN"),
        ({"Condition": {"Null": {"s3:prefix": "no"}}}, "Null with no"),
        ({"NotPrincipal": "*"}, "element NotPrincipal"),
        ({"Prinzipal": "*"}, "element Prinzipal"),
        ({"Principal": {"CanonicalUser": "7"}}, "principal of type CanonicalUser"),
    ],
)
def test_unsupported_policy_elements_are_refused(statement: dict[str, Any], problem: str) -> None:
    with pytest.raises(NotEvaluated, match=problem):
        is_allowed("s3:GetObject", "*", {"aws:PrincipalArn": (ROLE,)}, Action="*", Resource="*", **statement)


def test_multivalued_key_needs_a_quantifier() -> None:
    condition = {"StringEquals": {"aws:TagKeys": "a"}}

    with pytest.raises(NotEvaluated, match="several values"):
        is_allowed("s3:GetObject", "*", {"aws:TagKeys": ("a", "b")}, Action="*", Resource="*", Condition=condition)


def test_older_policy_version_is_refused() -> None:
    with pytest.raises(NotEvaluated, match="version '2008-10-17'"):
        parse("identity-based policy", {"Version": "2008-10-17", "Statement": []})


@pytest.mark.parametrize(
    ("method", "target", "headers", "expected"),
    [
        ("GET", "/", {}, ["s3:ListAllMyBuckets *"]),
        ("HEAD", "/lake", {}, ["s3:ListBucket arn:aws:s3:::lake"]),
        ("GET", "/lake?list-type=2&prefix=a%2F&delimiter=%2F", {}, ["s3:ListBucket arn:aws:s3:::lake"]),
        ("HEAD", "/lake/a%20b", {}, ["s3:GetObject arn:aws:s3:::lake/a b"]),
        ("PUT", "/lake/a?partNumber=1&uploadId=x", {}, ["s3:PutObject arn:aws:s3:::lake/a"]),
        ("POST", "/lake/a?uploads", {}, ["s3:PutObject arn:aws:s3:::lake/a"]),
        ("DELETE", "/lake/a?uploadId=x", {}, ["s3:AbortMultipartUpload arn:aws:s3:::lake/a"]),
        ("DELETE", "/lake/a", {}, ["s3:DeleteObject arn:aws:s3:::lake/a"]),
        (
            "PUT",
            "/lake/b",
            {"x-amz-copy-source": "/lake/a%20b"},
            ["s3:GetObject arn:aws:s3:::lake/a b", "s3:PutObject arn:aws:s3:::lake/b"],
        ),
    ],
)
def test_requests_map_to_the_actions_that_s3_documents(
    method: str, target: str, headers: dict[str, str], expected: list[str]
) -> None:
    assert [f"{each.action} {each.arn}" for each in needed_actions(method, target, headers)] == expected


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/lake/a?acl"), ("PUT", "/lake?policy"), ("DELETE", "/lake"), ("GET", "/lake?versions")],
)
def test_unknown_operation_is_refused(method: str, target: str) -> None:
    with pytest.raises(NotEvaluated):
        needed_actions(method, target, {})
