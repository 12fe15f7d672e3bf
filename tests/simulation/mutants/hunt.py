"""Looks for the first seed that finds a planted fault."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from tests.simulation.mutants import (
    ahead,
    answers,
    commands,
    facts,
    filters,
    leases,
    liveness,
    readers,
    reading,
    reports,
    routes,
    sending,
    stream,
    touches,
)
from tests.simulation.mutants.promises import checkers_for
from tests.simulation.run import run_quietly
from tests.simulation.scenario import draw
from tests.simulation.world import Result

MUTANTS: Sequence[Callable[[], None]] = (
    reading.checkpoint_ahead_of_ack,
    reading.watermark_off_by_one,
    reading.sequences_compared_as_strings,
    reading.closing_records_dropped,
    leases.child_before_parent,
    leases.take_without_checking_the_counter,
    leases.self_fence_skipped,
    leases.fence_tested_before_an_await,
    reading.aborted_treated_as_done,
    reading.second_of_a_key_passes_its_head,
    reading.latest_on_a_child,
    leases.release_without_draining,
    reading.reservation_leak,
    reading.events_cost_nothing,
    reading.every_reservation_granted,
    reading.every_event_admitted,
    reading.rest_of_a_page_forgotten,
    reading.iterator_of_a_dropped_page_forgotten,
    leases.heartbeat_extends_a_passed_deadline,
    leases.death_by_time_without_a_read,
    leases.peers_judged_by_own_lease_duration,
    leases.unknown_release_then_reading_on,
    leases.unlisted_parent_taken_for_gone,
    leases.death_not_proven_after_the_row_was_read,
    leases.unknown_take_counts_as_taken,
    leases.dead_letters_not_fenced,
    leases.one_listing_retires_a_stream,
    leases.cancellation_swallowed,
    leases.failed_task_forgotten,
    leases.damaged_lease_hides_the_others,
    leases.strange_worker_gets_a_share,
    liveness.reads_of_peers_are_stale,
    liveness.plan_touches_unresolved,
    liveness.own_wall_clock_believed,
    liveness.steps_of_the_wall_clock_followed,
    leases.waiting_shards_have_no_age,
    reading.stored_iterator_used_once,
    reading.refused_iterator_used_again,
    reading.innocents_given_up_with_the_guilty,
    reading.refused_event_follows_in_a_run,
    reading.letters_awaited_at_the_end,
    stream.latest_starts_late,
    stream.time_starts_late,
    stream.every_trim_is_a_gap,
    stream.gap_rows_not_written,
    stream.gaps_said_to_begin_later,
    sending.requests_overfilled,
    sending.more_requests_than_slots,
    sending.expiry_by_the_own_wall_clock,
    sending.a_stop_of_one_event_type_stops_another,
    stream.listing_not_paced,
    stream.unlisted_shard_taken_for_gone,
    stream.stream_denied_once_taken_for_gone,
    commands.paused_shard_is_read,
    commands.seek_skips_in_silence,
    commands.seek_gap_ends_at_its_target,
    reports.ready_after_a_heartbeat,
    reports.failing_shard_shown_as_reading,
    reports.readiness_withheld_by_an_old_outage,
    reports.stored_noted_before_it_was,
    leases.routes_write_their_own_fingerprint,
    facts.deleted_table_ends_the_worker,
    facts.unfit_stream_ends_the_worker,
    facts.unfit_stream_passed_by_in_silence,
    facts.unfit_stream_passed_by_before_its_turn,
    facts.unfit_stream_is_waited_for,
    facts.hole_between_streams_untold,
    answers.foreign_answers_believed,
    answers.outages_count_as_tries,
    answers.company_never_shrinks,
    answers.tries_alone_never_count,
    answers.short_answers_matched_by_index,
    filters.no_d_for_what_left,
    filters.entering_told_as_a_change,
    filters.filter_forgets_the_old_image_for_a_d,
    filters.filtered_record_never_settles,
    filters.a_filtered_record_stops_a_drain,
    routes.exclusion_forgotten_in_the_patch,
    routes.exclusion_forgotten_in_letters,
    routes.exclusion_forgotten_beside_the_event,
    routes.exclusion_forgotten_once_a_shape_is_not_known,
    routes.what_enters_counts_only_if_it_differs,
    routes.changes_of_what_is_hidden_are_published,
    routes.the_rest_beside_a_match,
    ahead.ahead_beyond_what_is_settled,
    ahead.nothing_ahead_is_remembered,
    ahead.a_drain_drops_one_of_two_events,
    ahead.a_record_is_settled_by_one_of_two_events,
    ahead.the_mark_survives_a_seek,
    readers.events_name_no_stream,
    readers.readers_compare_the_sequence_alone,
    readers.no_stream_counts_as_the_lowest,
    readers.readers_forget_tombstones_after_a_day,
    readers.readers_keep_what_came_last,
    readers.readings_have_no_sequence,
    readers.readings_have_the_highest_place,
    readers.the_label_is_asked_for_after_the_read,
    readers.readers_are_never_repaired,
    readers.readers_sweep_nothing,
    touches.touch_shown_in_the_patch,
    touches.touch_attribute_shown,
    touches.touch_taken_for_no_change,
    touches.touch_not_told,
)

NEEDS: Mapping[Callable[[], None], frozenset[str]] = {
    leases.dead_letters_not_fenced: frozenset({"poison"}),
    leases.routes_write_their_own_fingerprint: frozenset({"moves"}),
    reports.readiness_withheld_by_an_old_outage: frozenset({"nakadi_door"}),
    reading.every_event_admitted: frozenset({"long_names"}),
    reading.rest_of_a_page_forgotten: frozenset({"long_names"}),
    reading.iterator_of_a_dropped_page_forgotten: frozenset({"latest", "long_pages"}),
    leases.one_listing_retires_a_stream: frozenset({"lies", "restream"}),
    leases.cancellation_swallowed: frozenset({"table_out"}),
    leases.damaged_lease_hides_the_others: frozenset({"damaged"}),
    leases.strange_worker_gets_a_share: frozenset({"damaged"}),
    stream.latest_starts_late: frozenset({"latest"}),
    stream.unlisted_shard_taken_for_gone: frozenset({"unlisted", "not_found"}),
    stream.stream_denied_once_taken_for_gone: frozenset({"not_found"}),
    stream.time_starts_late: frozenset({"iso"}),
    commands.paused_shard_is_read: frozenset({"hold"}),
    commands.seek_skips_in_silence: frozenset({"seek"}),
    commands.seek_gap_ends_at_its_target: frozenset({"seek"}),
    sending.expiry_by_the_own_wall_clock: frozenset({"wrong_clock", "max_age"}),
    sending.a_stop_of_one_event_type_stops_another: frozenset({"routes"}),
    liveness.own_wall_clock_believed: frozenset({"wrong_clock"}),
    liveness.steps_of_the_wall_clock_followed: frozenset({"step"}),
    reading.refused_iterator_used_again: frozenset({"spoilt"}),
    stream.every_trim_is_a_gap: frozenset({"trims", "night"}),
    stream.gap_rows_not_written: frozenset({"trims", "night"}),
    facts.deleted_table_ends_the_worker: frozenset({"drop"}),
    facts.unfit_stream_ends_the_worker: frozenset({"unfit"}),
    facts.unfit_stream_passed_by_in_silence: frozenset({"unfit"}),
    facts.unfit_stream_passed_by_before_its_turn: frozenset({"unfit"}),
    facts.unfit_stream_is_waited_for: frozenset({"unfit"}),
    facts.hole_between_streams_untold: frozenset({"restream"}),
    stream.gaps_said_to_begin_later: frozenset({"trims", "night"}),
    answers.foreign_answers_believed: frozenset({"firewall"}),
    answers.outages_count_as_tries: frozenset({"nakadi_between"}),
    answers.company_never_shrinks: frozenset({"firewall"}),
    answers.tries_alone_never_count: frozenset({"firewall"}),
    answers.short_answers_matched_by_index: frozenset({"nakadi_short"}),
    filters.no_d_for_what_left: frozenset({"filter"}),
    filters.entering_told_as_a_change: frozenset({"filter"}),
    filters.filter_forgets_the_old_image_for_a_d: frozenset({"filter"}),
    filters.filtered_record_never_settles: frozenset({"filter"}),
    filters.a_filtered_record_stops_a_drain: frozenset({"filter"}),
    routes.exclusion_forgotten_in_the_patch: frozenset({"seen"}),
    routes.exclusion_forgotten_in_letters: frozenset({"seen", "long_names"}),
    routes.exclusion_forgotten_beside_the_event: frozenset({"seen", "poison"}),
    routes.exclusion_forgotten_once_a_shape_is_not_known: frozenset({"seen"}),
    routes.what_enters_counts_only_if_it_differs: frozenset({"seen", "filter"}),
    routes.changes_of_what_is_hidden_are_published: frozenset({"seen"}),
    routes.the_rest_beside_a_match: frozenset({"rest", "filter"}),
    ahead.ahead_beyond_what_is_settled: frozenset({"routes"}),
    ahead.nothing_ahead_is_remembered: frozenset({"routes", "one_down"}),
    ahead.a_drain_drops_one_of_two_events: frozenset({"routes"}),
    ahead.a_record_is_settled_by_one_of_two_events: frozenset({"routes"}),
    ahead.the_mark_survives_a_seek: frozenset({"routes", "seek"}),
    readers.events_name_no_stream: frozenset({"restream"}),
    readers.readers_compare_the_sequence_alone: frozenset({"restream"}),
    readers.readers_forget_tombstones_after_a_day: frozenset({"poison"}),
    readers.the_label_is_asked_for_after_the_read: frozenset({"restream"}),
    touches.touch_shown_in_the_patch: frozenset({"touch"}),
    touches.touch_attribute_shown: frozenset({"touch"}),
    touches.touch_taken_for_no_change: frozenset({"touch", "seen"}),
    touches.touch_not_told: frozenset({"touch"}),
}
"""Kinds of trouble without which a fault shows nothing: seeds without them are passed over."""

SEEDS = 2000
"""Each is found within this many seeds."""


@dataclass(frozen=True)
class Found:
    """The first seed that fails with the fault and not without it; `seconds` are real."""

    name: str
    seed: int | None
    check: str
    seconds: float

    @property
    def as_promised(self) -> bool:
        """Found, and by a checker that stands in a row of docs/guarantees.md with the fault."""
        return self.check in checkers_for(self.name)


def hunt(mutant: Callable[[], None], seeds: int = SEEDS, processes: int = 2) -> Found:
    """Run seeds in ascending order, in processes where the real code is patched."""
    began = time.monotonic()
    name = getattr(mutant, "__name__", "?").replace("_", " ")
    with get_context("fork").Pool(processes, initializer=mutant) as pool:
        for result in pool.imap(run_quietly, _worth_running(mutant, seeds)):
            if result.violations and not run_quietly(result.seed).violations:
                return Found(name, result.seed, _check(result), time.monotonic() - began)
    return Found(name, None, "", time.monotonic() - began)


def _worth_running(mutant: Callable[[], None], seeds: int) -> list[int]:
    needed = NEEDS.get(mutant, frozenset())
    return [seed for seed in range(seeds) if needed <= draw(seed).kinds]


def _check(result: Result) -> str:
    return result.violations[0].check
