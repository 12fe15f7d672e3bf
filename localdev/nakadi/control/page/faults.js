// The switches: what each of them sends to /control/faults, and how a fault reads in a line.

export const groups = [
  ["The answer", [
    ["503", "nothing is stored", { kind: "status", status: 503 }],
    ["503 after 10 s", "nothing is stored, slowly", { kind: "status", status: 503, delay: 10 }],
    ["429", "with Retry-After: 5", { kind: "status", status: 429, body: "html", retry_after: 5 }],
    ["413 over 100 kB", "a proxy that takes less", { kind: "status", status: 413, body: "html", min_bytes: 100000 }],
    ["500 after the write", "everything is stored all the same", { kind: "status", status: 500, when: "after" }],
    ["502", "an HTML page", { kind: "status", status: 502, body: "html" }],
    ["504 after the write", "an HTML page; everything is stored", { kind: "status", status: 504, body: "html", when: "after" }],
  ]],
  ["Access", [
    ["401 token refused", "publishing and GET of the event type", { kind: "status", status: 401, on: "any" }],
    ["403 not a writer", "publishing", { kind: "status", status: 403 }],
    ["404 no event type", "publishing and GET of the event type", { kind: "status", status: 404, on: "any" }],
  ]],
  ["The connection", [
    ["Hang", "no answer for ten minutes, nothing is stored", { kind: "reset", delay: 600 }],
    ["Reset", "closed, nothing is stored", { kind: "reset" }],
    ["Lost answer", "stored, then closed", { kind: "reset", when: "after" }],
    ["Truncated answer", "stored, half of the items arrive", { kind: "truncate" }],
    ["Slow by 5 s", "the ordinary answer, later", { kind: "delay", delay: 5, when: "after" }],
    ["Late write", "stored 60 s later, after most clients gave up", { kind: "delay", delay: 60 }],
  ]],
  ["Some events (207)", [
    ["Partition down", "all events of the chosen partition fail after 30 s", { kind: "partial", mode: "partition", delay: 30 }],
    ["All failed", "nothing is stored", { kind: "partial", mode: "all" }],
    ["All failed, but written", "everything is stored", { kind: "partial", mode: "all", written: true }],
    ["Every second failed", "the others are stored", { kind: "partial", mode: "nth", nth: 2 }],
    ["First of a key failed", "later ones of the same key are stored", { kind: "partial", mode: "later" }],
    ["Aborted", "the first fails, of the others every second is stored", { kind: "partial", mode: "aborted" }],
  ]],
];

const shown = {
  on: (value) => value !== "publish" && `on ${value}`,
  status: (value, fault) => fault.kind === "status" && String(value),
  mode: (value, fault) => fault.kind === "partial" && value,
  body: (value, fault) => fault.kind === "status" && value !== "problem" && `as ${value}`,
  partitions: (value) => value.length > 0 && `partition ${value.join(", ")}`,
  field: (value, fault) => value !== null && `data.${value} = ${JSON.stringify(fault.value)} at ${fault.step}`,
  marker: (value) => value !== null && `text contains ${JSON.stringify(value)}`,
  contains: (value) => value !== null && `body contains ${JSON.stringify(value)}`,
  when: (value, fault) => value === "after" && fault.kind !== "partial" && "after the write",
  written: (value) => value && "written all the same",
  delay: (value) => value > 0 && `${value} s`,
  retry_after: (value) => value !== null && `Retry-After ${value}`,
  min_bytes: (value) => value > 0 && `from ${value} bytes`,
  min_events: (value) => value > 0 && `from ${value} events`,
  skip: (value) => value > 0 && `not the first ${value}`,
  every: (value) => value > 1 && `every ${value}th`,
  event_type: (value) => value !== null && `for ${value}`,
};

export const isSpent = (fault) => fault.count !== null && fault.applied >= fault.count;

export function describe(fault) {
  const parts = Object.entries(shown).map(([name, words]) => words(fault[name], fault)).filter(Boolean);
  const limit = fault.count === null ? "" : ` of ${fault.count}`;
  return `${fault.kind} ${parts.join(", ")}: struck ${fault.applied}${limit}${isSpent(fault) ? ", spent" : ""}`;
}
