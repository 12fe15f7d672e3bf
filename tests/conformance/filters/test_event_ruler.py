"""Our filters and AWS's own engine, asked the same: about a thousand random pairs.

What the pairs leave out, because the two differ in it, and why that is as it should be:
- an IPv4 range and an IPv6 address, and the other way: the engine compares the digits that both
  have, so 0.0.0.0/0 has all addresses of IPv6, and 32.0.0.0/8 has 2001:db8::1
- `cidr` and a number of the record: the engine reads its digits as those of an address
- an attribute whose name looks like a path through maps or lists (`a.M.b`)
- empty names, which DynamoDB has not, and half a surrogate pair, which UTF-8 has not
- a list of nothing in `{"anything-but": {"prefix": []}}`: the engine fails, we refuse it
- text behind the pattern (`{…} x`): the engine does not look at it, we refuse it
- characters whose letter case Java and Python know from two versions of Unicode
"""

import json
import random
from collections import Counter

import pytest
from msgspec import Raw

from consumer.core.routes.filters.filter_set import FilterSet
from consumer.core.routes.filters.lambda_filter import Filter
from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.routes.language.json_tree import read_json
from consumer.core.routes.language.pattern import read_pattern
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.event_ruler import engine
from tests.reference.filter_pairs import ARN, Pair, pair

PAIRS = 1000


def answer(asked: Pair) -> str:
    try:
        pattern = read_pattern(read_json(asked.pattern))
    except BadPattern:
        return "refused"
    record = decode_record(Raw(json.dumps(asked.record).encode()))
    assert isinstance(record, StreamRecord)
    return "yes" if FilterSet([Filter((pattern,))], ()).taken(record, ARN) else "no"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_aws_answers_the_same(seed: int) -> None:
    lacking = engine.missing()
    if lacking is not None:
        pytest.skip(lacking)
    pairs = [pair(random.Random(f"{seed} {number}")) for number in range(PAIRS)]
    theirs = engine.ask((each.pattern, json.dumps(each.record)) for each in pairs)
    ours = [answer(each) for each in pairs]
    different = [
        (mine, its, each)
        for mine, its, each in zip(ours, theirs, pairs, strict=True)
        if mine != its
    ]
    assert different == []
    counts = Counter(theirs)
    assert counts["yes"] > PAIRS / 3  # of those that never match one learns little
    assert counts["no"] > PAIRS / 4
