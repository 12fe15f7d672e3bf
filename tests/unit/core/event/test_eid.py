import uuid

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event.eid import EidNamespace

ARN = "arn:aws:dynamodb:eu-central-1:000000000000:table/orders/stream/2026-11-01T00:00:00.000"


@given(st.text())
def test_it_is_the_uuid5_of_the_event_id_within_the_stream(event_id: str) -> None:
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, ARN)
    assert EidNamespace(ARN).eid(event_id) == str(uuid.uuid5(namespace, event_id))


def test_another_stream_gives_another_eid() -> None:
    assert EidNamespace(ARN).eid("1") != EidNamespace(ARN + "1").eid("1")


def test_asking_twice_gives_the_same() -> None:
    eids = EidNamespace(ARN)
    assert eids.eid("1") == eids.eid("1") != eids.eid("2")


@given(st.text())
def test_the_eid_of_a_routes_event_has_the_event_type_in_its_name(event_id: str) -> None:
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, ARN)
    expected = uuid.uuid5(namespace, f"{event_id}\norder-store.order")
    assert EidNamespace(ARN, "order-store.order").eid(event_id) == str(expected)
