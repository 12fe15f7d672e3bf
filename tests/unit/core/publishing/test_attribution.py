"""Which item of an answer is about which event, whatever the answer's list looks like."""

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.backlog.ticket import Ticket
from consumer.core.event.event import Event
from consumer.core.publishing.answer import Answer, BatchItemResponse, Items, PublishingStatus
from consumer.core.publishing.attribution import attributed
from tests.unit.core.events import Queued, watermark

SUBMITTED, FAILED, ABORTED = (
    PublishingStatus.SUBMITTED,
    PublishingStatus.FAILED,
    PublishingStatus.ABORTED,
)


def item(eid: str = "", status: PublishingStatus = SUBMITTED) -> BatchItemResponse:
    return BatchItemResponse(status, "publishing", "", "0", eid)


def sent(*eids: str) -> list[Queued]:
    return [
        QueuedEvent(
            Ticket(number, 0.0, watermark().tenure),
            Event(number, eid, eid, b"{}", 0.0),
            "order",
            eid,
            0.0,
        )
        for number, eid in enumerate(eids)
    ]


def found(status: int, items: Items, *eids: str) -> Items | str:
    """The items by event, or the reason of no answer."""
    answer = attributed(Answer(status, items, None, "f", f"http_{status}", ""), sent(*eids))
    return answer.reason if answer.status == 0 else answer.items or ()


def test_an_answer_without_items_stays_as_it_is() -> None:
    answer = Answer(503, None, None, "f", "http_503", "")
    assert attributed(answer, sent("a")) is answer


def test_an_item_for_each_event_is_by_index() -> None:
    items = (item("a"), item(""), item("c", FAILED))
    assert found(207, items, "a", "b", "c") == items
    unnamed = (item(), item(status=FAILED))
    assert found(207, unnamed, "same", "same") == unnamed


def test_an_item_that_is_not_understood_is_about_the_event_at_its_index() -> None:
    items = (item("a"), None, item("c"))
    assert found(207, items, "a", "b", "c") == items


def test_fewer_items_are_by_eid() -> None:
    assert found(207, (item("c"),), "a", "b", "c") == (None, None, item("c"))
    assert found(200, (item("a"), item("c")), "a", "b", "c") == (item("a"), None, item("c"))


def test_more_items_are_by_eid() -> None:
    items = (item("x"), item("b"), item("a", FAILED))
    assert found(207, items, "a", "b") == (item("a", FAILED), item("b"))


def test_items_in_another_order_are_by_eid() -> None:
    assert found(207, (item("b"), item("a", FAILED)), "a", "b") == (
        item("a", FAILED),
        item("b"),
    )


def test_an_item_of_an_unknown_event_says_that_the_order_means_nothing() -> None:
    assert found(207, (item("x"), item(""), item("c")), "a", "b", "c") == (None, None, item("c"))


def test_what_is_named_twice_is_not_known() -> None:
    items = (item("a"), item("a", FAILED), item("b"))
    assert found(207, items, "a", "b", "c") == (None, item("b"), None)
    assert found(207, (item("a"), item("b"), item("c")), "a", "a", "b") == (None, None, item("b"))


def test_a_list_about_none_of_the_events_is_no_answer() -> None:
    assert found(207, (item(),), "a", "b") == "unreadable"
    assert found(207, (item("x"),), "a") == "unreadable"
    answer = attributed(Answer(207, (item("x"),), None, "f", "http_207", ""), sent("a", "b"))
    assert (answer.detail, answer.flow_id) == ("207 with 1 items for 2 events", "f")


def test_a_short_422_is_believed_only_about_what_it_refuses() -> None:
    refusal = item("b", FAILED)
    assert found(422, (refusal,), "a", "b", "c") == (None, refusal, None)
    assert found(422, (item("b", ABORTED),), "a", "b", "c") == "unreadable"
    whole = (item("a", ABORTED), item("b", ABORTED))
    assert found(422, whole, "a", "b") == whole


def test_a_422_that_refuses_none_is_not_believed_beside_a_stray_item() -> None:
    stray = item("x", ABORTED)
    assert found(422, (item("a", ABORTED), stray), "a") == "unreadable"
    assert found(422, (item("a", FAILED), stray), "a") == (item("a", FAILED),)
    assert found(422, (item("a", ABORTED),), "a") == (item("a", ABORTED),)
