import pytest

from consumer.core.routes.filters.place import IMAGES, Source, Step, place_of
from consumer.core.routes.language.scalar import Kind


@pytest.mark.parametrize(
    ("path", "steps", "kind"),
    [
        ("status.S", [("status", "S")], Kind.TEXT),
        ("n.N", [("n", "N")], Kind.TEXT),
        ("tags.SS", [("tags", "SS")], Kind.TEXT),
        ("flag.BOOL", [("flag", "BOOL")], Kind.BOOLEAN),
        ("nul.NULL", [("nul", "NULL")], Kind.TRUE),
        ("a.M.b.S", [("a", "M"), ("b", "S")], Kind.TEXT),
        ("a.b.S", [("a.b", "S")], Kind.TEXT),
        ("a.S.b.S", [("a.S.b", "S")], Kind.TEXT),
        ("S.S", [("S", "S")], Kind.TEXT),
        ("M.M.L.L.S", [("M", "M"), ("L", "L S")], Kind.TEXT),
        ("lines.L.M.sku.S", [("lines", "L M"), ("sku", "S")], Kind.TEXT),
        ("m.L.L.S", [("m", "L L S")], Kind.TEXT),
        ("a.L.b.S", [("a.L.b", "S")], Kind.TEXT),
    ],
)
@pytest.mark.parametrize("source", IMAGES)
def test_the_places_of_an_image(
    source: Source, path: str, steps: list[tuple[str, str]], kind: Kind
) -> None:
    place = place_of(f"{source.value}.{path}")
    assert place is not None
    assert place.source is source
    assert place.steps == tuple(Step(name, tuple(types.split())) for name, types in steps)
    assert (place.kind, place.name) == (kind, steps[0][0])


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("eventName", Kind.TEXT),
        ("userIdentity.principalId", Kind.TEXT),
        ("dynamodb.SizeBytes", Kind.NUMBER),
        ("dynamodb.ApproximateCreationDateTime", Kind.NUMBER),
    ],
)
def test_the_members_of_a_record(path: str, kind: Kind) -> None:
    place = place_of(path)
    assert place is not None
    assert (place.source, place.name, place.kind) == (Source.MEMBERS, path, kind)
    assert (place.is_set, place.lists) == (False, ())


@pytest.mark.parametrize(
    "path",
    [
        *("", "eventname", "userIdentity", "userIdentity.Type", "dynamodb", "dynamodb.NewImage"),
        *("item", "item.", "item.status", "item.status.M", "item.lines.L", "item.S", "item.x.S.y"),
        *("dynamodb.Items.a.S", "item.a.L.M", "item.\ud83d.S"),
    ],
)
def test_what_is_no_leaf_has_no_place(path: str) -> None:
    assert place_of(path) is None


def test_sets_and_lists() -> None:
    tags, nested = place_of("item.tags.SS"), place_of("item.a.L.L.M.b.L.NS")
    assert tags is not None
    assert nested is not None
    assert (tags.is_set, tags.lists) == (True, ())
    outer, inner, innermost = nested.lists
    assert nested.is_set
    assert outer == (Source.ITEM, "a", "L")
    assert inner == (Source.ITEM, "a", "L", "L")
    assert innermost == (Source.ITEM, nested.steps[0], "b", "L")
