"""Hypothesis strategies: attribute values of every type, items, changes of them, stream records."""

import base64
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

_ODD = (
    "",
    "a/b",
    "~",
    "~1",
    '"',
    "\\",
    "\x00",
    "\x1f\n",
    "😀",
    "é",
    '{"S":"x"}',
    "}}",
    "M",
    "S",
    "0",
)
texts = st.one_of(st.text(max_size=12), st.sampled_from(_ODD))
names = st.one_of(st.sampled_from(("a", "b", "c", *_ODD)), st.text(max_size=4))
attribute_names = names.filter(lambda name: name not in ("", "patch", "change"))

_digits = st.integers(-(10**38) + 1, 10**38 - 1).map(str)
_decimals = st.tuples(st.integers(-(10**18), 10**18), st.integers(0, 10**18)).map(
    lambda parts: f"{parts[0]}.{parts[1]}"
)
_exponents = st.tuples(st.integers(-999, 999), st.integers(-130, 124)).map(
    lambda parts: f"{parts[0]}E{parts[1]:+d}"
)
_edges = st.sampled_from(
    [
        *("0", "1", "1.0", "-1", "1E+2", "1e2", "1E125", "-9.9999E-130", "0.10", "100"),
        *(str(sign * 2**63 + step) for sign in (1, -1) for step in (-1, 0, 1)),
    ]
)
numbers = st.one_of(st.integers(-99, 99).map(str), _edges, _digits, _decimals, _exponents)
binaries = st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())


def _set(kind: str, elements: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    return st.lists(elements, min_size=1, max_size=4, unique=True).map(
        lambda values: {kind: values}
    )


scalars: st.SearchStrategy[Json] = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers.map(lambda digits: {"N": digits}),
    binaries.map(lambda text: {"B": text}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.just({"NULL": True}),
    _set("SS", texts),
    _set("NS", numbers),
    _set("BS", binaries),
)
values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda children: st.one_of(
        st.dictionaries(names, children, max_size=4).map(lambda value: {"M": value}),
        st.lists(children, max_size=4).map(lambda value: {"L": value}),
    ),
    max_leaves=8,
)
items = st.dictionaries(attribute_names, values, min_size=1, max_size=5)


@st.composite
def nested_to(draw: st.DrawFn, depth: int) -> Json:
    """A value nested `depth` times."""
    value: Json = draw(scalars)
    for _ in range(depth):
        value = draw(st.sampled_from(({"M": {draw(names): value}}, {"L": [value]})))
    return value


@st.composite
def edited(draw: st.DrawFn, value: Json) -> Json:
    """What a write may make of an attribute value: the same, part of it changed, another one."""
    what = draw(st.integers(0, 5))
    if what == 0:
        return draw(values)
    if what < 3:
        return value
    if "M" in value:
        return {"M": draw(edited_members(value["M"], names))}
    if "L" in value:
        elements: list[Json] = [draw(edited(element)) for element in value["L"]]
        if draw(st.booleans()) and elements:
            del elements[draw(st.integers(0, len(elements) - 1))]
        if draw(st.booleans()):
            elements.insert(draw(st.integers(0, len(elements))), draw(values))
        return {"L": elements}
    return draw(scalars)


@st.composite
def edited_members(draw: st.DrawFn, members: Json, keys: st.SearchStrategy[str]) -> Json:
    changed = {name: draw(edited(value)) for name, value in members.items()}
    for name in members:
        if draw(st.integers(0, 4)) == 0:
            del changed[name]
    return changed | draw(st.dictionaries(keys, values, max_size=1))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Json, Json]:
    """An item before and after a write."""
    old = draw(items)
    new = draw(edited_members(old, attribute_names)) or draw(items)
    return old, new


@st.composite
def rescaled(draw: st.DrawFn, value: Json) -> Json:
    """A value of the same shape: maps and lists are kept, some scalars are others."""
    if "M" in value:
        return {"M": {name: draw(rescaled(child)) for name, child in value["M"].items()}}
    if "L" in value:
        return {"L": [draw(rescaled(child)) for child in value["L"]]}
    return draw(st.one_of(st.just(value), scalars))


@st.composite
def rescaled_items(draw: st.DrawFn, item: Json) -> Json:
    return {name: draw(rescaled(value)) for name, value in item.items()}


KEYS = {"id": {"S": "o-4711"}}


def record_of(
    event_name: str, old: Json | None = None, new: Json | None = None, **more: object
) -> Json:
    """A stream record as parsed JSON; `more` are members of it."""
    change: Json = {
        "ApproximateCreationDateTime": 1793525400,
        "Keys": KEYS,
        "SequenceNumber": "400000000000000499660041",
        "SizeBytes": 59,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if new is not None:
        change["NewImage"] = new
    if old is not None:
        change["OldImage"] = old
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": change,
    } | more


modifications: st.SearchStrategy[Json] = changes().map(lambda pair: record_of("MODIFY", *pair))
records: st.SearchStrategy[Json] = st.one_of(
    modifications,
    items.map(lambda item: record_of("INSERT", None, item)),
    items.map(lambda item: record_of("REMOVE", item)),
    st.just(record_of("REMOVE")),
    items.map(
        lambda item: record_of(
            "REMOVE",
            item,
            userIdentity={"type": "Service", "principalId": "dynamodb.amazonaws.com"},
        )
    ),
)
