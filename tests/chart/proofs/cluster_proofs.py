"""What must hold between manifests: who selects whom, who may do what, what an upgrade changes."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.chart.bench import Bench
from tests.chart.rendering import Manifest, Rendered, own_container, render

RELEASED = Path(__file__).parents[1] / "released"
"""For each release its values, and what it must find again after an upgrade."""


EXTERNAL_ONLY = ("--set", "hpa.targetCores=null")


def selectors_match(bench: Bench) -> str:
    """The service's pods are selected by what is meant for them; redrive and check are not."""
    for case in bench.cases():
        worker = case.the("Deployment")["spec"]["template"]["metadata"]["labels"]
        others = [meta["labels"] for meta, _ in case.pods() if meta["labels"] != worker]
        for selector in _selectors(case):
            assert _selects(selector, worker), case.case
            assert not any(_selects(selector, labels) for labels in others), case.case
        for policy in case.of_kind("NetworkPolicy"):
            labels = policy["spec"]["podSelector"]["matchLabels"]
            assert all(_selects(labels, each) for each in [worker, *others]), case.case
    return f"{sum(len(_selectors(case)) for case in bench.cases())} selectors"


def labels_are_everywhere(bench: Bench) -> str:
    """`commonLabels` are on every resource and pod, and no selector has them.

    A selector never changes, labels do. Labels of a kind of resource win over those of all.
    """
    case = bench.case("names")
    wanted = yaml.safe_load(Bench.values("names").read_text())["commonLabels"].keys()
    jobs = [each["spec"]["jobTemplate"]["metadata"] for each in case.of_kind("CronJob")]
    metadata = [*(each["metadata"] for each in case.manifests), *jobs, *(m for m, _ in case.pods())]
    for each in metadata:
        assert wanted <= each["labels"].keys(), each
    for selector in _selectors(case):
        assert not wanted & selector.keys(), selector
    for policy in case.of_kind("NetworkPolicy"):
        assert not wanted & policy["spec"]["podSelector"]["matchLabels"].keys()
    assert _template(case)["metadata"]["labels"]["team"] == "logistics-on-call"
    assert case.the("PodMonitor")["metadata"]["labels"]["team"] == "observability"
    assert case.the("Service")["metadata"]["labels"]["team"] == "logistics"
    return f"{len(metadata)} metadata"


def full_names_are_kept(bench: Bench) -> str:
    """With `fullnameOverride` all names begin with it, as it stands."""
    names = [each["metadata"]["name"] for each in bench.case("names").manifests]
    assert all(name.split("order-relay")[0] == "" for name in names), names
    assert "order-relay" in names
    return ", ".join(sorted({*names}))


def containers_are_added(bench: Bench) -> str:
    """Init containers are in every pod, as volumes are; a sidecar is beside the service only.

    A job would never end beside a container that goes on.
    """
    case = bench.case("containers")
    for _, spec in case.pods():
        assert [each["name"] for each in spec.get("initContainers", [])] == ["trust"]
        beside = [each["name"] for each in spec["containers"]][1:]
        assert beside == (["proxy"] if own_container(spec)["name"] == "consumer" else [])
    assert not any("initContainers" in spec for _, spec in bench.case("minimal").pods())
    return f"{len([*case.pods()])} pods"


def authorities_are_trusted(bench: Bench) -> str:
    """The variable of each side that is named leads to the file that is mounted, in every pod."""
    for _, spec in bench.case("authorities").pods():
        container = own_container(spec)
        named = {each["name"]: each.get("value") for each in container["env"]}
        (mount,) = (each for each in container["volumeMounts"] if each["name"] == "authorities")
        (volume,) = (each for each in spec["volumes"] if each["name"] == "authorities")
        (item,) = volume["configMap"]["items"]
        assert named["SSL_CERT_FILE"] == f"{mount['mountPath']}/{item['path']}"
        assert "AWS_CA_BUNDLE" not in named
    for _, spec in bench.case("minimal").pods():
        assert all(each["name"] != "authorities" for each in spec["volumes"])
        assert all(each["name"] != "SSL_CERT_FILE" for each in own_container(spec)["env"])
    return "SSL_CERT_FILE"


def names_resolve(bench: Bench) -> str:
    """Accounts, config maps and targets that are named are there, or come from elsewhere."""
    elsewhere = {"order-relay", "order-check"}
    for case in bench.cases():
        accounts = {each["metadata"]["name"] for each in case.of_kind("ServiceAccount")}
        for _, spec in case.pods():
            assert spec["serviceAccountName"] in accounts | elsewhere, case.case
        assert len({spec["serviceAccountName"] for _, spec in case.pods()}) == len([*case.pods()])
        for scaled in case.of_kind("ScaledObject") + case.of_kind("HorizontalPodAutoscaler"):
            target = scaled["spec"]["scaleTargetRef"]["name"]
            assert target == case.the("Deployment")["metadata"]["name"]
        for each in case.manifests:
            assert len(each["metadata"]["name"]) <= 63
            assert each["metadata"]["namespace"] in {"shop", "monitoring"}
    return "accounts, targets, namespaces"


def pods_are_restricted(bench: Bench) -> str:
    """Pod Security Standard `restricted` and more, for every pod."""
    count = 0
    for case in bench.cases():
        for _, spec in case.pods():
            count += 1
            assert spec["automountServiceAccountToken"] is False
            assert spec["enableServiceLinks"] is False
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            container = own_container(spec)
            context = container["securityContext"]
            assert context["runAsUser"] >= 20000
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            assert mounts == {volume["name"] for volume in spec["volumes"]}
    return f"{count} pods"


def rollouts_never_have_fewer(bench: Bench) -> str:
    """A new worker comes before an old one goes; evictions go one by one."""
    for case in bench.cases():
        spec = case.the("Deployment")["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        scaled = case.of_kind("ScaledObject") + case.of_kind("HorizontalPodAutoscaler")
        assert ("replicas" in spec) is not bool(scaled), case.case
        assert len(scaled) <= 1, case.case
        most = spec.get("replicas") or next(
            scaled[0]["spec"][name]
            for name in ("maxReplicaCount", "maxReplicas")
            if name in scaled[0]["spec"]
        )
        budgets = [each["spec"] for each in case.of_kind("PodDisruptionBudget")]
        assert [b["maxUnavailable"] for b in budgets] == ([1] if most > 1 else []), case.case
        assert all(b["unhealthyPodEvictionPolicy"] == "AlwaysAllow" for b in budgets)
    return "maxSurge 1, maxUnavailable 0"


def autoscaler_is_calm(bench: Bench) -> str:
    """Kubernetes' own autoscaler looks at the service's container, and moves leases seldom."""
    spec = bench.case("hpa").the("HorizontalPodAutoscaler")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 8)
    cores, other = spec["metrics"]
    assert cores == {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "container": "consumer",
            "target": {"type": "AverageValue", "averageValue": "500m"},
        },
    }
    assert other["type"] == "External"
    keda = bench.case("autoscaling").the("ScaledObject")["spec"]["advanced"]
    for behavior, seconds in (
        (spec["behavior"], 900),
        (keda["horizontalPodAutoscalerConfig"]["behavior"], 600),
    ):
        assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 60
        assert behavior["scaleDown"] == {
            "stabilizationWindowSeconds": seconds,
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
        }
    (only,) = render(bench.helm, bench.chart, Bench.values("hpa"), *EXTERNAL_ONLY).the(
        "HorizontalPodAutoscaler"
    )["spec"]["metrics"]
    assert only == other
    return "cores, an external metric"


def network_is_enough(bench: Bench) -> str:
    """DNS, Pod Identity, AWS and Nakadi can be reached; the instance's own role cannot."""
    policy = bench.case("network-policy").the("NetworkPolicy")["spec"]
    dns, identity, out = policy["egress"]
    assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert [to["ipBlock"]["cidr"] for to in identity["to"]] == [
        "169.254.170.23/32",
        "fd00:ec2::23/128",
    ]
    assert identity["ports"] == [{"port": 80, "protocol": "TCP"}]
    assert out["ports"] == [{"port": 443, "protocol": "TCP"}]
    assert "169.254.169.254/32" in str(out["to"])
    _, _, aws, nakadi, proxy = bench.case("in-cluster").the("NetworkPolicy")["spec"]["egress"]
    assert [port["port"] for port in aws["ports"]] == [443]
    assert [port["port"] for port in nakadi["ports"]] == [8080]
    assert nakadi["to"][0].keys() == {"namespaceSelector"}
    assert proxy["ports"] == [{"port": 3128, "protocol": "TCP"}]
    beside = ("--set", "config.nakadi_url=http://nakadi.example.org:8080")
    values = Bench.values("network-policy")
    *_, out = render(bench.helm, bench.chart, values, *beside).the("NetworkPolicy")["spec"][
        "egress"
    ]
    assert [port["port"] for port in out["ports"]] == [443, 8080]
    return "5 ways out"


def redrive_is_alone(bench: Bench) -> str:
    """One redrive at a time, not for ever, never twice for the same reason; by hand in any case."""
    for case in bench.cases():
        queue = "CONSUMER_DEAD_LETTER_QUEUE_URL" in case.text
        assert bool(case.of_kind("CronJob")) is queue, case.case
        for each in case.of_kind("CronJob"):
            assert each["spec"]["suspend"] is (each["spec"]["schedule"] == "@yearly")
    job = bench.case("redrive").the("CronJob")["spec"]
    assert job["suspend"] is False
    assert job["concurrencyPolicy"] == "Forbid"
    template = job["jobTemplate"]["spec"]
    assert (template["activeDeadlineSeconds"], template["backoffLimit"]) == (1800, 0)
    assert template["template"]["spec"]["restartPolicy"] == "Never"
    return f"{job['schedule']} {job['timeZone']}"


def a_job_runs_once_for_its_arguments(bench: Bench) -> str:
    """Off by default; not for ever, never twice for the same reason, with a role of its own."""
    assert not bench.case("minimal").of_kind("Job")
    job = bench.case("republish").the("Job")
    assert (job["spec"]["activeDeadlineSeconds"], job["spec"]["backoffLimit"]) == (900, 0)
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    accounts = {
        each["metadata"]["name"] for each in bench.case("republish").of_kind("ServiceAccount")
    }
    assert pod["serviceAccountName"] in accounts
    assert pod["serviceAccountName"].endswith("-republish")
    assert pod["containers"][0]["args"][:2] == ["republish", "--yes"]
    values = Bench.values("republish")
    others = render(bench.helm, bench.chart, values, "--set", "republish.args={--dry-run}")
    names = {job["metadata"]["name"], others.the("Job")["metadata"]["name"]}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)
    return ", ".join(sorted(names))


def repair_has_room_for_its_keys(bench: Bench) -> str:
    """The keys of a gap are kept in a temporary file: more than the service's own /tmp holds."""
    pod = bench.case("repair").the("Job")["spec"]["template"]["spec"]
    assert pod["containers"][0]["args"][:4] == ["repair", "--yes", "--gap", "all"]
    assert pod["serviceAccountName"].endswith("-repair")
    (size,) = (each["emptyDir"]["sizeLimit"] for each in pod["volumes"] if each["name"] == "tmp")
    assert size == "8Gi"
    return str(size)


def pods_share_a_snapshot(bench: Bench) -> str:
    """All pods have one id, a pod that was killed is replaced, and no id is no snapshot."""
    assert not bench.case("minimal").of_kind("Job")
    job = bench.case("snapshot").the("Job")
    spec = job["spec"]
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (2, 2, 3)
    pod = spec["template"]["spec"]
    assert pod["serviceAccountName"].endswith("-snapshot")
    words = pod["containers"][0]["args"]
    assert words[:4] == ["snapshot", "--yes", "--id", "stock-2026-11"]
    values = Bench.values("snapshot")
    others = render(bench.helm, bench.chart, values, "--set", "snapshot.id=other")
    names = {job["metadata"]["name"], others.the("Job")["metadata"]["name"]}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)
    return ", ".join(sorted(names))


def restarts_for_settings_only(bench: Bench) -> str:
    """Pods are replaced when their settings change, and not for a threshold of an alert."""
    values = Bench.values("minimal")
    before = _template(bench.case("minimal"))
    changed = render(bench.helm, bench.chart, values, "--set", "config.batch_events=400")
    assert _template(changed) != before
    silent = ("alerts.enabled=true", "alerts.agePageSeconds=99", "service.port=80", "replicas=5")
    for flag in silent:
        assert _template(render(bench.helm, bench.chart, values, "--set", flag)) == before, flag
    return f"{len(silent)} changes without a restart"


def upgrades_keep_identities(bench: Bench) -> str:
    """Values of every release still render, and what cannot change or is bound by name stays."""
    releases = sorted(RELEASED.glob("*-values.yaml"))
    assert releases
    for values in releases:
        kept = yaml.safe_load(identities_of(values).read_text())
        now = identities(render(bench.helm, bench.chart, values))
        lost = {key: each for key, each in kept.items() if now.get(key) != each}
        assert not lost, (values.name, lost)
    return ", ".join(values.name.removesuffix("-values.yaml") for values in releases)


def identities_of(values: Path) -> Path:
    return values.with_name(values.name.replace("-values", "-identities"))


def identities(case: Rendered) -> dict[str, object]:
    """Kind and name of every manifest, with the fields that Kubernetes never changes."""
    found: dict[str, object] = {}
    for each in case.manifests:
        spec = each.get("spec", {})
        key = f"{each['apiVersion']} {each['kind']} {each['metadata']['name']}"
        found[key] = {
            name: spec[name] for name in ("selector", "type", "scaleTargetRef") if name in spec
        }
    return found


def _template(case: Rendered) -> Manifest:
    template: Manifest = case.the("Deployment")["spec"]["template"]
    return template


def _selectors(case: Rendered) -> list[Mapping[str, str]]:
    found = [each["spec"]["selector"] for each in case.of_kind("Service")]
    for kind in ("Deployment", "PodDisruptionBudget", "PodMonitor"):
        found += [each["spec"]["selector"]["matchLabels"] for each in case.of_kind(kind)]
    spreads = case.the("Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"]
    return found + [each["labelSelector"]["matchLabels"] for each in spreads]


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()
