"""The life of orders as changes of a table; the same for the same random numbers.

    NEW → PAID → PACKED → SHIPPED → DELIVERED → deleted

Between them the steps change every kind of attribute, so that patches replace, add and remove.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from localdev.workload.change import Change, Delete, Insert, Update, Value

KEY = "order_id"
_INSERTS = 0.2  # share of the changes: an order takes five more until it is gone
_BUSY = 20  # orders, the oldest, among which the next step happens
_CUSTOMERS = ("Ada", "Grace", "Linus", "Barbara", "Jürgen", 'Zoë "Z" O\'Neil')
_GOODS = (("kettle", "39.90"), ("teapot", "24.50"), ("cup", "6.75"), ("strainer", "4.20"))


@dataclass(slots=True)
class Orders:
    """All open orders, up to a maximum."""

    random: Random
    most: int = 300
    prefix: str = "o"
    _steps: dict[str, int] = field(default_factory=dict)  # by order id, oldest first
    _count: int = 0

    def change(self) -> Change:
        """Return what happens next."""
        full = len(self._steps) >= self.most
        if not self._steps or (not full and self.random.random() < _INSERTS):
            return self._insert()
        order_id = self.random.choice(list(self._steps)[:_BUSY])
        step = self._steps[order_id]
        if step == len(_STEPS):
            del self._steps[order_id]
            return Delete({KEY: order_id})
        self._steps[order_id] = step + 1
        return _STEPS[step](order_id, self.random)

    def _insert(self) -> Insert:
        self._count += 1
        order_id = f"{self.prefix}-{self._count:05}"
        self._steps[order_id] = 0
        return Insert({KEY: order_id, **_new(self.random)})


def _new(random: Random) -> dict[str, Value]:
    lines: list[Value] = []
    amount = Decimal(0)
    for name, price in random.sample(_GOODS, random.randint(1, 3)):
        quantity = random.randint(1, 4)
        amount += quantity * Decimal(price)
        lines.append({"sku": name, "quantity": Decimal(quantity), "price": Decimal(price)})
    return {
        "status": "NEW",
        "amount": amount,
        "currency": "EUR",
        "customer": {"name": random.choice(_CUSTOMERS), "country": random.choice(("DE", "FI"))},
        "lines": lines,
        "tags": {"web", random.choice(("gift", "express"))},
        "note": "please ring twice",
    }


def _pay(order_id: str, random: Random) -> Update:
    method = random.choice(("card", "invoice"))
    return Update(
        {KEY: order_id}, {"status": "PAID", "payment": {"method": method, "captured": True}}
    )


def _pack(order_id: str, random: Random) -> Update:
    weight = Decimal(random.randint(100, 9999)) / 1000
    return Update({KEY: order_id}, {"status": "PACKED", "weight": weight}, ("note",))


def _ship(order_id: str, random: Random) -> Update:
    tracking: Value = {"carrier": "DHL", "number": f"{random.randrange(10**12):012}"}
    return Update(
        {KEY: order_id}, {"status": "SHIPPED", "shipment": tracking, "tags": {"web", "sent"}}
    )


def _deliver(order_id: str, _: Random) -> Update:
    return Update({KEY: order_id}, {"status": "DELIVERED"}, ("weight",))


_STEPS = (_pay, _pack, _ship, _deliver)
