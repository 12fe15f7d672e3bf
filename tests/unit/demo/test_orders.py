from random import Random

from localdev.workload.change import Change, Delete, Insert, Update
from localdev.workload.order import KEY, Orders


def changes(count: int, most: int = 300) -> list[Change]:
    orders = Orders(Random(1), most)
    return [orders.change() for _ in range(count)]


def test_the_same_random_numbers_make_the_same_changes() -> None:
    assert changes(500) == changes(500)


def test_every_change_is_possible_and_changes_something() -> None:
    table: dict[object, dict[str, object]] = {}
    for change in changes(2000):
        match change:
            case Insert(item):
                assert item[KEY] not in table
                table[item[KEY]] = dict(item)
            case Update(key, sets, removes):
                order_id = key[KEY]
                old = table[order_id]
                kept = {name: value for name, value in old.items() if name not in removes}
                assert set(removes) <= set(old)
                assert KEY not in sets
                table[order_id] = {**kept, **sets}
                assert table[order_id] != old
            case Delete(key):
                del table[key[KEY]]
    assert 0 < len(table) <= 300


def test_orders_are_inserted_updated_and_deleted_by_hundreds() -> None:
    kinds = [type(change) for change in changes(1200)]  # what a demo of 20 s writes
    assert kinds.count(Insert) > 200
    assert kinds.count(Update) > 500
    assert kinds.count(Delete) > 100


def test_no_more_orders_are_open_than_allowed() -> None:
    open_orders = 0
    for change in changes(2000, most=5):
        open_orders += isinstance(change, Insert) - isinstance(change, Delete)
        assert open_orders <= 5
