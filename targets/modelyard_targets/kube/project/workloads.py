"""The functions that lower each kind of workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from modelyard.plan import Kind, Resource
from modelyard_targets.kube.access.identity import lower_identity
from modelyard_targets.kube.access.network import lower_network
from modelyard_targets.kube.monitoring.monitor import lower_monitor
from modelyard_targets.kube.network.route import lower_route
from modelyard_targets.kube.pipelines.job import lower_job
from modelyard_targets.kube.pipelines.promoter import lower_promoter
from modelyard_targets.kube.pipelines.starter import lower_starter
from modelyard_targets.kube.placement.context import Context, Made
from modelyard_targets.kube.serving.model_server import lower_server

Lower: TypeAlias = Callable[[Resource, Context], Iterator[Made]]

WORKLOADS: Mapping[Kind, tuple[Lower, ...]] = {
    Kind.IDENTITY: (lower_identity,),
    Kind.MODEL_SERVER: (lower_network, lower_server),
    Kind.ROUTE: (lower_route,),
    Kind.TRAINING_JOB: (lower_network, lower_job),
    Kind.BATCH_JOB: (lower_network, lower_job),
    Kind.CUSTOM_JOB: (lower_network, lower_job),
    Kind.MONITOR: (lower_network, lower_monitor),
    Kind.PROMOTER: (lower_network, lower_promoter),
    Kind.STARTER: (lower_network, lower_starter),
}
"""By kind, in the order of application: network policies come before what needs them."""
