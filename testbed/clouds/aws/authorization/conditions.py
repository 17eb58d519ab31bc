"""Evaluates statement conditions: every IAM operator except the binary operators, for the supported condition keys.

Sources, 2026-11-25:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import TypeAlias

from testbed.clouds.aws.authorization.keys import check_key
from testbed.clouds.aws.authorization.language import Condition, NotEvaluated
from testbed.clouds.aws.authorization.patterns import Context, matches, matches_arn_condition, resolves

Test: TypeAlias = Callable[[str, str, Context], bool]
"""Returns whether a value in a policy matches a value in a request."""

_ALL, _ANY, _IF_EXISTS = "ForAllValues:", "ForAnyValue:", "IfExists"


def hold(conditions: Sequence[Condition], context: Context) -> bool:
    """Return whether all conditions of a statement are met. Multiple values of a condition are alternatives."""
    results = [_holds(condition, context) for condition in conditions]  # evaluate all, so unknown operators are refused
    return all(results)


def _holds(condition: Condition, context: Context) -> bool:
    check_key(condition.key)
    actual = context.get(condition.key.lower())
    if condition.operator == "Null":
        return (actual is None) == _boolean(condition.values)
    base = condition.operator.removeprefix(_ALL).removeprefix(_ANY)
    name = base.removesuffix(_IF_EXISTS)
    if name not in _OPERATORS or (condition.operator.startswith(_ANY) and name != base):  # the documents disagree
        raise NotEvaluated(f"condition operator {condition.operator}")
    test, negated = _OPERATORS[name]
    every, some = condition.operator.startswith(_ALL), condition.operator.startswith(_ANY)
    if not actual:
        return every or name != base or (negated and not some)
    if len(actual) > 1 and not (every or some):
        raise NotEvaluated(f"{condition.operator} on {condition.key}, which has several values in this request")
    if negated and not all(resolves(value, context) for value in condition.values):
        return False  # an unresolved variable makes the statement invalid instead of true
    met = [any(test(value, each, context) for value in condition.values) != negated for each in actual]
    return all(met) if every else any(met)


def _boolean(values: Sequence[str]) -> bool:
    if len(values) != 1 or values[0] not in ("true", "false"):
        raise NotEvaluated(f"Null with {', '.join(values)}")
    return values[0] == "true"


def _equal(expected: str, actual: str, context: Context) -> bool:
    return matches(expected, actual, context, wildcards=False)


def _equal_ignoring_case(expected: str, actual: str, context: Context) -> bool:
    return matches(expected, actual, context, wildcards=False, ignore_case=True)


def _within(expected: str, actual: str, context: Context) -> bool:
    network, address = ip_network(expected), ip_address(actual)
    return network.version == address.version and address in network


def _numbers(compare: Callable[[float, float], bool]) -> Test:
    return lambda expected, actual, _: compare(float(actual), float(expected))


def _moment(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moments(compare: Callable[[datetime, datetime], bool]) -> Test:
    return lambda expected, actual, _: compare(_moment(actual), _moment(expected))


_OPERATORS: Mapping[str, tuple[Test, bool]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equal_ignoring_case, True),
    "StringLike": (matches, False),
    "StringNotLike": (matches, True),
    "ArnEquals": (matches_arn_condition, False),
    "ArnLike": (matches_arn_condition, False),
    "ArnNotEquals": (matches_arn_condition, True),
    "ArnNotLike": (matches_arn_condition, True),
    "Bool": (_equal_ignoring_case, False),
    "IpAddress": (_within, False),
    "NotIpAddress": (_within, True),
    "NumericEquals": (_numbers(operator.eq), False),
    "NumericNotEquals": (_numbers(operator.eq), True),
    "NumericLessThan": (_numbers(operator.lt), False),
    "NumericLessThanEquals": (_numbers(operator.le), False),
    "NumericGreaterThan": (_numbers(operator.gt), False),
    "NumericGreaterThanEquals": (_numbers(operator.ge), False),
    "DateEquals": (_moments(operator.eq), False),
    "DateNotEquals": (_moments(operator.eq), True),
    "DateLessThan": (_moments(operator.lt), False),
    "DateLessThanEquals": (_moments(operator.le), False),
    "DateGreaterThan": (_moments(operator.gt), False),
    "DateGreaterThanEquals": (_moments(operator.ge), False),
}
"""The comparison of each operator, and whether it is negated."""
