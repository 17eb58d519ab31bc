"""Assess changes to an existing cluster that affect all of it, because other systems may use the cluster, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.effects import Effects
from modelyard.records import record
from modelyard.review.effects import Consequence
from modelyard.review.findings import Level
from modelyard.spec import TargetSpec

_ADD_ON: Final = "kubernetes.Chart"
_NAMESPACE: Final = "core/v1/Namespace"
_POLICY: Final = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
_SHARED: Final = "shared"

_TAKEN_OVER: Final = (
    "the namespace exists already, because a tenant does not create it: it is taken over, and `pulumi destroy` then"
    " deletes it with everything in it"
)
_INSTALLED: Final = "add-ons bring CRDs, operators and cluster roles for the whole cluster"
_INSTALLED_OVER: Final = f"{_INSTALLED}: those that it already has are taken over, or stop `pulumi up` with a conflict"
_WITH_CRDS: Final = (
    "the CRDs of an add-on go with all objects of their kinds in the cluster, those of other systems too"
)
_UNLIMITED: Final = "without the admission policies, tokens of workloads may start any image with any account or Secret"


@record
class ClusterUse:
    """How a target's use of an existing cluster changes. Nothing is set for a cluster that modelyard creates.

    A tenant's cluster is shared: its owner creates the namespace and everything at cluster scope. `lacks` is set if the
    spec no longer says that the cluster has an add-on.
    """

    exists: bool = False
    was_tenant: bool = False
    is_tenant: bool = False
    lacks: bool = False
    same_namespace: bool = False

    @property
    def changes_hands(self) -> bool:
        """Whether the target starts or stops managing objects at cluster scope."""
        return self.was_tenant is not self.is_tenant

    def created(self, affected: Iterable[Consequence]) -> tuple[Level, str]:
        """Return the level of resources that are created in the cluster, and what they mean for other systems."""
        kinds = {consequence.item.kind for consequence in affected}
        stops_being_tenant = self.was_tenant and not self.is_tenant
        reasons = {
            _TAKEN_OVER: stops_being_tenant and self.same_namespace and _NAMESPACE in kinds,
            _INSTALLED_OVER: (stops_being_tenant or self.lacks) and _ADD_ON in kinds,
        }
        if any(reasons.values()):
            return Level.DANGER, "; ".join(reason for reason, applies in reasons.items() if applies)
        return (Level.REVIEW, _INSTALLED) if self.exists and _ADD_ON in kinds else (Level.NOTE, "")

    def destroyed(self, affected: Iterable[Consequence]) -> tuple[str, ...]:
        """Return what it means for other systems and for security that resources in the cluster are destroyed."""
        kinds = {consequence.item.kind for consequence in affected}
        reasons = {
            _WITH_CRDS: self.exists and _ADD_ON in kinds,
            _UNLIMITED: self.is_tenant and not self.was_tenant and _POLICY in kinds,
        }
        return tuple(reason for reason, applies in reasons.items() if applies)

    def is_named(self, consequence: Consequence, effects: Effects) -> bool:
        """Return whether a resource is named because the target starts or stops managing its kind."""
        return self.changes_hands and effects.part(consequence.item.kind).wide


def cluster_use(was: TargetSpec | None, now: TargetSpec | None, *, same_namespace: bool) -> ClusterUse:
    """Compare two versions of a target, either of which may be missing."""
    if was is None or now is None or was.creates_cluster or now.creates_cluster:
        return ClusterUse()
    return ClusterUse(
        exists=True,
        was_tenant=was.tenancy == _SHARED,
        is_tenant=now.tenancy == _SHARED,
        lacks=bool(set(was.present) - set(now.present)),
        same_namespace=same_namespace,
    )
