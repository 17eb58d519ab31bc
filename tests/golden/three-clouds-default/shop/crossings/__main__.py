"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.aws.account import Account
from modelyard_stacks.aws.federation import TrustedIdentity, TrustedIssuer
from modelyard_stacks.infrastructure import Infrastructure

account = Account(
    "shop",
    region="eu-central-1",
    tags={
        "modelyard:system": "offers",
        "modelyard:environment": "default",
        "modelyard:target": "shop",
        "modelyard:owner": "growth",
    },
)
infrastructure = Infrastructure("offers-shop-infrastructure")

learn_infrastructure = Infrastructure("offers-learn-infrastructure", setting="infrastructure-learn")

learn_issuer = TrustedIssuer("learn", account=account, issuer=learn_infrastructure["issuer"])
learn__retrain_identity = TrustedIdentity(
    "learn.retrain",
    issuer=learn_issuer,
    namespace="offers",
    service_account="retrain",
    access=[
        {"bucket": "offers-captures-9f72ff", "prefix": "returns", "mode": "read", "key": infrastructure["key_arn"]},
    ],
)

pulumi.export("learn__retrain_role_arn", learn__retrain_identity.role_arn)
