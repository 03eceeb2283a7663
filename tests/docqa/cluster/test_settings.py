"""How a collection is spread, as people and configurations of Ray Serve give it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from docqa.cluster.settings import ClusterSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [("groups", 0), ("replicas", 0), ("readers", 0), ("shard_seconds", 0.0), ("reader_gpus", -1.0)],
)
def test_numbers_that_are_too_small_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        ClusterSettings(**{name: value})  # type: ignore[arg-type]


def test_a_misspelt_argument_of_a_configuration_is_named() -> None:
    pytest.importorskip("ray", reason="the extra cluster is not installed")
    from docqa.cluster.app import read_arguments

    with pytest.raises(ValueError, match="replica_count"):
        read_arguments({"index": "x", "replica_count": 2})


def test_the_manifest_for_kubernetes_is_what_ray_serve_and_docqa_take(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra cluster is not installed")
    from ray.serve.schema import ServeDeploySchema

    from docqa.cluster.app import read_arguments

    manifest = Path(__file__).parents[3] / "deploy" / "kuberay.yaml"
    service, _secret = yaml.safe_load_all(manifest.read_text())
    config = ServeDeploySchema.model_validate(yaml.safe_load(service["spec"]["serveConfigV2"]))
    [application] = config.applications
    assert application.import_path == "docqa.cluster.app:build"
    token = tmp_path / "token"
    token.write_text("a-token-that-is-long-enough")
    server, cluster = read_arguments({**application.args, "token_file": str(token)})
    assert server.token is not None
    assert cluster.replicas == 2
    rooms = [
        group["template"]["spec"]["containers"][0]["resources"]["limits"]
        for group in service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    ]
    processors = sum(int(room["cpu"]) * 2 for room in rooms[:1]) + int(rooms[1]["cpu"])
    assert processors >= cluster.groups * cluster.replicas + cluster.readers + cluster.fronts


# Of KubeRay (ray.io/v1): RayServiceSpec, RayClusterSpec, HeadGroupSpec, WorkerGroupSpec; the fields
# that the manifest may use, and those that each must have.
_KUBERAY = {
    "service": ({"serveConfigV2", "rayClusterConfig", "serveService"}, {"rayClusterConfig"}),
    "cluster": (
        {"rayVersion", "headGroupSpec", "workerGroupSpecs", "enableInTreeAutoscaling"},
        {"headGroupSpec"},
    ),
    "head": ({"serviceType", "rayStartParams", "template"}, {"rayStartParams", "template"}),
    "worker": (
        {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"},
        {"groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"},
    ),
}


def test_the_manifest_for_kubernetes_has_the_fields_that_kuberay_knows() -> None:
    manifest = Path(__file__).parents[3] / "deploy" / "kuberay.yaml"
    service, _secret = yaml.safe_load_all(manifest.read_text())
    assert (service["apiVersion"], service["kind"]) == ("ray.io/v1", "RayService")
    cluster = service["spec"]["rayClusterConfig"]
    head, workers = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    parts = [("service", service["spec"]), ("cluster", cluster), ("head", head)]
    for kind, part in [*parts, *(("worker", worker) for worker in workers)]:
        known, needed = _KUBERAY[kind]
        assert needed <= part.keys() <= known
    for group in [head, *workers]:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        mounts = {
            mount["name"]
            for container in group["template"]["spec"]["containers"]
            for mount in container["volumeMounts"]
        }
        assert mounts == {volume["name"] for volume in group["template"]["spec"]["volumes"]}
    assert all(one["minReplicas"] <= one["replicas"] <= one["maxReplicas"] for one in workers)
