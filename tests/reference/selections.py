"""Hypothesis strategies: items of some depth, selections whose paths lead somewhere in them."""

from typing import Any

from hypothesis import strategies as st

from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.event.selection.selection import Selection
from tests.reference.records import attribute_names, scalars
from tests.reference.seeing import paths_of

Json = dict[str, Any]

few_names = st.sampled_from(("a", "b", "c", "a.b", "aws:rep:x", '"', "~/", "\x000;"))
deep_values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda children: st.one_of(
        st.dictionaries(few_names, children, max_size=4).map(lambda value: {"M": value}),
        st.lists(children, max_size=3).map(lambda value: {"L": value}),
        st.lists(
            st.dictionaries(few_names, children, max_size=3).map(lambda value: {"M": value}),
            max_size=3,
        ).map(lambda value: {"L": value}),
    ),
    max_leaves=10,
)
deep_items = st.dictionaries(
    st.one_of(few_names, attribute_names), deep_values, min_size=1, max_size=5
)


@st.composite
def selections_of(draw: st.DrawFn, *items: Json) -> Selection:
    """A selection that has something to do in these items."""
    known = sorted({path for item in items for path in paths_of(item)})
    path = st.one_of(
        st.sampled_from(known) if known else st.just(("a",)),
        st.lists(few_names, min_size=1, max_size=3).map(tuple),
    ).map(AttributePath)
    some = st.lists(path, max_size=3).map(tuple)
    attributes = sorted({name for item in items for name in item})
    source = st.sampled_from([*attributes, "a"])
    renamed = draw(st.dictionaries(source, st.one_of(source, st.just("new")), max_size=2))
    return Selection(
        include=draw(st.one_of(st.none(), some)),
        exclude=draw(some),
        rename=tuple(renamed.items()),
        replication=draw(st.booleans()),
    )
