"""The chart, proved with the real Helm; and the proofs, proved with a chart that is broken."""

import shutil
from pathlib import Path

import pytest

from tests.chart.bench import Bench
from tests.chart.proofs import (
    cluster_proofs,
    helm_proofs,
    manifest_proofs,
    route_proofs,
    rule_proofs,
    service_proofs,
)
from tests.chart.proofs.all_proofs import PROOFS, Proof
from tests.chart.tools import Tools
from tests.chart.values_file import CHART

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(kit: Tools) -> Bench:
    return Bench(kit)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.__name__)
def test_the_chart(bench: Bench, proof: Proof) -> None:
    assert proof(bench)


# A file of helm/templates, what is made of it, the proof that must see it, and on which values.
MISTAKES = (
    ("_pod.tpl", '"readOnlyRootFilesystem" true', '"readOnlyRootFilesystem" false',
     cluster_proofs.pods_are_restricted, "minimal"),
    ("_pod.tpl", "enableServiceLinks: false", "enableServiceLinks: true",
     cluster_proofs.pods_are_restricted, "minimal"),
    ("deployment.yaml", "minReadySeconds:", "minReadySecond:",
     manifest_proofs.kubernetes_accepts, "minimal"),
    ("deployment.yaml", "maxUnavailable: 0", "maxUnavailable: 1",
     cluster_proofs.rollouts_never_have_fewer, "minimal"),
    ("_settings.tpl", "{{ int64 . }}", "{{ . }}",
     service_proofs.settings_are_accepted, "single"),
    ("_settings.tpl", "(eq (floor .) .)", "true",
     service_proofs.settings_are_accepted, "settings"),
    ("networkpolicy.yaml", "169.254.170.23", "169.254.170.24",
     cluster_proofs.network_is_enough, "network-policy in-cluster"),
    ("scaledobject.yaml", 'ignoreNullValues: "false"', 'ignoreNullValues: "true"',
     manifest_proofs.operators_accept, "autoscaling monitoring"),
    ("redrive.yaml", "concurrencyPolicy: Forbid", "concurrencyPolicy: Allow",
     cluster_proofs.redrive_is_alone, "redrive"),
    ("jobs.yaml", "trunc 8", "trunc 0",
     cluster_proofs.a_job_runs_once_for_its_arguments, "minimal republish"),
    ("_pod.tpl", '.tmpSize | default "16Mi"', '"16Mi"',
     cluster_proofs.repair_has_room_for_its_keys, "repair"),
    ("jobs.yaml", "completions: {{ $given.parallelism }}", "completions: 1",
     cluster_proofs.pods_share_a_snapshot, "minimal snapshot"),
    ("deployment.yaml", "checksum/config:", "# checksum/config:",
     cluster_proofs.restarts_for_settings_only, "minimal"),
    ("service.yaml", '"worker") | nindent 4', '"check") | nindent 4',
     cluster_proofs.selectors_match, "minimal"),
    ("_names.tpl", "app.kubernetes.io/component:", "component:",
     cluster_proofs.upgrades_keep_identities, "minimal"),
    ("prometheusrule.yaml", '"files/alerts.yaml"', '"files/alerts.yaml" | replace "5m" "6m"',
     service_proofs.alerts_are_those_tested, "monitoring"),
    ("_settings.tpl", '"region" -}}', '"-" -}}',
     helm_proofs.names_what_is_missing, "minimal"),
    ("_settings.tpl", '"poll_idle_max_seconds" 2)', '"poll_idle_max_seconds" 3)',
     rule_proofs.rules_are_known, "minimal"),
    ("_names.tpl", "trunc 44", "trunc 43",
     service_proofs.alerts_know_their_redrive, "minimal"),
    ("redrive.yaml", "suspend: {{ not .Values.redrive.schedule }}", "suspend: false",
     cluster_proofs.redrive_is_alone, "redrive settings"),
    ("networkpolicy.yaml", "(not (empty .Values.networkPolicy.nakadiTo))", "false",
     cluster_proofs.network_is_enough, "network-policy in-cluster"),
    ("_pod.tpl", 'if not (include "consumer.hasEnv"', 'if (include "consumer.hasEnv"',
     service_proofs.regions_are_of_the_container, "minimal containers"),
    ("_settings.tpl", '{{- define "consumer.environment" -}}',
     '{{- define "consumer.environment" -}}\nAWS_REGION: {{ .Values.region }}',
     service_proofs.regions_are_of_the_container, "minimal containers"),
    ("_names.tpl", "{{- with .component }}",
     "{{- toYaml .root.Values.commonLabels | nindent 0 }}\n{{- with .component }}",
     cluster_proofs.labels_are_everywhere, "names"),
    ("deployment.yaml", '"more" .Values.podLabels', '"more" dict',
     cluster_proofs.labels_are_everywhere, "names"),
    ("_names.tpl", "with .Values.fullnameOverride", "with .Values.nameOverride",
     cluster_proofs.full_names_are_kept, "names"),
    ("_pod.tpl", "with .root.Values.initContainers", "with dict",
     cluster_proofs.containers_are_added, "minimal containers"),
    ("_pod.tpl", "mountPath: /etc/authorities", "mountPath: /etc/others",
     cluster_proofs.authorities_are_trusted, "minimal authorities"),
    ("deployment.yaml", "with .Values.extraContainers", "with dict",
     cluster_proofs.containers_are_added, "minimal containers"),
    ("prometheusrule.yaml", '"files/alerts.yaml"',
     '"files/alerts.yaml" | replace ".Values.alerts.severities.ConsumerDeadLetters | default " ""',
     service_proofs.severities_are_values, "monitoring names"),
    ("redrive.yaml", '"resources" .Values.redrive.resources', '"resources" dict',
     service_proofs.resources_are_of_each, "redrive minimal"),
    ("tests/check.yaml", '"resources" .Values.check.resources', '"resources" dict',
     service_proofs.resources_are_of_each, "redrive minimal"),
    ("horizontalpodautoscaler.yaml", "container: consumer", "container: proxy",
     cluster_proofs.autoscaler_is_calm, "hpa autoscaling"),
    ("_scaling.tpl", "value: 1, periodSeconds: 120", "value: 4, periodSeconds: 60",
     cluster_proofs.autoscaler_is_calm, "hpa autoscaling"),
    ("_scaling.tpl", "or .Values.autoscaling.enabled .Values.hpa.enabled",
     "or .Values.autoscaling.enabled",
     cluster_proofs.rollouts_never_have_fewer, "hpa autoscaling"),
    ("_settings.tpl", "and .Values.autoscaling.enabled .Values.hpa.enabled", "and false",
     helm_proofs.refuses_mistakes, "minimal"),
    ("_settings.tpl", 'kindIs "string" .Values.routes }}\n{{- .Values.routes',
     'kindIs "string" .Values.routes }}\n{{- .Values.routes | fromYamlArray | toYaml',
     route_proofs.routes_are_as_written, "routes routes-list"),
    ("_pod.tpl", "mountPath: /etc/consumer", "mountPath: /etc/others",
     route_proofs.routes_are_mounted, "minimal routes"),
    ("deployment.yaml", "checksum/routes:", "# checksum/routes:",
     route_proofs.changed_routes_roll, "minimal routes"),
    ("_settings.tpl", 'if not (kindIs "map" .)', "if false",
     route_proofs.mistaken_routes_are_refused, "routes"),
    ("NOTES.txt", "if not .Values.podMonitor.enabled", "if .Values.podMonitor.enabled",
     helm_proofs.notes_are_printed, "minimal"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("file", "right", "wrong", "proof", "names"),
    MISTAKES,
    ids=[f"{proof.__name__}: {wrong}" for _, _, wrong, proof, _ in MISTAKES],
)
def test_a_proof_sees_a_mistake(
    kit: Tools, tmp_path: Path, file: str, right: str, wrong: str, proof: Proof, names: str
) -> None:
    files = [Bench.values(name) for name in names.split()]
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    assert proof(Bench(kit, chart, files))
    template = chart / "templates" / file
    text = template.read_text()
    assert right in text
    template.write_text(text.replace(right, wrong))
    with pytest.raises(AssertionError):
        proof(Bench(kit, chart, files))
