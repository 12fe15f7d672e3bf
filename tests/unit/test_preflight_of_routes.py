"""What the preflight asks of routes that show a part of an item, or make business events."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.event.event import Category, EventFormat, Layout, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.publishing.placement import Partitioning
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.preflight import crosses, guess

VIEW = read_filter({"item": {"status": {"S": ["PAID"]}}})


def route(**form: Any) -> Route:
    return Route("a.b", EventFormat("a.b", ("pk", "sk"), **form), PublishLimits(), ("pk", "sk"))


BUSINESS: dict[str, Any] = {"category": Category.BUSINESS, "patch": False, "change": False}


@pytest.mark.parametrize(
    ("form", "guessed"),
    [
        ({}, Partitioning(("pk", "sk"))),
        ({"layout": Layout.NESTED}, Partitioning(("item.pk", "item.sk"))),
        ({"selection": Selection(rename=(("pk", "id"),))}, Partitioning(("id", "sk"))),
        ({"selection": Selection(None, (read_path("sk"),))}, Partitioning()),
        ({"metadata": MetadataSources(eid="sk")}, Partitioning()),
        (BUSINESS, Partitioning(("pk", "sk"), in_data=False)),
        (BUSINESS | {"body": "payload"}, Partitioning(in_data=False)),
    ],
)
def test_the_partition_is_guessed_by_the_names_that_are_shown(
    form: dict[str, Any], guessed: Partitioning
) -> None:
    assert guess(route(**form)) == guessed


def test_an_outbox_has_nothing_that_enters_or_leaves() -> None:
    form = EventFormat("a.b", ("pk",), **BUSINESS)
    assert not crosses(Route("a.b", form, PublishLimits(), ("pk",), VIEW))
    assert crosses(Route("a.b", EventFormat("a.b", ("pk",)), PublishLimits(), ("pk",), VIEW))
