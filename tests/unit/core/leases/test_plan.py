from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease
from consumer.core.leases.plan import Held, Plan, Situation, plan, rank


def leases(count: int, owner: str | None = None) -> list[Lease]:
    return [Lease(f"s{number:02}", None, owner=owner, counter=1) for number in range(count)]


def situation(
    rows: Sequence[Lease],
    held: Mapping[str, Held] | None = None,
    eligible: Sequence[str] = (),
    **more: Any,
) -> Situation:
    fields: dict[str, Any] = {
        "me": "me",
        "leases": rows,
        "ready": frozenset(lease.shard_id for lease in rows if not lease.finished),
        "held": held or {},
        "eligible": frozenset(eligible),
        "dead": frozenset(),
    }
    return Situation(**fields | more)


def names(taken: Sequence[Lease]) -> list[str]:
    return [lease.shard_id for lease in taken]


def mine(rows: Sequence[Lease], count: int, **more: Any) -> dict[str, Held]:
    return {lease.shard_id: Held(**more) for lease in rows[:count]}


def test_alone_it_takes_everything_free_in_one_pass() -> None:
    decided = plan(situation(leases(5)))
    assert sorted(names(decided.take)) == [f"s{number:02}" for number in range(5)]
    assert decided.share == 5
    assert decided.left


@pytest.mark.parametrize(("shards", "workers", "share"), [(12, 3, 4), (13, 3, 5), (1, 4, 1)])
def test_the_share_is_the_rounded_up_mean(shards: int, workers: int, share: int) -> None:
    eligible = [f"w{number}" for number in range(workers - 1)]
    decided = plan(situation(leases(shards), eligible=eligible))
    assert decided.share == share
    assert len(decided.take) == share


def test_no_shards_no_share() -> None:
    assert plan(situation([])) == Plan()


def test_the_order_differs_from_worker_to_worker() -> None:
    rows = leases(20)
    orders = {tuple(names(plan(replace(situation(rows), me=me)).take)) for me in ("a", "b", "c")}
    assert len(orders) == 3
    assert rank("a", "s1") == rank("a", "s1")


def test_leases_of_a_live_owner_are_never_taken() -> None:
    rows = leases(4, owner="you")
    decided = plan(situation(rows, free_twice=frozenset(names(rows))))
    assert decided.take == ()
    assert not decided.left


def test_leases_of_a_dead_owner_are_taken() -> None:
    decided = plan(situation(leases(4, owner="gone"), dead=frozenset({"gone"})))
    assert len(decided.take) == 4


def test_unready_avoided_and_finished_leases_are_not_taken() -> None:
    rows = [Lease("end", None, checkpoint=SHARD_END), *leases(3)]
    decided = plan(situation(rows, ready=frozenset({"s00", "s01"}), avoided=frozenset({"s01"})))
    assert names(decided.take) == ["s00"]
    assert decided.free == {"s00", "s01"}
    assert decided.share == 2


def test_a_held_lease_counts_until_its_end_ready_or_not() -> None:
    rows = [*leases(2), *[Lease("p", None, owner="you"), Lease("q", None, owner="you")]]
    decided = plan(situation(rows, eligible=["you"], ready=frozenset({"s00", "s01"})))
    assert decided.share == 2


def test_at_its_share_it_leaves_free_leases_to_others() -> None:
    rows = leases(4)
    decided = plan(situation(rows, mine(rows, 2), eligible=["you"]))
    assert decided.share == 2
    assert decided.take == ()
    assert decided.free == {"s02", "s03"}
    assert decided.left


def test_what_is_free_in_two_passes_is_taken_over_share_but_not_by_who_just_shed_it() -> None:
    rows = leases(4)
    free_twice = frozenset({"s02", "s03"})
    decided = plan(
        situation(
            rows,
            mine(rows, 2),
            eligible=["you"],
            free_twice=free_twice,
            shed=frozenset({"s03"}),
        )
    )
    assert names(decided.take) == ["s02"]


def test_children_of_a_shard_i_ended_are_taken_whatever_the_share() -> None:
    rows = [*leases(4), Lease("child", "parent"), Lease("other", "elsewhere")]
    decided = plan(situation(rows, mine(rows, 4), eligible=["you"], ended=frozenset({"parent"})))
    assert names(decided.take) == ["child"]


def test_children_are_taken_first_and_count_for_the_share() -> None:
    rows = [*leases(3), Lease("child", "parent")]
    decided = plan(situation(rows, eligible=["you"], ended=frozenset({"parent"})))
    assert decided.share == 2
    assert names(decided.take)[0] == "child"
    assert len(decided.take) == 2


def test_over_its_share_it_sheds_what_others_lack() -> None:
    rows = leases(12, owner="me")
    decided = plan(situation(rows, mine(rows, 12), eligible=["b", "c"]))
    assert decided.share == 4
    assert len(decided.shed) == 8


def test_it_sheds_nothing_while_free_leases_fill_what_others_lack() -> None:
    # 6 leases, share 3: I hold 4, the other lacks 3, and 2 are free already.
    rows = [*leases(4, owner="me"), Lease("x", None), Lease("y", None)]
    decided = plan(situation(rows, mine(rows, 4), eligible=["b"]))
    assert decided.share == 3
    assert len(decided.shed) == 1
    assert plan(situation(rows, mine(rows, 3), eligible=["b"])).shed == ()


def test_shards_with_nothing_retrying_are_shed_first() -> None:
    rows = leases(4, owner="me")
    held = {name: Held(retrying=name != "s02") for name in names(rows)}
    decided = plan(situation(rows, held, eligible=["b", "c", "d"]))
    assert decided.shed[0] == "s02"
    assert len(decided.shed) == 3


def test_a_shard_that_is_not_to_be_shed_is_not_and_one_being_shed_counts() -> None:
    rows = leases(4, owner="me")
    held = {
        "s00": Held(shedding=True),
        "s01": Held(sheddable=False),
        "s02": Held(),
        "s03": Held(),
    }
    decided = plan(situation(rows, held, eligible=["b", "c", "d"]))
    assert set(decided.shed) == {"s02", "s03"}
    assert decided.keep == ()


def test_a_hand_over_that_is_not_needed_any_more_is_called_off() -> None:
    rows = leases(4, owner="me")
    held = {name: Held(shedding=name in {"s00", "s01"}) for name in names(rows)}
    assert plan(situation(rows, held)).keep == ("s00", "s01")
    assert plan(situation(rows, held, eligible=["b"])).keep == ()


def test_rows_that_name_me_and_do_not_run_are_taken_again_within_the_share() -> None:
    rows = leases(4, owner="me")
    decided = plan(situation(rows, eligible=["you"]))
    assert decided.share == 2
    assert len(decided.take) == 2
    assert len(decided.release) == 2
    assert not set(decided.take) & set(decided.release)


def test_rows_that_name_me_and_that_i_avoid_are_released() -> None:
    rows = leases(2, owner="me")
    decided = plan(situation(rows, avoided=frozenset({"s00"})))
    assert names(decided.take) == ["s01"]
    assert names(decided.release) == ["s00"]


def test_what_i_run_is_neither_taken_nor_released() -> None:
    rows = leases(2, owner="me")
    decided = plan(situation(rows, mine(rows, 2)))
    assert decided == Plan(share=2)
    # Not yet in the rows as mine: its take is under way, or its write has no answer.
    free = leases(2)
    assert plan(situation(free, mine(free, 2))) == Plan(share=2)


def test_an_unable_worker_takes_nothing_and_gives_up_what_names_it() -> None:
    rows = [*leases(2), Lease("m", None, owner="me")]
    decided = plan(situation(rows, serving=False))
    assert decided.take == ()
    assert names(decided.release) == ["m"]
    assert decided.free == {"s00", "s01"}


def test_a_row_that_cannot_be_read_is_neither_taken_nor_released_nor_counted() -> None:
    rows = [*leases(3), Lease("x", None, "me", 1, "UNREADABLE", unreadable="checkpoint")]
    ready = frozenset(lease.shard_id for lease in rows[:3])
    decided = plan(situation(rows, eligible=("a", "b"), ready=ready, dead=frozenset({"me"})))
    assert (len(decided.take), decided.release, decided.share) == (1, (), 1)
    serving_no_more = plan(situation(rows, ready=ready, serving=False))
    assert serving_no_more.release == ()
    held = plan(situation(rows, held={"x": Held()}, ready=ready))
    assert held.share == 4, "what runs here is counted until it has ended"
