"""What is excluded is nowhere: markers in every place of an item, looked for in all that leaves.

A marker is looked for as it is, and in the forms in which it could hide: escaped, as base64 (a part
of it, at each of the three positions), as hex, as its digest. A marker that is a number has digits
that nothing else has.
"""

import base64
import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.event.event import (
    Category,
    Crossing,
    Event,
    EventFormat,
    Layout,
    MetadataSources,
    Unbuildable,
)
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.seen_record import seen_record
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.routes.event_maker import EventMaker
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import StreamRecord
from tests.benchmarks.records import STREAM_ARN
from tests.reference.records import record_of
from tests.reference.selections import few_names
from tests.reference.shapes import eager_shapes

Json = Any

TEXT, DIGITS = 'sEcReT-mArKeR-é"/', "90817263549081726354"
NUMBERS = (DIGITS, f"-{DIGITS}", f"0.{DIGITS}", f"{DIGITS}E+3")
IN_BASE64 = base64.b64encode(TEXT.encode()).decode()


def forms() -> list[bytes]:
    """All spellings of a marker; `mArKeR` alone is part of most of them."""
    found = [b"sEcReT", b"mArKeR", DIGITS.encode(), b"9081726354"]
    for text in (TEXT, DIGITS):
        for before in range(3):  # base64 has another spelling at each of three positions
            coded = base64.b64encode(b"x" * before + text.encode())
            found.append(coded[4:16])
        found += [
            text.encode().hex().encode()[:16],
            "".join(f"\\u{ord(c):04x}" for c in text[:4]).encode(),
        ]
        for digest in (hashlib.sha256, hashlib.md5, hashlib.sha1):
            made = digest(text.encode())
            found += [made.hexdigest().encode()[:16], base64.b64encode(made.digest())[:12]]
    return found


FORMS = forms()

scalars: st.SearchStrategy[Json] = st.one_of(
    st.just({"S": TEXT}),
    st.sampled_from(NUMBERS).map(lambda digits: {"N": digits}),
    st.just({"B": IN_BASE64}),
    st.just({"SS": ["a", TEXT]}),
    st.just({"NS": ["1", DIGITS]}),
    st.just({"BS": [IN_BASE64]}),
    st.just({"M": {TEXT: {"S": "x"}, "mArKeR": {"NULL": True}}}),
)
secrets: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda children: st.one_of(
        st.dictionaries(few_names, children, min_size=1, max_size=2).map(lambda m: {"M": m}),
        st.lists(children, min_size=1, max_size=2).map(lambda elements: {"L": elements}),
    ),
    max_leaves=3,
)
harmless = st.one_of(
    st.sampled_from(("x", "y")).map(lambda text: {"S": text}),
    st.sampled_from(("1", "2")).map(lambda digits: {"N": digits}),
)


@st.composite
def hiding(draw: st.DrawFn) -> Json:
    """An item in which everything secret stands at one of the paths in HIDDEN."""
    line = st.fixed_dictionaries({"sku": harmless}, optional={"card": secrets}).map(
        lambda members: {"M": members}
    )
    lines = st.lists(
        st.one_of(line, st.lists(line, max_size=2).map(lambda x: {"L": x})), max_size=3
    )
    customer = st.fixed_dictionaries({}, optional={"name": harmless, "iban": secrets})
    return draw(
        st.fixed_dictionaries(
            {"id": harmless},
            optional={
                "secret": secrets,
                "a.b": secrets,
                "customer": customer.map(lambda members: {"M": members}),
                "lines": lines.map(lambda elements: {"L": elements}),
                "aws:rep:updateregion": secrets,
                "kept": harmless,
            },
        )
    )


HIDDEN = ("secret", "pk", "/a.b", "customer.iban", "lines.card")
SHOWN = ("id", "customer.name", "lines.sku", "kept")
selections = st.sampled_from(
    (
        Selection(exclude=tuple(map(read_path, HIDDEN))),
        Selection(include=tuple(map(read_path, SHOWN))),
        Selection(exclude=tuple(map(read_path, (*HIDDEN, "customer", "lines")))),
        Selection(
            include=tuple(map(read_path, ("id", "customer", "lines"))),
            exclude=tuple(map(read_path, ("customer.iban", "lines.card"))),
            rename=(("lines", "secret"),),
        ),
    )
)
formats = st.sampled_from(
    (
        EventFormat("order", ("pk",)),
        EventFormat("order", ("pk",), layout=Layout.NESTED),
        EventFormat("order", ("pk",), patch=False),
        EventFormat("order", ("pk",), event_bytes=230),
        EventFormat("order", ("pk",), metadata=MetadataSources(flow_id="secret", span_ctx="a.b")),
        EventFormat("order", ("pk",), category=Category.BUSINESS, patch=False),
        EventFormat("order", ("pk",), category=Category.BUSINESS, patch=False, body="customer"),
        EventFormat("order", ("pk",), patch_field="kept"),  # poison
    )
)


def assert_no_marker(text: bytes, where: str) -> None:
    assert [form for form in FORMS if form in text] == [], where


@given(st.data(), selections, formats, st.sampled_from((None, *Crossing)))
def test_no_marker_is_in_anything_that_is_made_of_a_record(
    data: st.DataObject, selection: Selection, form: EventFormat, crossing: Crossing | None
) -> None:
    form = replace(form, selection=selection)
    if form.metadata.flow_id and selection.include is not None:
        form = replace(form, metadata=MetadataSources())  # what is not excluded may be metadata
    key = data.draw(st.sampled_from(({"S": TEXT}, {"N": DIGITS}, {"B": IN_BASE64})))
    old, new = (data.draw(hiding()) | {"pk": key} for _ in range(2))
    records = [
        record_of("INSERT", None, new),
        record_of("MODIFY", old, new),
        record_of("REMOVE", old),
        record_of("REMOVE"),
    ]
    makers = [
        EventMaker(Route("a.b", form, PublishLimits(), changed=changed), STREAM_ARN, shapes)
        for shapes in (eager_shapes(),)
        for changed in ((), tuple(map(read_path, HIDDEN)))
    ]
    for wire in records:
        wire["dynamodb"]["Keys"] = {"pk": key}
        text = json.dumps({"Records": [wire]}, ensure_ascii=data.draw(st.booleans())).encode()
        (record,) = decode_page(text).records
        assert isinstance(record, StreamRecord)
        assert_no_marker(seen_record(bytes(record.text), form), "seen_record")
        for maker in makers:
            crossed = crossing if record.event_name == "MODIFY" else None
            for made in (
                *(maker.make([(record, crossed)])[0] for _ in range(3)),
                maker.unanswered(record, ""),
            ):
                if isinstance(made, Event):
                    assert_no_marker(made.body, "event")
                elif isinstance(made, Unbuildable):
                    assert_no_marker(made.detail.encode(), "detail")
                    assert_no_marker(made.record or b"", "record of poison")
                    assert_no_marker(made.body or b"", "event that is too large")


@given(st.data(), selections)
def test_no_marker_is_in_what_is_kept_of_a_record_that_is_damaged(
    data: st.DataObject, selection: Selection
) -> None:
    """Any value of it is another one, or of another type: what is hidden may stand anywhere."""
    wire = record_of("MODIFY", data.draw(hiding()), data.draw(hiding()))
    item = data.draw(st.sampled_from(("OldImage", "NewImage")))
    name = data.draw(st.sampled_from(sorted(wire["dynamodb"][item])))
    damaged = data.draw(
        st.sampled_from(
            (
                *({"X": {"card": TEXT}}, {"S": {"card": TEXT}}, {"M": TEXT}, {"L": [TEXT]}, TEXT),
                *({"M": {"card": TEXT}, "S": TEXT}, {"M": {"iban": TEXT}}, {"L": {"card": TEXT}}),
            )
        )
    )
    if name in ("id", "kept"):
        return  # shown whatever it is
    if name == "lines" and damaged == {"M": {"iban": TEXT}}:
        return  # it is hidden in a customer only
    wire["dynamodb"][item][name] = damaged
    form = EventFormat("order", ("pk",), selection=selection)
    try:
        kept = seen_record(json.dumps(wire).encode(), form)
    except MalformedItem as error:
        assert_no_marker(str(error).encode(), "the error")
    else:
        assert_no_marker(kept, "seen_record")


def test_the_search_finds_each_marker() -> None:
    """Else the tests above would hold of anything."""
    for value in ({"S": TEXT}, {"B": IN_BASE64}, {"NS": [DIGITS]}, {"M": {TEXT: {"S": ""}}}):
        text = json.dumps(value).encode()
        assert any(form in text for form in FORMS)
    assert any(form in TEXT.encode().hex().encode() for form in FORMS)
    assert any(form in base64.b64encode(b"ab" + TEXT.encode()) for form in FORMS)
    assert any(form in hashlib.sha256(DIGITS.encode()).hexdigest().encode() for form in FORMS)
