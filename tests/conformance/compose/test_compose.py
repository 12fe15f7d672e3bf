"""docker-compose.yml and Dockerfile: well-formed, and in agreement with the programs they start."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from consumer.settings.loading import load_settings

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((Path(__file__).parent / "compose-spec/compose-spec.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
BUILT = {name: each["image"] for name, each in SERVICES.items() if "build" in each}
LOCALDEV = [name for name, each in SERVICES.items() if each["image"] == BUILT["nakadi"]]
STAGES = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)


def mistakes(compose: object) -> list[str]:
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(compose)]


def depends_on(service: str) -> set[str]:
    return set(SERVICES[service].get("depends_on", {}))


def last_stage() -> str:
    return DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_the_compose_file_is_valid() -> None:
    assert mistakes(COMPOSE) == []


def test_the_schema_sees_a_mistake() -> None:
    assert mistakes({**COMPOSE, "services": {"consumer": {"imag": "x"}}})
    assert mistakes({"services": {"consumer": {"ports": "8080"}}})


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_publishes_ports_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_needs_a_shell(name: str) -> None:
    service = SERVICES[name]
    assert isinstance(service.get("command", []), list)
    assert all(isinstance(word, str) for word in service.get("command", []))
    if "healthcheck" in service:
        assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        match how["condition"]:
            case "service_healthy":
                assert "healthcheck" in SERVICES[other]
            case "service_completed_successfully":
                assert SERVICES[other]["command"][0] == "localdev.workload.setup"  # which ends
            case "service_started":
                assert "build" in SERVICES[other]  # its image is what is waited for
            case unexpected:
                pytest.fail(f"{name} waits for {other} to be {unexpected}")


def test_what_is_not_ours_has_a_pinned_image() -> None:
    foreign = {
        name: each["image"]
        for name, each in SERVICES.items()
        if each["image"] not in BUILT.values()
    }
    assert set(foreign) == {"dynamodb", "prometheus", "grafana"}
    assert all(re.search(r":v?\d+\.\d+\.\d+$", image) for image in foreign.values())


def test_an_image_of_ours_is_a_stage_of_the_dockerfile_and_built_once() -> None:
    assert set(BUILT) == {"nakadi", "consumer"}
    assert len(set(BUILT.values())) == 2
    for name in BUILT:
        assert SERVICES[name]["build"]["target"] in {stage for _, stage in STAGES}


@pytest.mark.parametrize("name", LOCALDEV)
def test_a_stand_in_starts_a_module_of_an_image_that_was_built_before(name: str) -> None:
    module = SERVICES[name]["command"][0]
    assert importlib.util.find_spec(module) is not None, f"python -m {module}"
    assert SERVICES[name]["pull_policy"] == "never"
    waits_for = {name}
    while more := {other for each in waits_for for other in depends_on(each)} - waits_for:
        waits_for |= more
    assert "nakadi" in waits_for


@pytest.mark.parametrize("name", [name for name in SERVICES if "healthcheck" in SERVICES[name]])
def test_health_is_asked_often_at_the_start_and_seldom_then(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert (check["start_interval"], check["interval"]) == ("1s", "30s")


def test_workers_can_be_scaled() -> None:
    (ports,) = SERVICES["consumer"]["ports"]
    assert re.fullmatch(r"127\.0\.0\.1:8080-80\d\d:8080", ports)
    assert "container_name" not in SERVICES["consumer"]


def test_the_consumer_accepts_its_settings() -> None:
    environ = SERVICES["consumer"]["environment"]
    settings = load_settings(environ)
    assert settings.table == "orders"
    assert settings.http_port == 8080
    assert SERVICES["consumer"]["stop_grace_period"] == f"{settings.drain_seconds + 10:g}s"


def test_setup_and_consumer_mean_the_same_things() -> None:
    options = dict(
        word.removeprefix("--").split("=", 1) for word in SERVICES["setup"]["command"][1:]
    )
    environ = SERVICES["consumer"]["environment"]
    assert options["table"] == environ["CONSUMER_TABLE"]
    assert options["event-type"] == environ["CONSUMER_EVENT_TYPE"]
    assert options["nakadi-url"] == environ["CONSUMER_NAKADI_URL"]
    assert environ["CONSUMER_DEAD_LETTER_QUEUE_URL"].endswith(f"/{options['queue']}")
    assert f"--table={options['table']}" in SERVICES["workload"]["command"]
    for name, value in SERVICES["setup"]["environment"].items():
        assert environ[name] == value


def test_setup_and_consumer_of_the_routes_mean_the_same_things() -> None:
    command = SERVICES["setup-routes"]["command"][2:]
    options = dict(word.removeprefix("--").split("=", 1) for word in command)
    environ = SERVICES["consumer-routes"]["environment"]
    assert options["table"] == environ["CONSUMER_TABLE"]
    assert options["nakadi-url"] == environ["CONSUMER_NAKADI_URL"]
    assert environ["CONSUMER_DEAD_LETTER_QUEUE_URL"].endswith(f"/{options['queue']}")
    assert f"--table={options['table']}" in SERVICES["workload-routes"]["command"]
    (volume,) = SERVICES["consumer-routes"]["volumes"]
    source, target, _ = volume.split(":")
    assert environ["CONSUMER_CONFIG_FILE"] == target
    settings = load_settings(environ | {"CONSUMER_CONFIG_FILE": str(ROOT / source)})
    assert settings.event_types == ("shop.order", "shop.customer")


@pytest.mark.parametrize("name", ["prometheus", "grafana", "consumer-routes"])
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        source, _, mode = volume.split(":")
        assert (ROOT / source).exists()
        assert mode == "ro"


def test_prometheus_scrapes_the_consumer_as_its_rules_expect() -> None:
    folder = ROOT / "localdev/observability"
    config = yaml.safe_load((folder / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    port = SERVICES["consumer"]["ports"][0].rpartition(":")[2]
    assert (found["names"], found["type"], found["port"]) == (["consumer"], "A", int(port))
    (label,) = job["relabel_configs"]
    rules = (folder / "rules.yml").read_text()
    application = SERVICES["consumer"]["environment"]["CONSUMER_EVENT_TYPE"]
    labels = f'{label["target_label"]}="{label["replacement"]}",application="{application}"'
    assert labels in rules


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    folder = ROOT / "localdev/observability/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((folder / "dashboards/consumer.yaml").read_text())["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(provider["options"]["path"])
    assert any(volume.split(":")[1] == home for volume in SERVICES["grafana"]["volumes"])


def test_every_stage_grows_from_one_pinned_image() -> None:
    outside = {base for base, _ in STAGES} - {stage for _, stage in STAGES}
    assert outside == {"${PYTHON_IMAGE}"}
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(.*)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.13-slim-trixie@sha256:[0-9a-f]{64}", base)
    assert base.partition("@")[0] in DOCKERFILE.partition("\nARG ")[0]  # says how to renew it
    assert "# syntax" not in DOCKERFILE  # a front end would be one more image, and not pinned


def test_the_service_image_is_what_a_plain_build_makes() -> None:
    assert STAGES[-1] == ("python", "consumer")
    assert "\nRUN " not in last_stage()
    assert re.findall(r"^COPY .*$", last_stage(), re.MULTILINE) == [
        "COPY --from=dependencies /opt/venv /opt/venv",
        "COPY --from=code /opt/code /opt/venv",
    ]
    assert "\nUSER 65532:65532\n" in last_stage()
    assert "HEALTHCHECK" in last_stage()
    assert 'CMD ["consumer", "health"]' in last_stage()
    assert last_stage().endswith(
        'ENTRYPOINT ["env", "--block-signal=TERM", "consumer"]\nCMD ["run"]\n'
    )


LAMBDA_CLIENT = (
    "--require-hashes --no-deps --only-binary :all: --prefix /opt/client"
    " --requirement requirements/lambda.txt"
)


def test_only_the_locked_requirements_are_installed() -> None:
    commands = re.sub(r"\s*\\\n\s*", " ", DOCKERFILE)
    installs = re.findall(r"pip install (?:--no-compile )?(.*?)(?: &&.*)?$", commands, re.MULTILINE)
    assert installs == [
        "--require-hashes --no-deps --requirement requirements/build.txt",
        "--require-hashes --no-deps --requirement requirements/dev.txt",
        "--require-hashes --no-deps --requirement requirements/run.txt",
        "--no-deps --no-index --no-cache-dir --prefix /opt/code /dist/*.whl",
        LAMBDA_CLIENT,
    ]
    assert "--no-build-isolation --no-index" in DOCKERFILE
