"""Access from a cluster outside of AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import KEY, Found, elsewhere, inputs, needs, policy, registered
from tests.stacks.programs import Refused

RIGHTS = "aws:iam/userPolicy:UserPolicy"
ACCESS_KEY = "aws:iam/accessKey:AccessKey"


def crossing(access: str) -> str:
    return f"""{KEY}
import pulumi
from modelyard_stacks.aws.crossing import Crossing

crossing = Crossing("stores-till", account=account, access={access})
pulumi.ComponentResource("tiny:Names", "names", {{
    "id": crossing.access_key_id,
    "secret": crossing.secret_access_key,
    "isSecret": crossing.secret_access_key.is_secret(),
}})
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A cluster elsewhere that reads one folder."""
    access = '[{"bucket": "artifacts", "prefix": "bundles/fraud-xgb/", "mode": "read", "key": key.arn}]'
    return registered(tmp_path_factory.mktemp("crossing"), crossing(access))


def test_a_user_may_do_what_is_named_and_nothing_else(found: Found) -> None:
    statements = policy(inputs(found, RIGHTS, "stores-till")["policy"])

    assert {sid: each["Action"] for sid, each in statements.items()} == {
        "ReadObjects": "s3:GetObject",
        "List0": "s3:ListBucket",
        "DecryptObjects": "kms:Decrypt",
    }
    assert statements["List0"]["Condition"] == {"StringLike": {"s3:prefix": "bundles/fraud-xgb/*"}}
    assert not elsewhere(found)


def test_its_key_is_made_once_it_has_its_rights(found: Found) -> None:
    assert f"{RIGHTS} stores-till" in needs(found, ACCESS_KEY, "stores-till")
    assert inputs(found, ACCESS_KEY, "stores-till") == {"user": "stores-till"}


def test_its_secret_half_is_a_secret(found: Found) -> None:
    given = found["tiny:Names names"]["inputs"]

    assert given["id"] == "stores-till"
    assert given["isSecret"] is True


def test_a_user_that_may_do_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="stores-till: a user that may do nothing is not made"):
        registered(tmp_path, crossing("[]"))
