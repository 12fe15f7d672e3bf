"""What Helm itself must say: lint, render, refuse, package."""

import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.chart.bench import Bench
from tests.chart.rendering import helm, refusal, render

REQUIRED = (
    "these values must be set: config.table (or config.stream_arn), config.nakadi_url,"
    " config.event_type (or routes), region, token.secretName (the Secret with Nakadi's token)."
)
STREAM = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T09:30:00.000"
URL_ELSEWHERE = 'extraEnv=[{"name":"CONSUMER_NAKADI_URL","value":"http://nakadi:8080"}]'
BOTH = (
    "autoscaling.enabled, hpa.enabled: wanted at most one of the two, because both set the number"
    " of workers."
)
NO_METRIC = "hpa.targetCores, hpa.metrics: wanted at least one of the two."
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:token-AbCdEf"  # noqa: S105
KEDA = "autoscaling.enabled=true,autoscaling.maxReplicas=4,autoscaling.prometheusAddress=http://p"
QUEUE_MISSING = "these values must be set: config.dead_letter_queue_url (the queue to redrive)."

# Arguments beside those of helm/ci/minimal-values.yaml, and what Helm must say to them.
REFUSALS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("--set", "config.tabel=orders"), ("config", "tabel")),
    (("--set", "config.batch_events=many"), ("config", "batch_events")),
    (("--set", "config.batch_events=0"), ("config", "batch_events")),
    (("--set", "config.nakadi_url=nakadi.example.org"), ("config", "nakadi_url")),
    (("--set", "config.layout=flatt"), ("config", "layout")),
    (("--set", "config.nakadi_token=secret"), ("config", "nakadi_token")),
    (("--set", "config.http_host=127.0.0.1"), ("config", "http_host")),
    (("--set", "config.http_port=0"), ("config", "http_port")),
    (("--set", "config.drain_seconds=null"), ("config", "drain_seconds")),
    (("--set", "replica=3"), ("replica",)),
    (("--set", "image.tga=1"), ("image", "tga")),
    (("--set", "image.digest=sha256:12"), ("image", "digest")),
    (("--set", "autoscaling.minReplicas=0"), ("autoscaling", "minReplicas")),
    (("--set-json", 'extraEnv=[{"name":"CONSUMER_TABEL","value":"x"}]'), ("extraEnv",)),
    (("--set-json", 'extraEnv=[{"name":"CONSUMER_DRAIN_SECONDS","value":"9"}]'), ("extraEnv",)),
    (("--set", "region="), ("these values must be set: region.",)),
    (("--set", "config.nakadi_token_file=/a"), ("wanted at most one of the three",)),
    (("--set", f"config.nakadi_token_secret={SECRET}"), ("wanted at most one of the three",)),
    (("--set", "config.queue_bytes=1000"), ("config", "queue_bytes")),
    (("--set", "config.table=a/b"), ("config", "table")),
    (("--set", "config.start=2026-13-45"), ("config", "start")),
    (("--set", "config.start=2025-02-30T09:30:00Z"), ("config.start: wanted a time that",)),
    (("--set", "config.start=2999-01-01T00:00:00+01:00"), ("config.start: wanted a time that",)),
    (("--set-json", 'config.ordering_key="a, b,a"'), ("config.ordering_key: wanted different",)),
    (
        ("--set", f"config.table=,config.stream_arn={STREAM},region=eu-west-1"),
        ("region, config.stream_arn: wanted the stream's region.",),
    ),
    (
        ("--set", "networkPolicy.enabled=true,config.nakadi_url=", "--set-json", URL_ELSEWHERE),
        ("config.nakadi_url: wanted here",),
    ),
    (("--set", "nameOverride=a.b"), ("nameOverride",)),
    (("--set", "fullnameOverride=4711"), ("fullnameOverride",)),
    (("--set", f"fullnameOverride={'a' * 45}"), ("fullnameOverride",)),
    (("--set", "commonLabels.helm\\.sh/chart=mine"), ("commonLabels",)),
    (("--set", "commonLabels.team=a b"), ("commonLabels",)),
    (("--set-json", 'extraContainers=[{"name":"consumer"}]'), ("extraContainers",)),
    (("--set-json", 'initContainers=[{"name":"check"}]'), ("initContainers",)),
    (("--name-template", "4711"), ("wanted a letter first",)),
    (("--name-template", "order.relay"), ("wanted a letter first",)),
    (("--set", "redrive.schedule=@daily"), (QUEUE_MISSING,)),
    (
        ("--set", "autoscaling.enabled=true"),
        ("autoscaling.maxReplicas (the number of shards), autoscaling.prometheusAddress.",),
    ),
    (("--set", f"{KEDA},hpa.enabled=true,hpa.maxReplicas=4"), (BOTH,)),
    (("--set", "hpa.enabled=true"), ("must be set: hpa.maxReplicas (the number of shards).",)),
    (("--set", "hpa.enabled=true,hpa.maxReplicas=1"), ("hpa.minReplicas is greater than",)),
    (("--set", "hpa.enabled=true,hpa.maxReplicas=4,hpa.targetCores=null"), (NO_METRIC,)),
    (("--set", "hpa.minReplicas=0"), ("hpa", "minReplicas")),
    (("--set", "hpa.targetCores=1.5"), ("hpa", "targetCores")),
    (("--set", "alerts.severities.ConsumerAbsnt=page"), ("alerts", "ConsumerAbsnt")),
    (("--set", "alerts.pageSeverity="), ("alerts", "pageSeverity")),
    (("--set", "check.resource.cpu=1"), ("check", "resource")),
    (("--kube-version", "1.26.0"), (">=1.27.0-0",)),
)

NOBODY, UNSCRAPED, NO_LINK = "Nobody is told", "ConsumerAbsent pages", "lead nowhere"
ALL_WORRIES = {NOBODY, UNSCRAPED, NO_LINK}
RUNBOOK = "alerts.runbookUrl=https://runbooks.example.org/order-relay"
# What is watched, and what NOTES.txt must say to that.
WORRIES: Mapping[str, set[str]] = {
    "alerts.enabled=false": {NOBODY},
    "podMonitor.enabled=true": {NOBODY},
    f"alerts.enabled=true,{RUNBOOK}": {UNSCRAPED},
    "alerts.enabled=true,podMonitor.enabled=true": {NO_LINK},
    f"alerts.enabled=true,podMonitor.enabled=true,{RUNBOOK}": set(),
}


def lints(bench: Bench) -> str:
    """`helm lint --strict` finds nothing, for any values."""
    for name, program in bench.tools.helms.items():
        for values in bench.files:
            said = helm(program, "lint", "--strict", str(bench.chart), "--values", str(values))
            assert "0 chart(s) failed" in said, (name, values.name, said)
    return f"{len(bench.files)} files of values x {len(bench.tools.helms)} versions"


def renders_alike(bench: Bench) -> str:
    """Every version of Helm makes the same manifests."""
    first, *others = bench.tools.helms
    for other in others:
        for one, two in zip(bench.cases(first), bench.cases(other), strict=True):
            assert by_name(one.manifests) == by_name(two.manifests), one.case
    return f"{sum(len(case.manifests) for case in bench.cases())} manifests"


def names_what_is_missing(bench: Bench) -> str:
    """`helm install` without values fails with one sentence that names them all."""
    for name, program in bench.tools.helms.items():
        assert REQUIRED in refusal(program, "template", "orders", str(bench.chart)), name
    # Helm 3 asks for a cluster before it looks at the chart.
    if "helm 4" in bench.tools.helms:
        words = ("install", "orders", str(bench.chart), "--dry-run=client")
        assert REQUIRED in refusal(bench.helm, *words)
    return REQUIRED.partition(":")[0] + ": …"


def refuses_mistakes(bench: Bench) -> str:
    """A typo fails at `helm install`, not in the pod."""
    values = str(Bench.values("minimal"))
    for name, program in bench.tools.helms.items():
        for arguments, words in REFUSALS:
            said = refusal(program, "template", str(bench.chart), "--values", values, *arguments)
            assert all(word in said for word in words), (name, arguments, said)
    return f"{len(REFUSALS)} mistakes x {len(bench.tools.helms)} versions"


def packages(bench: Bench) -> str:
    """The package renders what the folder renders, and carries nothing that it needs not."""
    with tempfile.TemporaryDirectory(prefix="chart-") as folder:
        helm(bench.helm, "package", str(bench.chart), "--destination", folder)
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as files:
            inside = {name.partition("/")[2] for name in files.getnames()}
        assert not {name for name in inside if name.startswith("ci/")}
        assert {"values.schema.json", "files/alerts.yaml", "files/dashboard.json"} <= inside
        for case in ("minimal", "monitoring"):
            packed = render(bench.helm, package, Bench.values(case))
            assert packed.manifests == bench.case(case).manifests
        return f"{package.name}, {len(inside)} files, {package.stat().st_size // 1024} KiB"


def notes_are_printed(bench: Bench) -> str:
    """NOTES.txt renders for all values, and says what is missing for a quiet Saturday."""
    if "helm 4" not in bench.tools.helms:
        return "skipped: only Helm 4 prints them without a cluster"
    for values in bench.files:
        said = notes(bench, values)
        assert "publishes the changes of" in said, values.name
        assert "<no value>" not in said, values.name
        queue = "dead_letter_queue" in values.read_text().lower()
        assert ("blocks its key" in said) is not queue
        given = yaml.safe_load(values.read_text()).get("fullnameOverride")
        name = given or "orders-dynamodb-nakadi-consumer"
        assert (f"--from=cronjob/{name}-redrive " in said) is queue
    for flags, worries in WORRIES.items():
        said = notes(bench, Bench.values("minimal"), "--set", flags)
        assert {each for each in ALL_WORRIES if each in said} == worries, (flags, said)
    return f"{len(bench.files)} files of values, {len(WORRIES)} ways to watch"


def notes(bench: Bench, values: Path, *more: str) -> str:
    words = ("install", "orders", str(bench.chart), "--dry-run=client", "--values", str(values))
    return helm(bench.helm, *words, *more).partition("NOTES:")[2]


def by_name(manifests: tuple[dict[str, Any], ...]) -> dict[str, object]:
    return {f"{m['kind']} {m['metadata']['name']}": m for m in manifests}
