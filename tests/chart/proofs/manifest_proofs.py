"""What others must say to the manifests: Kubernetes' schemas, the operators', trivy."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from tests.chart.bench import Bench
from tests.chart.proofs.custom_resources import NOT_OURS, SPECS
from tests.chart.rendering import Manifest

OLDEST, NEWEST = "1.27", "1.37"
"""`kubeVersion` of Chart.yaml, and the newest that kubernetes-validate knows."""

EXCEPTIONS = Path(__file__).parent / "exceptions.yaml"


def kubernetes_accepts(bench: Bench) -> str:
    """Manifests obey the schemas of the oldest and the newest Kubernetes; no unknown field."""
    with tempfile.TemporaryDirectory(prefix="manifests-") as folder:
        files, count = [], 0
        for case in bench.cases():
            own = [each for each in case.manifests if not _custom(each)]
            files.append(Path(folder) / f"{case.case}.yaml")
            files[-1].write_text(yaml.safe_dump_all(own))
            count += len(own)
        for version in (OLDEST, NEWEST):
            command = [
                str(bench.tools.kubernetes_validate),
                "--strict",
                "-k",
                version,
                *map(str, files),
            ]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            said = result.stdout + result.stderr
            assert result.returncode == 0, said
            assert said.count(f" against version {version}") == count, said
    return f"{count} manifests x Kubernetes {OLDEST} and {NEWEST}"


def operators_accept(bench: Bench) -> str:
    """Custom resources have what is used of their schemas, and nothing else."""
    seen: dict[str, int] = {}
    for case in bench.cases():
        for each in case.manifests:
            if _custom(each) and each["kind"] not in NOT_OURS:
                validator = Draft202012Validator(SPECS[each["apiVersion"], each["kind"]])
                problems = [problem.message for problem in validator.iter_errors(each["spec"])]
                assert not problems, (case.case, each["kind"], problems)
                assert set(each) == {"apiVersion", "kind", "metadata", "spec"}
                seen[each["kind"]] = seen.get(each["kind"], 0) + 1
    assert seen.keys() == {kind for _, kind in SPECS}
    return ", ".join(f"{count} {kind}" for kind, count in sorted(seen.items()))


def trivy_finds_nothing(bench: Bench) -> str:
    """No misconfiguration but the reasoned exceptions, and no exception without a finding."""
    exceptions = yaml.safe_load(EXCEPTIONS.read_text())
    with tempfile.TemporaryDirectory(prefix="trivy-") as folder:
        for case in bench.cases():
            (Path(folder) / f"{case.case}.yaml").write_text(case.text)
        quiet = ("--quiet", "--skip-check-update", "--skip-version-check", "--disable-telemetry")
        command = [str(bench.tools.trivy), "config", *quiet, "--format", "json", folder]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    results = json.loads(result.stdout)["Results"]
    assert {r["Target"] for r in results} == {f"{case.case}.yaml" for case in bench.cases()}
    used = set()
    for finding in (f for r in results for f in r.get("Misconfigurations", ())):
        matching = [
            index
            for index, each in enumerate(exceptions)
            if each["id"] == finding["ID"] and re.fullmatch(each["says"], finding["Message"])
        ]
        assert matching, (finding["ID"], finding["Title"], finding["Message"])
        used |= {*matching}
    assert used == {*range(len(exceptions))}, "an exception is needed no longer"
    checks = sum(r["MisconfSummary"]["Successes"] for r in results)
    return f"{checks} checks passed, {len(exceptions)} reasoned exceptions"


def _custom(manifest: Manifest) -> bool:
    group = manifest["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")
