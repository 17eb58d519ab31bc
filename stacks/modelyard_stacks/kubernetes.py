"""Components for any Kubernetes cluster: the cluster as a provider, Helm charts, and objects from plain YAML."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import pulumi
import pulumi_kubernetes
from pulumi_kubernetes.helm import v4 as helm

from .base import Json, beside_the_program, read_documents
from .documents import (
    FIELD_MANAGER,
    annotations_of,
    is_in_place,
    is_word,
    managed,
    resource_name,
    type_token,
    with_annotations,
    with_field_manager,
    with_images,
    with_values,
)

_Late: TypeAlias = pulumi.Output[str] | pulumi.Output[list[Json]]
Argument: TypeAlias = "None | bool | int | float | str | _Late | Sequence[Argument] | Mapping[str, Argument]"
"""Plain data. Strings may be outputs, whose values are known only at run time."""

PROTECT = "modelyard.dev/protect"
"""Annotation for objects that hold data. `destroy` does not delete them unless the stack's `protect` is false."""

_OF_PODS = [
    f"spec.rayClusterConfig.{field}"
    for field in (
        "autoscalerOptions",
        "enableInTreeAutoscaling",
        "headGroupSpec",
        "rayVersion",
        "workerGroupSpecs[*].groupName",
        "workerGroupSpecs[*].rayStartParams",
        "workerGroupSpecs[*].template",
    )
]
"""Server fields that KubeRay cannot change without a second Ray cluster (`upgradeStrategy: None`; read in v1.6.2 on
2026-11-25). If they change, the server must be replaced: it would accept a new image but never run it. Replica numbers
and the Serve configuration are changed in place.
"""


class Cluster(pulumi_kubernetes.Provider):
    """The cluster for all objects, selected by a context in the local kubeconfig or by a separate kubeconfig.

    Missing arguments are read from the stack settings `context`, `kubeconfig` (a secret) and `chartRepository` (a
    mirror for all charts). One of the first two is required so that nothing is accidentally applied to the current
    context.

    Objects are written with server-side apply, under one field manager per project. An existing object is adopted if no
    other manager owns any of its fields, so the next `up` completes an interrupted `up`.
    """

    chart_repository: str | None
    field_manager: str

    def __init__(
        self,
        name: str,
        *,
        context: str | None = None,
        kubeconfig: pulumi.Input[str] | None = None,
        chart_repository: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        config = pulumi.Config()
        context = context or config.get("context")
        kubeconfig = kubeconfig or config.get_secret("kubeconfig")
        if context is None and kubeconfig is None:
            raise pulumi.RunError(
                "set the cluster: pulumi config set context NAME, where NAME is a context of your kubeconfig"
            )
        self.chart_repository = chart_repository or config.get("chartRepository")
        self.field_manager = pulumi.get_project()
        super().__init__(  # pyright: ignore[reportUnknownMemberType] # the SDK leaves its own `__props__` untyped
            name,
            context=context,
            kubeconfig=kubeconfig,
            # without it, a renewed certificate in the kubeconfig would look like a new cluster and replace everything
            cluster_identifier=config.get("clusterIdentifier")
            or context
            or f"{pulumi.get_project()}-{pulumi.get_stack()}",
            enable_server_side_apply=True,
            upsert_existing_objects=True,
            opts=opts,
        )


class Site:
    """The site a stack deploys to, with values from the stack setting `site`.

    These values replace placeholders such as `${site.gateway}` in manifests and charts. `${site digest a b}` is a hash
    of the values `a` and `b`, which causes Pods to be replaced if one of them changes.
    """

    def __init__(self, name: str) -> None:
        values: object = pulumi.Config().get_object("site")
        if not isinstance(values, dict):
            raise pulumi.RunError(f"choose a site of {name}: select a stack that has a file Pulumi.STACK.yaml here")
        self.values = {str(key): str(value) for key, value in cast("dict[object, object]", values).items()}
        wrong = next((key for key, value in self.values.items() if not is_word(value)), None)
        if wrong is not None:
            raise pulumi.RunError(f"{wrong} in the setting `site` may contain only letters, digits and ._:/-")

    def path(self, folder: str, file: str) -> Path:
        """Return the path of a manifest file, preferring the version for this kind of site over the shared file."""
        own = beside_the_program(folder, self.values["manifests"], file) if "manifests" in self.values else None
        return own if own is not None and own.is_file() else beside_the_program(folder, file)


class Namespace(pulumi.CustomResource):
    """A namespace for an add-on, with a Pod Security level of restricted, baseline or privileged."""

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        pod_security: str = "restricted",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        levels: dict[str, Json] = {
            f"pod-security.kubernetes.io/{mode}": pod_security for mode in ("enforce", "audit", "warn")
        }
        document: dict[str, Json] = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": levels},
        }
        super().__init__(
            type_token(document),
            resource_name(document),
            managed(document, cluster.field_manager),
            pulumi.ResourceOptions.merge(pulumi.ResourceOptions(provider=cluster), opts),
        )


class Chart(helm.Chart):
    """An add-on with every object of a Helm chart as a separate resource, in an existing namespace.

    The chart's hooks aren't run, so its values must work without them. `chart` is the name in the repository, which
    defaults to the name of the release.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        repository: str,
        version: str,
        namespace: str,
        chart: str | None = None,
        values: Mapping[str, Argument] | None = None,
        site: Site | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        chart = chart or name
        source = cluster.chart_repository or repository
        in_registry = source.startswith("oci://")
        super().__init__(  # pyright: ignore[reportUnknownMemberType] # the SDK leaves its own `__props__` untyped
            name,
            name=name,
            chart=f"{source.rstrip('/')}/{chart}" if in_registry else chart,
            repository_opts=None if in_registry else helm.RepositoryOptsArgs(repo=source),
            version=version,
            namespace=namespace,
            values=dict(with_values(values or {}, site.values if site else {})),
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(
                    provider=cluster,
                    depends_on=list(depends_on),
                    transforms=[with_field_manager(cluster.field_manager)],
                ),
                opts,
            ),
        )


class GeneratedSecret(pulumi.CustomResource):
    """A Secret whose values are generated at its first `up` and kept from then on.

    The values are stored only in the cluster and, encrypted, in the stack's state.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        namespace: str,
        generated: Sequence[str],
        fixed: Mapping[str, str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        values = {**(fixed or {}), **{key: secrets.token_hex(32) for key in generated}}
        super().__init__(
            "kubernetes:core/v1:Secret",
            f"{namespace}/{name}",
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "annotations": {FIELD_MANAGER: cluster.field_manager},
                },
                "type": "Opaque",
                "data": pulumi.Output.secret({key: _base64(value) for key, value in values.items()}),
            },
            pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(provider=cluster, depends_on=list(depends_on), ignore_changes=["data"]),
                opts,
            ),
        )


class Logins(pulumi.ComponentResource):
    """Secrets with the keys `username` and `password`, each generated at its first `up` and kept from then on.

    `users` maps the names of Secrets to user names.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        namespace: str,
        users: Mapping[str, str],
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:kubernetes:Logins", name, None, opts)
        for secret, user in users.items():
            GeneratedSecret(
                secret,
                cluster=cluster,
                namespace=namespace,
                generated=["password"],
                fixed={"username": user},
                depends_on=depends_on,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


class Object(pulumi.CustomResource):
    """A single object defined by the program itself, since part of it is an output of another project.

    `name` is the name of the Pulumi resource, whereas the object's own name is in its `metadata`. The kind and name
    must be known in advance.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        document: Mapping[str, Argument],
        site: Site | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        plain = cast("dict[str, Json]", dict(with_values(document, site.values if site else {})))
        props = managed(plain, cluster.field_manager)
        if plain["kind"] == "Secret":
            values = {key: pulumi.Output.secret(plain[key]) for key in ("data", "stringData") if key in plain}
            props = cast("dict[str, Json]", {**props, **values})
        super().__init__(
            type_token(plain),
            name,
            props,
            pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(provider=cluster, depends_on=list(depends_on)),
                opts,
            ),
        )


class EgressPolicy(Object):
    """Allows a namespace's Pods, selected by `app.kubernetes.io/name` label, to reach HTTPS servers in `ranges`.

    `ranges` is an output of another project with comma-separated CIDR blocks.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        namespace: str,
        pods: Sequence[str],
        ranges: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        document: dict[str, Argument] = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "podSelector": {
                    "matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": list(pods)}]
                },
                "policyTypes": ["Egress"],
                "egress": pulumi.Output.from_input(ranges).apply(_https_to),
            },
        }
        super().__init__(f"{namespace}/{name}", cluster=cluster, document=document, depends_on=depends_on, opts=opts)


class Manifests(pulumi.ComponentResource):
    """The objects in a folder of YAML files next to the program, each as a separate resource.

    The documents in a file are created in sequence and deleted in reverse order. Files are processed in parallel, or in
    sequence with `in_order`. All wait for `depends_on`.

    Pulumi waits for anything Kubernetes itself starts (Deployments, Jobs). A custom resource counts as created once it
    is accepted, because its operator may take as long as loading a model, and one broken model must not block the
    others. A RayService that is rolled out in place is deleted and recreated if its Pods change, since there is no
    capacity for two.

    `images` maps placeholder hosts to registries that are only known at run time, which replace them in image names.
    `annotations` maps placeholders to strings that are only known at run time, which replace them where they are the
    entire value of an object's annotation. `site` fills in the placeholders for a site's values.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        files: Sequence[str],
        site: Site | None = None,
        in_order: bool = False,
        folder: str = "manifests",
        images: Mapping[str, pulumi.Input[str]] | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:kubernetes:Manifests", name, None, opts)
        protect = pulumi.Config().get_bool("protect") is not False
        before: Sequence[pulumi.Resource] = tuple(depends_on)
        for file in files:
            documents = read_documents(site.path(folder, file) if site else beside_the_program(folder, file))
            filled = [with_values(each, site.values if site else {}) for each in documents]
            last = self._apply(filled, cluster, before, protect, images or {}, annotations or {})
            if in_order and last is not None:
                before = (last,)
        self.register_outputs({})

    def _apply(
        self,
        documents: Sequence[dict[str, Json]],
        cluster: Cluster,
        before: Sequence[pulumi.Resource],
        protect: bool,
        images: Mapping[str, pulumi.Input[str]],
        annotations: Mapping[str, pulumi.Input[str]],
    ) -> pulumi.Resource | None:
        last: pulumi.Resource | None = None
        for document in documents:
            in_place = is_in_place(document)
            last = pulumi.CustomResource(
                type_token(document),
                resource_name(document),
                with_annotations(with_images(managed(document, cluster.field_manager), images), annotations),
                pulumi.ResourceOptions(
                    parent=self,
                    provider=cluster,
                    depends_on=list(before) if last is None else [last],
                    protect=protect and annotations_of(document).get(PROTECT) == "true",
                    replace_on_changes=_OF_PODS if in_place else None,
                    delete_before_replace=True if in_place else None,
                ),
            )
        return last


def _https_to(ranges: str) -> list[Json]:
    blocks: list[Json] = [{"ipBlock": {"cidr": cidr}} for cidr in ranges.split(",")]
    return [{"to": blocks, "ports": [{"protocol": "TCP", "port": 443}]}]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
