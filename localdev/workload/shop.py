"""A single-table design: orders, their lines, customers and locks side by side in one table.

    order      DRAFT → NEW → PAID → (another card) → SHIPPED → DELIVERED → ARCHIVED → deleted
    line       inserted and deleted with its order; its quantity may change
    customer   inserted; moves; signs in, which nobody has to know
    lock       held while an order is made

All items of an order have its partition key.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from localdev.workload.change import Change, Delete, Insert, Update, Value

KEYS = ("pk", "sk")
ORDER = "ORDER"
_INSERTS = 0.12  # share of the steps that begin an order; it takes seven more
_CUSTOMER_STEPS = 0.15
_BUSY = 20  # orders, the oldest, among which the next step happens
_NAMES = ("Ada", "Grace", "Linus", "Barbara", "Jürgen", 'Zoë "Z" O\'Neil')
_COUNTRIES = ("DE", "FI", "PL", "SE")
_GOODS = ("kettle", "teapot", "cup", "strainer")
_LINES = 2  # most of an order
_CUSTOMERS = 25


@dataclass(slots=True)
class Shop:
    """All open orders, up to a maximum, and the customers who gave them."""

    random: Random
    most: int = 300
    prefix: str = "o"
    _steps: dict[str, int] = field(default_factory=dict)  # by order, oldest first
    _lines: dict[str, int] = field(default_factory=dict)  # how many lines an order has
    _quantities: dict[tuple[str, int], int] = field(default_factory=dict)
    _count: int = 0
    _customers: dict[str, int] = field(default_factory=dict)  # changes of each
    _next: deque[Change] = field(default_factory=deque)

    def change(self) -> Change:
        """Return what happens next."""
        while not self._next:
            self._step()
        return self._next.popleft()

    def _step(self) -> None:
        chance = self.random.random()
        if not self._steps or (chance < _INSERTS and len(self._steps) < self.most):
            self._order()
        elif chance > 1 - _CUSTOMER_STEPS:
            self._customer()
        else:
            self._go_on(self.random.choice(list(self._steps)[:_BUSY]))

    def _order(self) -> None:
        self._count += 1
        order = f"{self.prefix}-{self._count:05}"
        self._steps[order] = 0
        lock = {"pk": f"lock-{order}", "sk": "LOCK"}
        self._next.append(Insert({**lock, "kind": "LOCK", "owner": "checkout-7"}))
        self._next.append(
            Insert(
                {
                    **_key(order),
                    "kind": ORDER,
                    "status": "DRAFT",
                    "total": Decimal(self.random.randint(100, 99999)) / 100,
                    "gsi1pk": f"c-{self.random.randrange(_CUSTOMERS):05}",
                }
            )
        )
        self._lines[order] = self.random.randint(1, _LINES)
        for number in range(self._lines[order]):
            self._quantities[order, number] = 1
            self._next.append(
                Insert(
                    {
                        **_line(order, number),
                        "kind": "LINE",
                        "sku": self.random.choice(_GOODS),
                        "quantity": Decimal(1),
                    }
                )
            )
        self._next.append(Delete(lock))

    def _customer(self) -> None:
        customer = f"c-{self.random.randrange(_CUSTOMERS):05}"
        key = {"pk": customer, "sk": "CUSTOMER"}
        changes = self._customers.get(customer, 0)
        self._customers[customer] = changes + 1
        if not changes:
            self._next.append(
                Insert(
                    {
                        **key,
                        "kind": "CUSTOMER",
                        "name": self.random.choice(_NAMES),
                        "country": _COUNTRIES[0],
                        "birthday": "1815-12-10",
                    }
                )
            )
        elif changes % 2:
            self._next.append(Update(key, {"signed_in": Decimal(changes)}))
        else:
            self._next.append(Update(key, {"country": _COUNTRIES[changes // 2 % 4]}))

    def _go_on(self, order: str) -> None:
        step = self._steps[order]
        self._steps[order] = step + 1
        match step:
            case 0:
                self._next.append(Update(_key(order), {"status": "NEW"}))
            case 1:
                self._next.append(Update(_key(order), {"status": "PAID", **self._payment()}))
            case 2:
                self._next.append(Update(_key(order), self._payment()))  # status and total stay
            case 3:
                number = self.random.randrange(self._lines[order])
                self._quantities[order, number] += 1
                quantity = Decimal(self._quantities[order, number])
                self._next.append(Update(_line(order, number), {"quantity": quantity}))
            case 4:
                self._next.append(Update(_key(order), {"status": "SHIPPED"}))
            case 5:
                self._next.append(Update(_key(order), {"status": "DELIVERED"}, ("total",)))
            case 6:
                self._next.append(Update(_key(order), {"status": "ARCHIVED"}))
            case _:
                del self._steps[order]
                lines = self._lines.pop(order)
                self._next.extend(Delete(_line(order, number)) for number in range(lines))
                self._next.append(Delete(_key(order)))

    def _payment(self) -> dict[str, Value]:
        number = f"{self.random.randrange(10**16):016}"
        return {"payment": {"method": "card", "card_number": number}}


def _key(order: str) -> dict[str, str]:
    return {"pk": order, "sk": ORDER}


def _line(order: str, number: int) -> dict[str, str]:
    return {"pk": order, "sk": f"LINE#{number + 1}"}
