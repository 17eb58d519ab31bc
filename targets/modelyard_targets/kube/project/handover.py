"""What users must move manually when a system leaves a cluster or arrives at a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.costs import Rate
from modelyard.handover import COPY_ACCOUNT, Handover, Quota, Remote, SecretPlace
from modelyard.plan import Secret
from modelyard_targets.kube.access.secrets import OWN_STORE, secrets_of, store_of
from modelyard_targets.kube.data.openings import credentials_of
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.placement.context import Context, mirrored
from modelyard_targets.kube.project.copying import IMAGE
from modelyard_targets.kube.project.pins import images_of
from modelyard_targets.kube.storage.rclone import remote_of


def handover_of(context: Context, quotas: Iterable[Quota] = (), egress: Rate | None = None) -> Handover:
    """Return a placement's stores, secrets and images, along with the provider's quotas and egress price."""
    plan, placement = context.plan, context.placement
    if not plan.has_cluster(placement):
        return Handover(remotes=tuple(_remotes(context)), quotas=tuple(quotas), egress=egress)
    return Handover(
        namespace=context.namespace,
        remotes=tuple(_remotes(context)),
        secrets=tuple(_secrets(context)),
        image=context.runtime_image if needs_runtime_image(plan, placement) else "",
        images=tuple((image, mirrored(image, context.target)) for image in images_of(context)),
        copier=(IMAGE, mirrored(IMAGE, context.target)),
        identity=context.platform.copy_identity.format(account=COPY_ACCOUNT, namespace=context.namespace),
        quotas=tuple(quotas),
        egress=egress,
    )


def _remotes(context: Context) -> Iterator[Remote]:
    here = {secret.name for secret in secrets_of(context.plan.of(Secret, context.placement), context)}
    for store in context.system.stores.values():
        if store.type == "object" and store.target == context.placement:
            credentials = credentials_of(store, f"stores.{store.name}", context)
            is_here = credentials is not None and credentials.secret in here
            yield remote_of(store, context.system, credentials if is_here else None)


def _secrets(context: Context) -> Iterator[SecretPlace]:
    for secret in secrets_of(context.plan.of(Secret, context.placement), context):
        store = store_of(secret.ref, context)
        own = context.platform.secret_name(secret.ref.path) if store.via == OWN_STORE else ""
        yield SecretPlace(
            store=store.name,
            via=store.via,
            path=secret.ref.path,
            namespace=secret.namespace,
            name=secret.name,
            keys=tuple(sorted(secret.keys)),
            workloads=secret.workloads,
            stored_as=own,
            commands=context.platform.secret_commands(own, context) if own else None,
            kind="kubernetes.io/tls" if secret.certificate else "Opaque",
        )
