"""How far a repair has come."""

from consumer.core.repair.repair_run import RepairCounts, RepairRun


def test_all_runs_over_the_same_time_have_one_id() -> None:
    run = RepairRun("orders", 100, 1000, ("a",), 5.0)
    assert run.run_id == "repair-100-1000"
    assert run.counts == RepairCounts()
