"""Container image repositories."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import ecr

from .account import Account, protected
from .key import Key

_UNTAGGED_DAYS = 14


class ImageRegistry(pulumi.ComponentResource):
    """Repositories in the account's registry. Tags are immutable, and pushed images are scanned.

    Untagged images are deleted after 14 days. `host` is the first part of an image name.
    """

    host: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        key: Key,
        repositories: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:ImageRegistry", name, None, account.options(opts))
        for repository in repositories:
            self._repository(repository, key)
        self.host = pulumi.Output.concat(account.account_id, f".dkr.ecr.{account.region_name}.{account.dns_suffix}")
        self.register_outputs({"host": self.host})

    def _repository(self, name: str, key: Key) -> None:
        repository = ecr.Repository(
            name,
            ecr.RepositoryArgs(
                name=name,
                image_tag_mutability="IMMUTABLE",  # MUTABLE by default
                image_scanning_configuration=ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
                # cannot be changed later; by default AES256 with an AWS key
                encryption_configurations=[
                    ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=key.arn)
                ],
                # to delete repositories that contain images, an `up` must set this before the `destroy`
                force_delete=not protected(),
            ),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        ecr.LifecyclePolicy(
            name,
            ecr.LifecyclePolicyArgs(repository=repository.name, policy=pulumi.Output.json_dumps(_untagged())),
            pulumi.ResourceOptions(parent=self),
        )


def _untagged() -> dict[str, object]:
    """Return a lifecycle rule that expires untagged images.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html, 2026-11-24.
    """
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"}
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": "images without a tag",
                "selection": {**selection, "countNumber": _UNTAGGED_DAYS},
                "action": {"type": "expire"},
            }
        ]
    }
