"""What the service must say to what the chart makes of it: settings, commands, and measures."""

import io
import json
import math
import re
import subprocess
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from pathlib import Path

import yaml

from consumer.cli import _parser, execute
from consumer.settings.settings import Settings
from consumer.settings.source import FILE_VARIABLE, variable
from localdev.observability.rules import SOURCE
from localdev.observability.rules import render as render_rules
from tests.alerts.prometheus import found
from tests.chart.bench import Bench
from tests.chart.rendering import NAMESPACE, RELEASE, Manifest, Rendered, own_container, render
from tests.chart.schema import CREDENTIAL, SCHEMA
from tests.chart.values_file import VALUES

REDRIVE_FAILED = "ConsumerRedriveFailed"
OVERRIDES = (
    ("fullnameOverride", "relay"),
    ("fullnameOverride", "a-full-name-of-as-many-letters-as-it-may-hav"),
    ("nameOverride", ""),
    ("nameOverride", "relay"),
    ("nameOverride", "a-name-that-is-longer-than-a-name-may-be"),
)
FROM_ELSEWHERE = {
    "CONSUMER_DEAD_LETTER_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/letters",
    "CONSUMER_ROUTES": '[{"event_type": "order-store.order"}]',
}
"""What the cluster would fill in for `valueFrom`."""


def environment(case: Rendered, container: Manifest) -> dict[str, str]:
    """The variables of a container, as the kubelet would set them."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= case_configmap(case, source["configMapRef"]["name"])["data"]
    for each in container.get("env", ()):
        found[each["name"]] = each.get("value", FROM_ELSEWHERE.get(each["name"], ""))
    if FILE_VARIABLE in found:
        path = found[FILE_VARIABLE]
        found[FILE_VARIABLE] = str(_file(case, Path(path).name))
    return found


def _file(case: Rendered, name: str) -> Path:
    """A file of a ConfigMap, as it is mounted; the same one for the same content."""
    (content,) = (m["data"][name] for m in case.of_kind("ConfigMap") if name in m["data"])
    path = Path(tempfile.gettempdir()) / f"chart-{sha256(content.encode()).hexdigest()}-{name}"
    path.write_text(content)
    return path


def case_configmap(case: Rendered, name: str) -> Manifest:
    (found,) = (m for m in case.of_kind("ConfigMap") if m["metadata"]["name"] == name)
    return found


def settings_are_accepted(bench: Bench) -> str:
    """`consumer check --offline` accepts the environment of every container."""
    found = environments(bench)
    for env in found:
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = execute(["check", "--offline"], env)
        assert code == 0, said.getvalue()
    return f"{len(found)} environments"


def regions_are_of_the_container(bench: Bench) -> str:
    """`env` of every container names the region, once.

    The webhook of EKS sets it where it is absent, and `env` wins over the ConfigMap.
    """
    regions = []
    for case in bench.cases():
        for _, spec in case.pods():
            names = [each["name"] for each in own_container(spec)["env"]]
            assert names.count("AWS_REGION") == 1, (case.case, names)
            assert len({*names}) == len(names), (case.case, names)
            env = {each["name"]: each.get("value") for each in own_container(spec)["env"]}
            regions.append(env["AWS_REGION"])
        assert "AWS_REGION" not in str(case.of_kind("ConfigMap")), case.case
    assert {"eu-central-1", "eu-west-1"} <= {*regions}
    assert None not in regions
    return f"{len(regions)} containers"


def settings_are_all_tried(bench: Bench) -> str:
    """Every setting but the secret one stands in some file of values."""
    given = {name for env in environments(bench) for name in env if name.startswith("CONSUMER_")}
    known = {variable(name) for name in Settings.model_fields if name != CREDENTIAL}
    given.remove(FILE_VARIABLE)
    assert given == known, f"helm/ci/settings-values.yaml lacks {sorted(known - given)}"
    return f"{len(given)} settings"


def environments(bench: Bench) -> list[dict[str, str]]:
    """Those of all containers, each once."""
    found: dict[str, dict[str, str]] = {}
    for case in bench.cases():
        for _, spec in case.pods():
            env = environment(case, own_container(spec))
            found[str(sorted(env.items()))] = env
    return [*found.values()]


def defaults_are_those_of_the_service(_: Bench) -> str:
    """What values.yaml repeats of the settings has their defaults, but for the lease table."""
    repeated = yaml.safe_load(VALUES.read_text())["config"]
    assert repeated.pop("lease_table_create") is False
    numbers = {name: value for name, value in repeated.items() if value != ""}
    for name, value in numbers.items():
        assert value == Settings.model_fields[name].default, name
    return ", ".join(numbers)


def commands_are_understood(bench: Bench) -> str:
    """The arguments of every container are a command of the service."""
    seen = set()
    for case in bench.cases():
        for _, spec in case.pods():
            container = own_container(spec)
            assert "command" not in container  # the image's entry point
            seen.add(_parser().parse_args(container["args"]).command)
    assert seen == {"run", "redrive", "republish", "repair", "snapshot", "check"}
    return ", ".join(sorted(seen))


def pods_are_made_to_measure(bench: Bench) -> str:
    """Grace follows the drain, memory the queue, ports and labels the settings."""
    for case in bench.cases():
        config = case_configmap(case, case.the("Deployment")["metadata"]["name"])["data"]
        spec = case.the("Deployment")["spec"]["template"]["spec"]
        container = own_container(spec)
        grace = math.ceil(float(config["CONSUMER_DRAIN_SECONDS"])) + 10
        assert spec["terminationGracePeriodSeconds"] == grace, case.case
        assert "lifecycle" not in container
        assert container["ports"][0]["containerPort"] == int(config["CONSUMER_HTTP_PORT"])
        limits = container["resources"]["limits"]
        assert "cpu" not in limits
        queue = int(config["CONSUMER_QUEUE_BYTES"]) / 2**20
        room = {"Mi": 1, "Gi": 1024}[limits["memory"][-2:]] * int(limits["memory"][:-2]) - queue
        assert room >= 288, case.case
    memory = {
        name: bench.case(name).the("Deployment")["spec"]["template"]["spec"]["containers"][0]
        for name in ("minimal", "single", "settings", "routes-list", "routes", "routes-secret")
    }
    limits = {name: each["resources"]["limits"]["memory"] for name, each in memory.items()}
    assert limits == {
        "minimal": "608Mi",
        "single": "308Mi",
        "settings": "1568Mi",
        "routes-list": "624Mi",
        "routes": "640Mi",
        "routes-secret": "748Mi",
    }
    return "queue of 16, 256, 1024 MiB: 308Mi, 608Mi, 1568Mi; 2, 3, 50 routes: 624Mi, 640Mi, 748Mi"


def probes_ask_what_the_service_answers(bench: Bench) -> str:
    """Life is the coordinator's, readiness also Nakadi's first answer."""
    (container,) = bench.case("minimal").the("Deployment")["spec"]["template"]["spec"]["containers"]
    paths = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert paths == {
        "startup": {"path": "/livez", "port": "http"},
        "liveness": {"path": "/livez", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }
    return "/livez, /livez, /readyz"


def alerts_are_those_tested(bench: Bench) -> str:
    """Helm makes of the rules what their own tests make of them."""
    values = yaml.safe_load(Bench.values("monitoring").read_text())
    defaults = yaml.safe_load(VALUES.read_text())
    root = {
        "Values": {
            "alerts": {**defaults["alerts"], **values["alerts"]},
            "config": {**defaults["config"], **values["config"]},
        },
        "Release": {"Name": RELEASE, "Namespace": NAMESPACE},
        "Chart": {"Name": "dynamodb-nakadi-consumer"},
    }
    tested = yaml.safe_load(render_rules(SOURCE.read_text(), root))
    rules = bench.case("monitoring").the("PrometheusRule")["spec"]
    assert rules == tested
    promtool_accepts(rules)
    return f"{sum(len(group['rules']) for group in rules['groups'])} rules"


def severities_are_values(bench: Bench) -> str:
    """Each of the two severities has a name of yours, and an alert may have one of its own."""
    rules = alerts(bench.case("monitoring"))
    before = alerts(bench.case("names"))
    own = {"ConsumerStreamDisabled": "disaster", "ConsumerDeadLetters": "0"}
    names = {"page": "critical", "warning": "ticket"}
    assert {*before.values()} == {*names}
    assert rules == {name: own.get(name, names[was]) for name, was in before.items()}
    schema = json.loads(SCHEMA.read_text())["properties"]["alerts"]["properties"]["severities"]
    assert schema["properties"].keys() == rules.keys()
    return ", ".join(sorted({*rules.values()}))


def alerts(case: Rendered) -> dict[str, str]:
    """Return severities by alert."""
    groups = case.the("PrometheusRule")["spec"]["groups"]
    rules = (rule for group in groups for rule in group["rules"] if "alert" in rule)
    return {rule["alert"]: rule["labels"]["severity"] for rule in rules}


def resources_are_of_each(bench: Bench) -> str:
    """Redrive and check have what is given for them, over what is given for all."""
    given = {
        own_container(spec)["name"]: own_container(spec)["resources"]
        for _, spec in bench.case("redrive").pods()
    }
    shown = {
        name: (each["requests"]["cpu"], each["requests"]["memory"], each["limits"]["memory"])
        for name, each in given.items()
    }
    assert shown == {
        "consumer": ("250m", "608Mi", "608Mi"),
        "redrive": ("500m", "768Mi", "768Mi"),
        "check": ("50m", "192Mi", "192Mi"),
    }
    for name, each in given.items():
        assert each["limits"]["ephemeral-storage"] == "64Mi", name
    same = [own_container(spec)["resources"] for _, spec in bench.case("minimal").pods()]
    assert all(each == same[0] for each in same)
    return ", ".join(f"{name} {limit}" for name, (_, _, limit) in shown.items())


def alerts_know_their_redrive(bench: Bench) -> str:
    """The alert on a failed redrive is about this release's CronJob, however its name was cut."""
    queue = "config.dead_letter_queue_url=https://sqs.eu-central-1.amazonaws.com/1/q"
    flags = ("alerts.enabled=true", "redrive.schedule=@daily", queue)
    words = [word for flag in flags for word in ("--set", flag)]
    root = {"Release": {"Name": RELEASE}, "Chart": {"Name": "dynamodb-nakadi-consumer"}}
    for key, override in OVERRIDES:
        more = (*words, "--set", f"{key}={override}")
        case = render(bench.helm, bench.chart, Bench.values("minimal"), *more)
        name = case.the("CronJob")["metadata"]["name"]
        root["Values"] = {key: override}
        assert key == "nameOverride" or name == f"{override}-redrive"
        assert name == render_rules('{{ include "consumer.name" . }}-redrive', root)
        groups = case.the("PrometheusRule")["spec"]["groups"]
        (rule,) = (r for g in groups for r in g["rules"] if r.get("alert") == REDRIVE_FAILED)
        assert {*re.findall(r'cronjob="(.*?)"', rule["expr"])} == {name}
        assert {*re.findall(r'job_name=~"(.*?)"', rule["expr"])} == {f"{name}-.+"}
    return f"{name}: {len(name)} characters"


def promtool_accepts(rules: Manifest) -> None:
    """Where promtool is; tests/alerts has more."""
    promtool = found("promtool")
    if promtool is None:
        return
    with tempfile.TemporaryDirectory(prefix="rules-") as folder:
        file = Path(folder) / "rules.yml"
        file.write_text(yaml.safe_dump(rules))
        command = [promtool, "check", "rules", "--lint-fatal", str(file)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
