from consumer.core.event.event import EventFormat, Layout


def test_the_format_has_the_defaults_of_the_settings() -> None:
    event_format = EventFormat("order-store:order", ("order_id",))
    assert event_format.patch
    assert (event_format.patch_field, event_format.change_field) == ("patch", "change")
    assert event_format.layout is Layout.FLAT
    assert event_format.event_bytes == 999_000


def test_layouts_are_spelled_as_in_the_settings() -> None:
    assert [*Layout] == ["flat", "nested"]


def test_without_patches_none_has_a_name() -> None:
    assert EventFormat("orders", ("id",), patch_field="p").patch_member == "p"
    assert EventFormat("orders", ("id",), patch=False).patch_member is None
