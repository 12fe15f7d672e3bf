"""The alert rules: each fires when it should and stays silent when it should, says promtool."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.observability.metrics import Metrics
from localdev.observability.rules import ALERTS as LOCAL_ALERTS
from localdev.observability.rules import LOCAL, RENDERED, SOURCE, render
from tests.alerts.drills import DRILLS
from tests.alerts.prometheus import ROOT, needed
from tests.alerts.promql import metric_names
from tests.unit.observability.test_metrics import exported, touch_everything

CASES = sorted((Path(__file__).parent / "cases").glob("*.yml"))
NAMES = [test["name"] for case in CASES for test in yaml.safe_load(case.read_text())["tests"]]
TEXT = render(SOURCE.read_text(), LOCAL)
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
RULES: list[dict[str, Any]] = [r for g in yaml.safe_load(TEXT)["groups"] for r in g["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDS = {rule["record"] for rule in RULES if "record" in rule}
AGE = "ConsumerIteratorAgeHigh"
APPLICATION = 'application="order-store.order"'
OF_ALL = "by (namespace, application)"
PER_EVENT_TYPE = "by (namespace, application, event_type)"
SINCE_START = "max_over_time(consumer_records_taken_total"
AND_TAKEN = (
    "and on (namespace, application, event_type) "
    f'consumer_records_taken_total{{namespace="local",{APPLICATION}}}'
)
FOREIGN = {
    "aws_sqs_approximate_age_of_oldest_message_maximum",  # yet-another-cloudwatch-exporter
    "kube_cronjob_status_last_successful_time",  # kube-state-metrics
    "kube_job_created",
    "kube_job_status_failed",
}


def with_summaries_only(text: str) -> str:
    """The rules; of their annotations only what the cases expect."""
    rules = yaml.safe_load(text)
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                rule["annotations"] = {"summary": rule["annotations"]["summary"]}
    return yaml.safe_dump(rules)


def judged(folder: Path, case: Path, rules: str) -> subprocess.CompletedProcess[str]:
    (folder / "rules.yml").write_text(with_summaries_only(rules))
    (folder / case.name).write_text(case.read_text())
    command = [needed("promtool"), "test", "rules", str(folder / case.name)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_alerts_fire_and_stay_silent(tmp_path: Path, case: Path) -> None:
    result = judged(tmp_path, case, TEXT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "alert"),
    [
        ("max by (namespace, application) (cons", "sum by (namespace, application) (cons", AGE),
        ("[20m]", "[60m]", "ConsumerRetentionInDanger"),
        (',reason!="seek"', "", "ConsumerChangesLost"),
        (f'{APPLICATION},state="free"', 'state="waiting"', "ConsumerLeasesUnowned"),
        ('state="unreadable"', 'state="waiting"', "ConsumerLeasesUnreadable"),
        ("absent(consumer_iterator_age_seconds{", "absent({", "ConsumerAbsent"),
        ("|413|422)", ")", "ConsumerPublishErrors"),
        ("> on (namespace)", "!= on (namespace)", "ConsumerRedriveFailed"),
        ("[1h] offset 1h", "[5m] offset 1h", "ConsumerChangesLost"),
        ("[15m] offset 15m", "[15m]", "ConsumerDeadLetters"),
        (
            '"local-dynamodb-nakadi-consumer-redrive-',
            '"local.*-redrive-',
            "ConsumerRedriveFailed",
        ),
        ("> 14.4 *", "> 144 *", "ConsumerFreshnessBurnFast"),
        (
            f"{PER_EVENT_TYPE} (rate(consumer_publish",
            f"{OF_ALL} (rate(consumer_publish",
            "ConsumerPublishErrors",
        ),
        (f"max {PER_EVENT_TYPE}", f"max {OF_ALL}", "ConsumerEventTypeStopped"),
        (f"{AND_TAKEN} offset 86400s\n", "\n", "ConsumerRouteTakesNothing"),
        (f"{AND_TAKEN}\n", "\n", "ConsumerRouteTakesNothing"),
        (f"unless {SINCE_START}", f"and {SINCE_START}", "ConsumerRouteTakesNothing"),
        (f"unless {SINCE_START}", f"or {SINCE_START}", "ConsumerRouteTakesNothing"),
        ("[86400s])) > 0", "[86400s])) >= 0", "ConsumerRouteTakesNothing"),
    ],
)
def test_the_cases_see_a_mistake(tmp_path: Path, right: str, wrong: str, alert: str) -> None:
    assert right in TEXT
    (file,) = (each for each in CASES if f"{alert} fires: " in each.read_text())
    case = yaml.safe_load(file.read_text())
    case["tests"] = [test for test in case["tests"] if test["name"].startswith(f"{alert} ")]
    (tmp_path / "case").mkdir()
    its_cases = tmp_path / "case" / file.name
    its_cases.write_text(yaml.safe_dump(case))
    result = judged(tmp_path, its_cases, TEXT.replace(right, wrong))
    assert result.returncode == 1
    assert f"name: {alert} " in result.stdout + result.stderr  # and not that the rule is none


def test_promtool_finds_the_whole_document_correct(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(TEXT)
    command = [needed("promtool"), "check", "rules", "--lint-fatal", str(tmp_path / "rules.yml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(RULES)} rules found" in result.stdout


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_case_of_either_kind(alert: str) -> None:
    assert any(name.startswith(f"{alert} fires: ") for name in NAMES)
    assert any(name.startswith(f"{alert} stays silent: ") for name in NAMES)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_to_do(alert: str) -> None:
    annotations = ALERTS[alert]["annotations"]
    assert set(annotations) == {"summary", "description", "runbook_url"}
    assert len(annotations["summary"]) < 160
    assert ALERTS[alert]["labels"]["severity"] in {"page", "warning"}
    page, anchor = annotations["runbook_url"].split("#")
    assert page == "docs/runbook.md"
    assert anchor == alert.lower()


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_its_chapter(alert: str) -> None:
    chapter = re.search(rf"^## {alert}\n(.*?)(?=^## |\Z)", RUNBOOK, re.DOTALL | re.MULTILINE)
    assert chapter is not None
    for part in ("Means", "First look", "[Dd]o|action", "Over when", "Drill"):
        assert re.search(rf"\*\*[^*]*\b({part})\b[^*]*\*\*", chapter[1]), part
    drills = re.findall(r"\*\*Drill\.\*\* `(\w+)`", chapter[1])
    assert drills
    assert set(drills) <= {drill.__name__ for drill in DRILLS}


def test_commands_run_where_they_have_the_rights() -> None:
    """The service's role is enough for what operators do to leases (tests/chart/test_platform)."""
    executed = re.findall(r"kubectl exec [^`]*? -- consumer (\S+?)`", RUNBOOK)
    assert {*executed} == {"leases", "pause"}
    assert "helm test order-relay --namespace shop --logs" in RUNBOOK
    assert "--from=cronjob/NAME-redrive NAME-redrive-$(date +%s)" in RUNBOOK


def test_links_of_the_runbook_lead_somewhere() -> None:
    headings = {found.lower() for found in re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", RUNBOOK)) <= headings


def test_every_name_is_one_that_somebody_exports() -> None:
    metrics = Metrics()
    touch_everything(metrics)
    known = exported(metrics).keys() | RECORDS | FOREIGN
    used = {name for rule in RULES for name in metric_names(rule["expr"])}
    assert used - known == set()
    assert used >= FOREIGN | RECORDS


def test_a_rule_is_about_one_application() -> None:
    """Two releases in one Prometheus must not see each other's series."""
    for rule in RULES:
        selectors = re.findall(r"(?:consumer_\w+|consumer:\w+:\w+)(\{.*?\})?", rule["expr"])
        assert selectors or FOREIGN & set(metric_names(rule["expr"]))
        for selector in selectors:
            assert 'namespace="local",application="order-store.order"' in selector


def test_the_rules_of_docker_compose_are_these() -> None:
    assert RENDERED.read_text() == TEXT, "python -m localdev.observability.rules"


@pytest.mark.parametrize("version", ["helm-3", "helm-4"])
def test_helm_renders_them_alike(version: str) -> None:
    helm = ROOT / f".run/tools/{version}/helm"
    if not helm.exists():
        pytest.skip(f"{version} is missing: `make fetch` gets it for Linux on amd64")
    command: list[str | Path] = [helm, "template", "local", ROOT / "helm", "--namespace", "local"]
    command += ["--values", ROOT / "helm/ci/minimal-values.yaml"]
    command += ["--show-only", "templates/prometheusrule.yaml", "--set", "alerts.enabled=true"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert yaml.safe_load(result.stdout)["spec"] == yaml.safe_load(TEXT)


def test_the_thresholds_of_docker_compose_are_the_charts() -> None:
    values = yaml.safe_load((ROOT / "helm/values.yaml").read_text())["alerts"]
    assert LOCAL_ALERTS.items() <= values.items()


def test_thresholds_are_the_values() -> None:
    alerts = {
        "ageWarningSeconds": 11,
        "agePageSeconds": 22,
        "retentionSeconds": 33,
        "oldestDeadLetterSeconds": 44,
        "routeSilenceSeconds": 55,
        "pageSeverity": "wake",
        "warningSeverity": "look",
        "severities": {"ConsumerDeadLettersOld": "soon"},
        "runbookUrl": "https://runbooks.example/relay",
        "freshnessObjective": 0.55,
        "freshnessSeconds": 66,
    }
    config = {"event_type": "a", "application": "b"}
    root = {
        "Values": {"alerts": alerts, "config": config},
        "Release": {"Name": "r", "Namespace": "n"},
        "Chart": {"Name": "c"},
    }
    text = render(SOURCE.read_text(), root)
    rules = {r.get("alert"): r for g in yaml.safe_load(text)["groups"] for r in g["rules"]}
    assert rules["ConsumerIteratorAgeHigh"]["expr"].endswith('application="b"}) > 11')
    assert rules["ConsumerIteratorAgeCritical"]["expr"].endswith("> 22")
    assert rules["ConsumerRetentionInDanger"]["expr"].endswith("33 * 2 / 3) > 33")
    assert rules["ConsumerDeadLettersOld"]["expr"].endswith("> 44")
    assert rules["ConsumerRouteTakesNothing"]["expr"].count("55s") == 6
    assert rules["ConsumerIteratorAgeCritical"]["labels"]["severity"] == "wake"
    assert rules["ConsumerIteratorAgeHigh"]["labels"]["severity"] == "look"
    assert rules["ConsumerDeadLettersOld"]["labels"]["severity"] == "soon"
    assert "(1 - 0.55)" in rules["ConsumerFreshnessBurnFast"]["expr"]
    assert "<= bool 66" in text
    assert 'namespace="n"' in rules["ConsumerAbsent"]["expr"]
    assert '"r-c-redrive-.+"' in rules["ConsumerRedriveFailed"]["expr"]
    url = rules["ConsumerAbsent"]["annotations"]["runbook_url"]
    assert url == "https://runbooks.example/relay#consumerabsent"
