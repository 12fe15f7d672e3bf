"""Options for behaviour in which the real service may vary."""

from dataclasses import dataclass, field

from localdev.streams.model.iterator import LIFETIME_SECONDS
from localdev.streams.model.stale_listings import Lies


@dataclass(slots=True)
class Options:
    """The behaviour of the service, which may be changed at any time.

    `child_filter`: honour ShardFilter CHILD_SHARDS; emulators answer with the whole listing.
    `children_delay`: seconds after a shard closed in which CHILD_SHARDS answers nothing.
    `closing_page_has_records`: the last records of a closed shard come without an iterator; else
    with one more, whose page is empty.
    `exponent_times`: of streams enabled from now on, write times as 1.46480431E9.
    `time_resolution`: of streams enabled from now on, seconds to which times are floored; DynamoDB
    Local has 60.
    `lower_case_identity`: of streams enabled from now on, write userIdentity {principalId, type},
    as Lambda's events do.
    `empty_pages`: this part of the pages, 0 to 1, has no records, even if there are some.
    `readers`: number of readers of a shard within a second, more are throttled; 0: no limit. AWS
    says 2; see `limits.Readers` for why it is not the default.
    `call_limits`: throttle ListStreams beyond 5 calls a second, DescribeStream beyond 10.
    `lies`: what listings get wrong.
    """

    child_filter: bool = True
    children_delay: float = 0.0
    closing_page_has_records: bool = True
    exponent_times: bool = False
    iterator_lifetime: float = LIFETIME_SECONDS
    time_resolution: int = 1
    lower_case_identity: bool = False
    empty_pages: float = 0.0
    readers: int = 0
    call_limits: bool = False
    lies: Lies = field(default_factory=Lies)

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if min(self.children_delay, self.iterator_lifetime, self.readers) < 0:
            raise ValueError("seconds and numbers of readers are 0 or more")
        if not 0 <= self.empty_pages <= 1 or self.time_resolution < 1:
            raise ValueError("empty_pages is 0 to 1, time_resolution 1 or more")
