"""The control endpoint: JSON over POST /control/<name>; members with * are required.

Commands that concern one stream take `table` (its latest stream) or `stream` (an ARN); neither is
needed while there is only one table. A shard is an id, `random` or `all`, of those that apply.

  split      shard=random, children=2     closes open shards; each gets this number of children
  rotate     shard=random                 closes open shards; each gets one child
                                          both answer {"closed": [ids], "opened": [ids]}
  trim       shard=all, up_to | older_than
                                          removes records up to a sequence number (inclusive), or
                                          older than a number of seconds, or all; answers
                                          {"trimmed": n}
  age-out    shard=all                    closed shards leave listing and service with all records;
                                          answers {"gone": [ids]}
  stream     enabled*, view_type=that of the last stream
                                          disables or enables the table's stream (new ARN, label);
                                          answers {"arn", "label", "enabled"}
  fill       records*, keys=1000, first=0, remove_every=0, padding=0
                                          writes generated changes, in rounds over the keys; every
                                          remove_every-th round removes; padding bytes are added to
                                          each image; answers {"records": n}
  write      changes*: a list of {"put": item} | {"delete": key} | {"expire": key}
                                          expire is a TTL deletion; answers {"records": n}, the
                                          changes that made a record
  iterators  expire=false, lifetime       lets all iterators expire now; lifetime (s) of old and new
  options    child_filter, children_delay, closing_page_has_records, exponent_times,
             iterator_lifetime, time_resolution, lower_case_identity, empty_pages, readers,
             call_limits, lies            see Options and Lies; unnamed ones stay as
                                          they are; answers all of them
  lie        kind*, shard=random, seconds=10
                                          for a time, listings show a shard wrongly: `hidden` (not
                                          listed; any shard), or still `open` (closed shards);
                                          answers {"shards": [ids]}
  faults     clear=false, add=[]          see fault.Fault: {"kind"*, "operation"="GetRecords" or
                                          "*", "shard", "probability"=1, "skip"=0, "count"=1 or null
                                          (until cleared), "seconds"=1, "crc"=true,
                                          "gzip_header"=false, "padding"=0}; kinds: throttle
                                          limit-exceeded server-error expired trimmed not-found
                                          validation expired-credentials reset hollow empty trim
                                          slow truncate cut wrong-crc; answers {"waiting": [faults
                                          still to come]}
  truth      table | stream, else all     {"streams": [{"arn", "label", "table", "view_type",
                                          "enabled", "shards": [{"shard", "parent", "starting",
                                          "ending", "gone", "trimmed": n oldest, "records":
                                          [{"sequence", "eventID", "eventName", "keys", "at"}]}]}]}:
                                          every record ever written, in order
  stats                                   {"operations", "errors", "get_records", "faults"}: calls
                                          by operation, error code, shard, kind of fault

A command that cannot be done is answered with 400 and {"error": text}.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from random import Random

import orjson

from localdev.streams.control.selection import Selection, ids
from localdev.streams.control.shape import shaped
from localdev.streams.control.truth import stream_truth
from localdev.streams.control.workload import Fill
from localdev.streams.errors import ServiceError, invalid
from localdev.streams.http.arguments import Arguments
from localdev.streams.http.dispatch import Dispatch
from localdev.streams.http.fault import Fault
from localdev.streams.model.options import Options
from localdev.streams.model.record import ViewType
from localdev.streams.model.stale_listings import LieKind, Lies

LIE_SECONDS = 10.0  # default duration of a lie
FILL_SLICE = 500  # changes written before other requests get their turn

Answer = dict[str, object]
Command = Callable[[Arguments], Answer | Awaitable[Answer]]


class Control:
    """The commands. `random` picks shards that a command leaves open."""

    def __init__(self, dispatch: Dispatch, random: Random) -> None:
        self._dispatch = dispatch
        self._model = dispatch.model
        self._selection = Selection(dispatch.model, random)
        self._versions = 0  # of items made up so far
        self._commands: dict[str, tuple[Command, str]] = {  # with the members it takes
            "split": (self._split, "table stream shard children"),
            "rotate": (self._rotate, "table stream shard"),
            "trim": (self._trim, "table stream shard up_to older_than"),
            "age-out": (self._age_out, "table stream shard"),
            "stream": (self._stream, "table enabled view_type"),
            "fill": (self._fill, "table records keys first remove_every padding"),
            "write": (self._write, "table changes"),
            "iterators": (self._iterators, "expire lifetime"),
            "options": (self._options, " ".join(asdict(Options()))),
            "lie": (self._lie, "table stream kind shard seconds"),
            "faults": (self._faults, "clear add"),
            "truth": (self._truth, "table stream"),
            "stats": (self._stats, ""),
        }

    async def call(self, name: str, body: bytes) -> tuple[int, bytes]:
        """Return status and JSON of a command's answer."""
        try:
            if name not in self._commands:
                raise invalid(f"no command {name!r}, but {', '.join(self._commands)}")
            command, members = self._commands[name]
            asked = Arguments.parse(body or b"{}")
            asked.only(*members.split())
            answer = command(asked)
            if isinstance(answer, Awaitable):
                answer = await answer
            return 200, orjson.dumps(answer)
        except ServiceError as error:
            return 400, orjson.dumps({"error": error.message})
        except ValueError as error:
            return 400, orjson.dumps({"error": str(error)})

    def _split(self, asked: Arguments) -> Answer:
        children = asked.limit("children", 100) if asked.has("children") else 2
        if children == 1:
            raise invalid("a split has two children or more; rotate makes one")
        return self._replace(asked, children)

    def _rotate(self, asked: Arguments) -> Answer:
        return self._replace(asked, 1)

    def _replace(self, asked: Arguments, children: int) -> Answer:
        stream = self._selection.stream(asked)
        now = time.time()
        closed = self._selection.shards(asked, stream.open_shards, "random")
        opened = [new for old in closed for new in stream.replace(old.shard_id, now, children)]
        return {"closed": ids(closed), "opened": ids(opened)}

    def _trim(self, asked: Arguments) -> Answer:
        stream = self._selection.stream(asked)
        shards = self._selection.shards(asked, stream.listed(), "all")
        up_to = asked.sequence_number("up_to")
        if up_to is not None:
            return {"trimmed": sum(shard.trim(up_to) for shard in shards)}
        before = time.time() - asked.seconds("older_than", 0.0)
        return {"trimmed": sum(shard.trim_before(before) for shard in shards)}

    def _age_out(self, asked: Arguments) -> Answer:
        listed = self._selection.stream(asked).listed()
        closed = [shard for shard in listed if shard.ending is not None]
        shards = self._selection.shards(asked, closed, "all")
        for shard in shards:
            shard.age_out()
        return {"gone": ids(shards)}

    def _stream(self, asked: Arguments) -> Answer:
        table = self._selection.table(asked)
        if not asked.flag("enabled", default=None):
            stream = self._model.disable_stream(table.name, time.time())
        else:
            if asked.has("view_type") or table.stream is None:
                view_type = asked.choice("view_type", ViewType)
            else:
                view_type = table.stream.view_type
            stream = self._model.enable_stream(table.name, view_type, time.time())
        return {"arn": stream.arn, "label": stream.label, "enabled": stream.enabled}

    async def _fill(self, asked: Arguments) -> Answer:
        table = self._selection.table(asked)
        members = {name: v for name, v in asked.members.items() if name != "table"}
        fill = shaped(members, Fill)
        version = self._versions
        self._versions += fill.records // fill.keys + 1
        written = 0
        for count, (removal, item) in enumerate(fill.changes(table.key_schema, version), 1):
            write = table.delete if removal else table.put
            written += write(item, time.time()) is not None
            if count % FILL_SLICE == 0:
                await asyncio.sleep(0)
        return {"records": written}

    def _write(self, asked: Arguments) -> Answer:
        table = self._selection.table(asked)
        written = 0
        for change in asked.each("changes"):
            now = time.time()
            if change.has("put"):
                entry = table.put(change.attributes("put"), now)
            elif change.has("delete"):
                entry = table.delete(change.attributes("delete"), now)
            else:
                entry = table.delete(change.attributes("expire"), now, ttl=True)
            written += entry is not None
        return {"records": written}

    def _iterators(self, asked: Arguments) -> Answer:
        options = self._model.options
        options.iterator_lifetime = asked.seconds("lifetime", options.iterator_lifetime)
        if asked.flag("expire"):
            self._model.expire_iterators()
        return {"lifetime": options.iterator_lifetime}

    def _options(self, asked: Arguments) -> Answer:
        present = asdict(self._model.options)
        lies = asked.optional_inner("lies")
        changed = dict(asked.members)
        if lies is not None:
            lies.only(*Lies.__annotations__)
            changed["lies"] = present["lies"] | lies.members
        self._model.options = shaped(present | changed, Options)
        return asdict(self._model.options)

    def _lie(self, asked: Arguments) -> Answer:
        kind = asked.choice("kind", LieKind)
        listed = self._selection.stream(asked).listed()
        closed = [shard for shard in listed if shard.ending is not None]
        among = listed if kind is LieKind.HIDDEN else closed
        shards = self._selection.shards(asked, among, "random")
        seconds = asked.seconds("seconds", LIE_SECONDS)
        for shard in shards:
            self._model.tell_lie(kind, shard.shard_id, time.time(), seconds)
        return {"shards": ids(shards)}

    def _faults(self, asked: Arguments) -> Answer:
        faults = self._dispatch.faults
        added = [shaped(f.members, Fault) for f in asked.each("add")] if asked.has("add") else []
        if asked.flag("clear"):
            faults.waiting.clear()
        faults.waiting.extend(added)
        return {"waiting": faults.facts()}

    def _truth(self, asked: Arguments) -> Answer:
        if asked.has("table") or asked.has("stream"):
            return {"streams": [stream_truth(self._selection.stream(asked))]}
        return {"streams": [stream_truth(stream) for stream in self._model.streams.values()]}

    def _stats(self, _: Arguments) -> Answer:
        return self._dispatch.calls.facts()
