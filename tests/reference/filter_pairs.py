"""Random patterns, each with a stream record that a third of them match.

A pattern is made of what the record holds: some paths, and conditions on their values that were
meant to hold. Then some of it is spoilt. All of it comes from one `Random`.
"""

import json
import random
from typing import Any, NamedTuple

from tests.reference.filter_engine import Number, leaves, parse

Json = Any

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/2026-11-01T09:30:00.000"

_NAMES = (
    "a",
    "b",
    "c",
    "a.b",
    "L",
    "M",
    "S",
    "ümlaut",
    "kind",
    "$or",
    "x y",
    'q"',
    "\\",
    "\n",
    "😀",
    "￿",
)
_TEXTS = (
    *(
        "",
        "PAID",
        "paid",
        "OPEN",
        "PA",
        "Straße",
        "STRASSE",
        "ß",
        "SS",
        "ﬁn",
        "İ",
        "i̇",
        "ΣΑΣ",
        "σας",
    ),
    *("a*b\\c", "a/b/c.jar", "*", "\\", '"', 'a"', '"a', "null", "true", "7", "7.0", "19.90"),
    *("10.0.0.33", "010.0.0.033", "10.0.0.47", "2001:db8::1", "2001:0db8:0:0:0:0:0:1", "::"),
    *(
        "::ffff:a00:21",
        "999.1.1.1",
        "1.2.3",
        "😀",
        "x😀y",
        "é",
        "é",
        "\x00\x1f",
        "aaaaab",
        "ababab",
    ),
    *("\uff46\uff55", "ǆ", "ǅ", "ŉ", "ΐ", "\u017f", "K", "￿", "𐐀𐐨"),
)
_DIGITS = ("0", "7", "-7", "1", "2.5", "19.90", "12345678901234567890123", "1E+2")
_SIZES = ("0", "12", "512", "512.0", "5.12e2", "400000", "-1", "0.1", "1793525400")
_TYPES = ("S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "M", "L")


class Pair(NamedTuple):
    pattern: str
    record: Json  # as Lambda would be handed it


def pair(chance: random.Random, *, own: bool = False) -> Pair:
    """A pattern and a record; `own` patterns name `item` instead of one of the images."""
    record = random_record(chance)
    return Pair(random_pattern(chance, record, own=own), record)


def random_record(chance: random.Random) -> Json:
    name = chance.choice(("INSERT", "MODIFY", "MODIFY", "REMOVE"))
    item = random_item(chance, 3)
    change: Json = {
        "ApproximateCreationDateTime": chance.choice((1793525400, 1793525400.0, 1.7935254e9)),
        "Keys": {"pk": {"S": chance.choice(_TEXTS)}, "sk": {"N": chance.choice(_DIGITS)}},
        "SequenceNumber": str(chance.randrange(10**24)),
        "SizeBytes": chance.choice((0, 12, 512, 400000)),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if name != "REMOVE":
        change["NewImage"] = change["Keys"] | item
    if name != "INSERT":
        other = random_item(chance, 3) if chance.random() < 0.5 else item
        change["OldImage"] = change["Keys"] | other
    record: Json = {
        "eventID": f"{chance.getrandbits(64):x}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": ARN,
        "awsRegion": "eu-central-1",
        "dynamodb": change,
    }
    if name == "REMOVE" and chance.random() < 0.3:
        record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    return record


def random_item(chance: random.Random, depth: int) -> Json:
    names = chance.sample(_NAMES, chance.randint(1, 5))
    return {name: random_value(chance, depth) for name in names}


def random_value(chance: random.Random, depth: int) -> Json:
    kind = chance.choice(_TYPES if depth else _TYPES[:-2])
    match kind:
        case "S" | "B":
            return {kind: chance.choice(_TEXTS)}
        case "N":
            return {kind: chance.choice(_DIGITS)}
        case "SS" | "BS":
            return {kind: chance.sample(_TEXTS, chance.randint(1, 3))}
        case "NS":
            return {kind: chance.sample(_DIGITS, chance.randint(1, 3))}
        case "BOOL":
            return {kind: chance.random() < 0.5}
        case "NULL":
            return {kind: True}
        case "M":
            return {kind: random_item(chance, depth - 1) if chance.random() < 0.9 else {}}
        case _:
            if chance.random() < 0.6:  # maps of the same few names: what lines of an order are
                return {kind: [{"M": _line(chance, depth)} for _ in range(chance.randint(0, 4))]}
            return {kind: [random_value(chance, depth - 1) for _ in range(chance.randint(0, 3))]}


def _line(chance: random.Random, depth: int) -> Json:
    line: Json = {}
    for name in ("a", "b", "c"):
        if chance.random() < 0.7:
            line[name] = {"S": chance.choice(("x", "y", "z"))}
    if depth > 1 and chance.random() < 0.3:
        line["d"] = {"L": [{"M": _line(chance, 0)} for _ in range(chance.randint(0, 3))]}
    return line


def random_pattern(chance: random.Random, record: Json, *, own: bool = False) -> str:
    """The JSON of a pattern; few are refused."""
    found = list(leaves(parse(json.dumps(record))))
    in_lists = [leaf for leaf in found if ".L." in leaf[0]]
    chosen = [
        chance.choice(in_lists if in_lists and chance.random() < 0.4 else found)
        for _ in range(chance.choice((1, 1, 2, 2, 3, 4)))
    ]
    if chance.random() < 0.5 and in_lists:  # some more of the same list
        start = chance.choice(in_lists)[0].rpartition(".L.")[0] + ".L."
        chosen += chance.choices([leaf for leaf in found if leaf[0].startswith(start)], k=2)
    conditions = [(_path(chance, path), _list(chance, value)) for path, value in chosen]
    if own:
        conditions = [(_owned(path), wanted) for path, wanted in conditions]
    if len(conditions) > 1 and chance.random() < 0.3:
        cut = chance.randrange(len(conditions))
        parts = [_written(chance, conditions[cut:]), _written(chance, [chance.choice(conditions)])]
        chance.shuffle(parts)
        branches = f'"$or": [{", ".join(parts)}]'
        before = _written(chance, conditions[:cut])[1:-1]
        after = _written(chance, conditions[-1:])[1:-1] if chance.random() < 0.2 else ""
        return "{" + ", ".join(part for part in (before, branches, after) if part) + "}"
    return _written(chance, conditions)


def _owned(path: str) -> str:
    for image in ("dynamodb.NewImage.", "dynamodb.OldImage."):
        if path.startswith(image):
            return "item." + path.removeprefix(image)
    return path


def _path(chance: random.Random, path: str) -> str:
    if chance.random() < 0.1:  # one that may not be there
        names = path.split(".")
        names[chance.randrange(len(names))] = chance.choice((*_NAMES, *_TYPES))
        return ".".join(names)
    return path


def _written(chance: random.Random, conditions: list[tuple[str, str]]) -> str:
    """Objects in one another, names of them joined with dots here and there."""
    tree: dict[str, Any] = {}
    for path, wanted in conditions:
        steps = path.split(".")
        node = tree
        while steps:
            count = 1 if chance.random() < 0.9 else chance.randint(1, len(steps))
            step, steps = ".".join(steps[:count]), steps[count:]
            if not steps or not isinstance(node.get(step, {}), dict):
                node[".".join([step, *steps])] = wanted
                break
            node = node.setdefault(step, {})

    def text(node: Any) -> str:
        if isinstance(node, str):
            return node
        members = [f"{json.dumps(name)}: {text(child)}" for name, child in node.items()]
        if len(members) > 1 and chance.random() < 0.1:
            members.append(chance.choice(members))  # a name twice
        return "{" + ", ".join(members) + "}"

    return text(tree)


def _list(chance: random.Random, value: Json) -> str:
    """The JSON of a list of conditions, one of which is meant to hold."""
    conditions = [
        _other(chance) if chance.random() < 0.2 else condition(chance, value)
        for _ in range(chance.choice((1, 1, 1, 2, 3)))
    ]
    return f"[{', '.join(conditions)}]"


def _other(chance: random.Random) -> str:
    """What has nothing to do with the value, and may be refused."""
    value = chance.choice(
        (
            chance.choice(_TEXTS),
            chance.choice((True, False, None)),
            Number(chance.choice(_SIZES)),
        )
    )
    if chance.random() < 0.03:
        bad = ('{"exists": 1}', "[]", "{}", '{"prefix": 7}', '{"wildcard": "a**"}', '{"cidr": "x"}')
        return chance.choice(bad)
    return condition(chance, value)


def condition(chance: random.Random, value: Json) -> str:
    """The JSON of a condition that is likely to hold for a value."""
    if isinstance(value, Number):
        return _of_number(chance, value.digits)
    if not isinstance(value, str):
        return chance.choice(
            (json.dumps(value), '{"exists": true}', '{"anything-but": "x"}', '{"exists": false}')
        )
    return json.dumps(_of_text(chance, value), ensure_ascii=chance.random() < 0.5)


def _of_number(chance: random.Random, digits: str) -> str:
    other = chance.choice(_SIZES)
    low, high = sorted((float(digits), float(other)))
    lower, upper = chance.choice((">", ">=")), chance.choice(("<", "<="))
    return chance.choice(
        (
            digits,
            other,
            f'{{"numeric": ["=", {digits}]}}',
            f'{{"numeric": [">=", {digits}]}}',
            f'{{"numeric": ["{chance.choice((lower, upper))}", {other}]}}',
            f'{{"numeric": ["{lower}", {low}, "{upper}", {high}]}}',
            f'{{"anything-but": {other}}}',
            f'{{"anything-but": [{other}, {digits}]}}',
            '{"anything-but": "7"}',
            '{"exists": true}',
        )
    )


def _of_text(chance: random.Random, value: str) -> Json:
    cut, end = sorted(chance.randint(0, len(value)) for _ in range(2))
    other = chance.choice(_TEXTS)
    excluded = [chance.choice(_TEXTS), chance.choice(_TEXTS)]
    operator = chance.choice(("prefix", "suffix", "equals-ignore-case", "wildcard"))
    operands = {
        "prefix": value[:cut] or "p",
        "suffix": value[cut:] or "s",
        "equals-ignore-case": value,
        "wildcard": _wildcard(chance, value),
    }
    return chance.choice(
        (
            value,
            value,
            other,
            {"exactly": value},
            {"prefix": value[:cut]},
            {"prefix": {"equals-ignore-case": value[:cut].swapcase()}},
            {"suffix": value[cut:]},
            {"suffix": {"equals-ignore-case": value[cut:].swapcase()}},
            {"equals-ignore-case": value.swapcase()},
            {"equals-ignore-case": value.upper()},
            {"wildcard": _wildcard(chance, value)},
            {"wildcard": _wildcard(chance, value[:cut] + value[end:])},
            {"anything-but": other},
            {"anything-but": excluded},
            {"anything-but": 7},
            {"anything-but": {operator: operands[operator]}},
            {"anything-but": {operator: [_wildcard(chance, other) or "w"]}},
            {"exists": True},
            {"exists": False},
            {"cidr": chance.choice(("10.0.0.0/24", "10.0.0.32/28", "2001:db8::/32"))},
        )
    )


def _wildcard(chance: random.Random, value: str) -> str:
    """The value with gaps."""
    written = ""
    for character in value:
        if chance.random() < 0.25:
            written = written.removesuffix("*") + "*"
            if chance.random() < 0.5:
                continue
        written += f"\\{character}" if character in "*\\" else character
    return written + chance.choice(("", "", "*" if not written.endswith("*") else ""))
