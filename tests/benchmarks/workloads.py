"""Workloads: what tables hold besides items of one shape.

One shape is what benchmarks like and tables seldom have: entities share a table, attributes are
optional, maps use ids as names, and lists grow. Each workload is pages of a stream, made from a
seed.
"""

import json
import random
from collections.abc import Callable, Mapping

from tests.benchmarks.records import Json, record

RECORDS = 200
"""In a page of a workload whose records are not large."""

PAGE_BYTES = 1_000_000
"""About as large as the service makes a page."""

_NOTE = "Please leave it at the door, ring twice, and call the neighbour if nobody opens"
_OPTIONAL = 24
_TYPES = 8
_SHAPES = 200


def _leaf(chance: random.Random) -> Json:
    match chance.randrange(5):
        case 0:
            return {"N": f"{chance.randint(1, 99999)}.{chance.randint(1, 99):02d}"}
        case 1:
            return {"N": str(chance.randint(1, 9999))}
        case 2:
            return {"BOOL": chance.random() < 0.5}
        case 3:
            return {"S": f"{chance.getrandbits(64):016x}"}
        case _:
            return {"S": _NOTE[: chance.randint(8, 70)]}


def _typed_item(kind: int, number: int, chance: random.Random) -> Json:
    """An entity of a single-table design; each kind has attributes of its own."""
    form = random.Random(kind)
    item: Json = {
        "pk": {"S": f"e{kind}#{number:09d}"},
        "sk": {"S": f"meta#{kind}"},
        "type": {"S": f"entity-{kind}"},
        "version": {"N": str(chance.randint(1, 900))},
    }
    for index in range(10):
        value = _leaf(random.Random(form.random()))
        ((shape, _),) = value.items()
        while shape not in (value := _leaf(chance)):
            pass
        item[f"{chr(97 + kind)}_attribute_{index}"] = value
    item[f"detail_{kind}"] = {
        "M": {f"member_{index}": {"S": f"{chance.getrandbits(40):x}"} for index in range(kind % 5)}
    }
    return item


def _optional_item(shape: int, number: int, chance: random.Random) -> Json:
    """An item with some of many optional attributes."""
    form = random.Random(shape)
    item: Json = {
        "pk": {"S": f"o-{number:09d}"},
        "sk": {"S": "order"},
        "status": {"S": chance.choice(("OPEN", "PAID", "SENT"))},
        "version": {"N": str(chance.randint(1, 900))},
    }
    for index in sorted(form.sample(range(_OPTIONAL), 11)):
        item[f"optional_{index}"] = {"S": _NOTE[: chance.randint(8, 60)]}
    item["amount"] = {"N": f"{chance.randint(1, 99999)}.{chance.randint(1, 99):02d}"}
    return item


def _keyed_item(number: int, chance: random.Random) -> Json:
    """A cart whose lines are a map by id."""
    lines = {
        f"{chance.getrandbits(48):012x}": {
            "M": {
                "quantity": {"N": str(chance.randint(1, 9))},
                "price": {"N": f"{chance.randint(1, 99)}.{chance.randint(1, 99):02d}"},
                "name": {"S": _NOTE[: chance.randint(8, 40)]},
            }
        }
        for _ in range(8)
    }
    return {
        "pk": {"S": f"cart-{number:09d}"},
        "sk": {"S": "cart"},
        "version": {"N": str(chance.randint(1, 900))},
        "owner": {"S": f"c-{chance.getrandbits(64):016x}"},
        "lines": {"M": lines},
    }


def _listing_item(number: int, chance: random.Random) -> Json:
    """An item with long lists and sets, of any length."""
    texts = [f"tag-{chance.randint(0, 9999):04d}" for _ in range(chance.randint(5, 30))]
    numbers = [
        str(each) for each in {chance.randint(1, 99999) for _ in range(chance.randint(3, 20))}
    ]
    return {
        "pk": {"S": f"list-{number:09d}"},
        "sk": {"S": "list"},
        "version": {"N": str(chance.randint(1, 900))},
        "history": {
            "L": [
                {"M": {"at": {"S": "2026-11-01T09:30:00.123Z"}, "to": {"S": _NOTE[:12]}}}
                for _ in range(chance.randint(2, 20))
            ]
        },
        "scores": {"L": [{"N": str(chance.randint(1, 999))} for _ in range(chance.randint(5, 30))]},
        "tags": {"SS": sorted(set(texts))},
        "counts": {"NS": numbers},
    }


def _small_item(number: int, chance: random.Random) -> Json:
    """About 200 bytes as DynamoDB counts them."""
    return {
        "pk": {"S": f"s-{number:09d}"},
        "sk": {"S": "state"},
        "status": {"S": chance.choice(("OPEN", "PAID", "SENT"))},
        "version": {"N": str(chance.randint(1, 900))},
        "note": {"S": _NOTE},
        "updated_at": {"S": "2026-11-01T09:30:00.123Z"},
    }


def _large_item(number: int, chance: random.Random, size: int) -> Json:
    """An item of `size` bytes: most of it is text in a list of maps, a part of it has escapes."""
    item = _small_item(number, chance)
    line = 'He said "yes",\n and left. ' + _NOTE * 12
    count = max(size // (len(line) + 40), 1)
    item["lines"] = {
        "L": [
            {"M": {"text": {"S": line[: chance.randint(900, len(line))]}, "at": {"N": str(index)}}}
            for index in range(count)
        ]
    }
    return item


def _changed(item: Json, chance: random.Random) -> Json:
    """The item before the change: its version and one text differ."""
    old: Json = json.loads(json.dumps(item))
    old["version"]["N"] = str(int(item["version"]["N"]) + 1)
    texts = [name for name, value in old.items() if "S" in value and name not in ("pk", "sk")]
    old[chance.choice(texts or ["version"])] = {"S": f"before {chance.randint(0, 999)}"}
    if "lines" in old and "M" in old["lines"]:
        line = chance.choice([*old["lines"]["M"].values()])
        line["M"]["quantity"]["N"] = str(chance.randint(10, 99))
    if "scores" in old:
        old["scores"]["L"][-1] = {"N": str(chance.randint(1000, 2000))}
    return old


def _wire(number: int, item: Json, old: Json | None) -> Json:
    """A record with these images around which all else is that of an order."""
    wire = record(number)
    change = wire["dynamodb"]
    change["Keys"] = {name: item[name] for name in ("pk", "sk")}
    change["NewImage"] = item
    if old is None:
        wire["eventName"] = "INSERT"
        del change["OldImage"]
    else:
        change["OldImage"] = old
    return wire


def _pages(make: Callable[[int, random.Random], Json], count: int, records: int) -> list[bytes]:
    made = []
    for number in range(count):
        first = number * records
        chances = (random.Random(7_000_003 + first + index) for index in range(records))
        wires = [make(first + index, chance) for index, chance in enumerate(chances)]
        body = {"Records": wires, "NextShardIterator": "next"}
        made.append(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())
    return made


def _modified(make: Callable[[int, random.Random], Json]) -> Callable[[int, random.Random], Json]:
    def wire(number: int, chance: random.Random) -> Json:
        item = make(number, chance)
        return _wire(number, item, _changed(item, chance))

    return wire


def _shape_changes(number: int, chance: random.Random) -> Json:
    """Of five changes one adds or removes attributes."""
    item = _optional_item(chance.randrange(_SHAPES), number, chance)
    old = _changed(item, chance)
    if number % 5 == 0:
        names = [name for name in item if name.startswith("optional")]
        side = old if chance.random() < 0.5 else item
        del side[chance.choice(names)]
    return _wire(number, item, old)


def _inserted(number: int, chance: random.Random) -> Json:
    wire = record(number)
    wire["eventName"] = "INSERT"
    del wire["dynamodb"]["OldImage"]
    return wire


def _of_size(size: int) -> Callable[[int, random.Random], Json]:
    return lambda number, chance: _large_item(number, chance, size)


_MAKERS: Mapping[str, Callable[[int, random.Random], Json]] = {
    "one shape": lambda number, _: record(number),
    f"{_TYPES} entity types": _modified(
        lambda number, chance: _typed_item(chance.randrange(_TYPES), number, chance)
    ),
    f"{_SHAPES} shapes": _modified(
        lambda number, chance: _optional_item(chance.randrange(_SHAPES), number, chance)
    ),
    "a fifth changes its shape": _shape_changes,
    "maps with free keys": _modified(_keyed_item),
    "long lists and sets": _modified(_listing_item),
    "INSERT only": _inserted,
    "items of 200 bytes": _modified(_small_item),
    "items of 10 KB": _modified(_of_size(10_000)),
    "items of 300 KB": _modified(_of_size(300_000)),
}

WORKLOADS = tuple(_MAKERS)
"""Their names."""

_FEW: Mapping[str, int] = {"items of 10 KB": 40, "items of 300 KB": 2}
"""Records of a page, where it is not RECORDS."""


def key_names(workload: str) -> tuple[str, ...]:
    """The attributes of the table's primary key."""
    return ("order_id",) if workload in {"one shape", "INSERT only"} else ("pk", "sk")


def pages_of(workload: str, count: int = 4) -> list[bytes]:
    """Pages of a workload, of up to 1 MB."""
    return _pages(_MAKERS[workload], count, _FEW.get(workload, RECORDS))
