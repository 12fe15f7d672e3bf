"""All proofs of the chart, in the order in which `make chart` prints them."""

from collections.abc import Callable

from tests.chart.bench import Bench
from tests.chart.proofs import (
    cluster_proofs,
    helm_proofs,
    manifest_proofs,
    route_proofs,
    rule_proofs,
    service_proofs,
)

Proof = Callable[[Bench], str]
"""Returns what it saw; AssertionError where the chart is not as it should be."""

PROOFS: tuple[Proof, ...] = (
    helm_proofs.lints,
    helm_proofs.renders_alike,
    helm_proofs.names_what_is_missing,
    helm_proofs.refuses_mistakes,
    rule_proofs.rules_are_known,
    helm_proofs.packages,
    helm_proofs.notes_are_printed,
    manifest_proofs.kubernetes_accepts,
    manifest_proofs.operators_accept,
    manifest_proofs.trivy_finds_nothing,
    service_proofs.settings_are_accepted,
    service_proofs.regions_are_of_the_container,
    service_proofs.settings_are_all_tried,
    service_proofs.defaults_are_those_of_the_service,
    service_proofs.commands_are_understood,
    service_proofs.pods_are_made_to_measure,
    service_proofs.probes_ask_what_the_service_answers,
    service_proofs.alerts_are_those_tested,
    service_proofs.severities_are_values,
    service_proofs.alerts_know_their_redrive,
    service_proofs.resources_are_of_each,
    route_proofs.routes_are_mounted,
    route_proofs.routes_are_as_written,
    route_proofs.changed_routes_roll,
    route_proofs.mistaken_routes_are_refused,
    route_proofs.values_that_are_no_text_end_the_start,
    cluster_proofs.selectors_match,
    cluster_proofs.labels_are_everywhere,
    cluster_proofs.full_names_are_kept,
    cluster_proofs.containers_are_added,
    cluster_proofs.authorities_are_trusted,
    cluster_proofs.names_resolve,
    cluster_proofs.pods_are_restricted,
    cluster_proofs.rollouts_never_have_fewer,
    cluster_proofs.autoscaler_is_calm,
    cluster_proofs.network_is_enough,
    cluster_proofs.redrive_is_alone,
    cluster_proofs.a_job_runs_once_for_its_arguments,
    cluster_proofs.repair_has_room_for_its_keys,
    cluster_proofs.pods_share_a_snapshot,
    cluster_proofs.restarts_for_settings_only,
    cluster_proofs.upgrades_keep_identities,
)
