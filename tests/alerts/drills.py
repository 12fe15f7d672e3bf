"""Produces the fault of every alert, waits until it fires, follows the runbook, until it is silent.

python -m tests.alerts.drills [outage|token|missing|refused|gone|forgotten|disabled|unread|damaged
                              |untaken]

Workers, servers and Prometheus are real; the rules are the chart's, with time made shorter: `for`
by 60, ranges by 10, thresholds as in VALUES. What CloudWatch and Kubernetes would export is told by
a small exporter, from the real queue and the real exit code of `consumer redrive`. Prints what the
runbook's first look would show.
"""

import argparse
import signal
import sys
import time

from tests.alerts.drill import Drill, drilled, leases, oldest_letter
from tests.integration.load import Load


def outage(drill: Drill) -> None:
    here = drill.here
    here.start()
    with Load(here.cluster, 50):
        time.sleep(10)
        drill.say("Nakadi answers 503 from now on")
        here.cluster.nakadi.add_fault(kind="status", status=503)
        drill.fires("ConsumerFreshnessBurnFast", "ConsumerIteratorAgeHigh", "ConsumerPublishErrors")
        drill.status()
        drill.errors()
        drill.fires("ConsumerIteratorAgeCritical", "ConsumerRetentionInDanger", seconds=200)
        drill.fires("ConsumerFreshnessBurnSlow")
        drill.say("Nakadi is back")
        here.cluster.nakadi.remove_faults()
        ages = ("ConsumerIteratorAgeHigh", "ConsumerIteratorAgeCritical")
        drill.silent(*ages, "ConsumerRetentionInDanger", "ConsumerPublishErrors")
    drill.settled()


def token(drill: Drill) -> None:
    here = drill.here
    file = here.cluster.folder / "token"
    file.write_text("old")
    here.cluster.nakadi.settings(token_required=True, tokens={"fresh": "good", "old": "good"})
    here.start(CONSUMER_NAKADI_TOKEN_FILE=str(file))
    with Load(here.cluster, 20):
        time.sleep(5)
        drill.say("the token expires")
        here.cluster.nakadi.settings(tokens={"fresh": "good", "old": "expired"})
        drill.fires("ConsumerPublishUnauthorised")
        drill.status()
        drill.errors()
        drill.say("a fresh token is written to the file")
        file.write_text("fresh")
        drill.silent("ConsumerPublishUnauthorised")
    drill.settled()


def missing(drill: Drill) -> None:
    here = drill.here
    here.start(CONSUMER_PROBE_SECONDS="2")
    with Load(here.cluster, 20):
        time.sleep(5)
        drill.say("the event type is gone (404)")
        here.cluster.nakadi.add_fault(kind="status", status=404, on="any")
        drill.fires("ConsumerEventTypeStopped")
        drill.status()
        drill.errors()
        drill.command("check")
        drill.say("it is created again")
        here.cluster.nakadi.remove_faults()
        drill.silent("ConsumerEventTypeStopped")
    drill.settled()


def refused(drill: Drill) -> None:
    here, cluster = drill.here, drill.here.cluster
    cluster.settings["CONSUMER_DEAD_LETTER_LIMIT"] = "5"
    here.start(CONSUMER_PROBE_SECONDS="2")
    cluster.fill(200)
    drill.say("the schema refuses one order")
    one = cluster.nakadi.add_fault(kind="reject", field="id", value="o-00000007")
    cluster.fill(200)
    drill.fires("ConsumerDeadLetters")
    drill.errors()
    drill.told.queue(lambda: oldest_letter(drill))
    drill.fires("ConsumerDeadLettersOld")
    drill.command("redrive", "--dry-run")
    code = drill.command("redrive")
    drill.told.job(failed=code != 0)
    drill.fires("ConsumerRedriveFailed")
    drill.say("the schema is mended")
    cluster.nakadi.remove_faults(one)
    time.sleep(1)
    code = drill.command("redrive")
    drill.told.job(failed=code != 0)
    drill.silent("ConsumerRedriveFailed", "ConsumerDeadLettersOld")
    drill.say("now it refuses every order: the limit stops the event type")
    cluster.nakadi.add_fault(kind="reject", marker="o-0000")
    cluster.fill(50, keys=50)
    drill.fires("ConsumerEventTypeStopped")
    drill.status()
    drill.errors(2)
    cluster.nakadi.remove_faults()
    drill.silent("ConsumerEventTypeStopped")
    drill.command("redrive")
    drill.settled()
    drill.silent("ConsumerDeadLetters", seconds=150)


def gone(drill: Drill) -> None:
    here = drill.here
    worker = here.start()
    here.cluster.fill(100)
    time.sleep(3)
    drill.say("the only worker is killed")
    worker.process.send_signal(signal.SIGKILL)
    drill.fires("ConsumerAbsent")
    drill.command("leases")
    drill.say("a worker is started")
    here.start()
    drill.silent("ConsumerAbsent")
    drill.settled()


def forgotten(drill: Drill) -> None:
    here = drill.here
    here.start()
    here.cluster.fill(400)
    time.sleep(5)
    drill.say("the stream forgets records that were not read")
    here.cluster.streams.control("faults", add=[{"kind": "trim", "count": 1}])
    here.cluster.fill(400)
    drill.fires("ConsumerChangesLost")
    drill.errors()
    drill.command("gaps")


def disabled(drill: Drill) -> None:
    here = drill.here
    here.start(CONSUMER_DISCOVERY_SECONDS="1")
    here.cluster.fill(100)
    time.sleep(3)
    here.cluster.nakadi.add_fault(kind="status", status=503)
    here.cluster.fill(100)
    drill.say("the stream is disabled while changes wait")
    here.cluster.streams.control("stream", enabled=False)
    drill.fires("ConsumerStreamDisabled")
    drill.errors()
    here.cluster.nakadi.remove_faults()
    drill.settled()
    code = here.cluster.workers[0].process.wait(60)
    drill.say(f"the stream is read to its end; the worker exits with {code}")
    drill.errors(2)
    opened = here.cluster.streams.control("stream", enabled=True)
    drill.say(f"a new stream is enabled: {opened['arn']}")
    here.start(CONSUMER_STREAM_ARN=str(opened["arn"]))
    here.cluster.fill(100)
    drill.settled()
    drill.silent("ConsumerStreamDisabled")


def unread(drill: Drill) -> None:
    here = drill.here
    here.start()
    here.start()
    here.cluster.fill(100)
    time.sleep(5)
    drill.say("nobody may read the stream any more")
    fault = {"kind": "expired-credentials", "operation": "GetRecords", "count": None}
    here.cluster.streams.control("faults", add=[fault])
    drill.fires("ConsumerLeasesUnowned", seconds=240)
    drill.errors()
    drill.command("leases")
    drill.say("it is allowed again")
    here.cluster.streams.control("faults", clear=True)
    drill.silent("ConsumerLeasesUnowned")
    drill.settled()


def damaged(drill: Drill) -> None:
    here = drill.here
    first = here.start()
    here.cluster.fill(100)
    here.cluster.until_settled(60)
    first.stop()
    with leases(drill) as rows:
        row = rows.damage("checkpoint")
        drill.say("no worker runs, and a hand makes the checkpoint of a shard a number")
        here.start()
        drill.fires("ConsumerLeasesUnreadable")
        drill.errors()
        drill.command("leases")
        here.cluster.fill(100)
        drill.say("the checkpoint is put back")
        rows.repair(row)
    drill.silent("ConsumerLeasesUnreadable")
    drill.settled()


def untaken(drill: Drill) -> None:
    here = drill.here
    wrong = '{"dynamodb": {"NewImage": {"kind": {"S": ["ODRER"]}}}}'
    first = here.start(CONSUMER_FILTER=wrong)
    with Load(here.cluster, 20):
        drill.say("the filter names a kind that no item has")
        drill.fires("ConsumerRouteTakesNothing")
        drill.status()
        drill.errors()
        drill.say("a worker with the right filter takes over")
        first.stop()
        here.start()
        drill.silent("ConsumerRouteTakesNothing")
        drill.status()


DRILLS = (outage, token, missing, refused, gone, forgotten, disabled, unread, damaged, untaken)


def main() -> int:
    """Run them, one after the other."""
    names = {drill.__name__: drill for drill in DRILLS}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", choices=[*names, []], metavar="drill")
    for name in parser.parse_args().names or names:
        print(f"{name}:", flush=True)
        with drilled() as drill:
            names[name](drill)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or what it has started would live on
    sys.exit(main())
