import { element, eventView } from "./event_view.js";
import { describe, groups, isSpent } from "./faults.js";

const REFRESH_MILLISECONDS = 1000;
const LOOPBACK = /^(127\.|localhost|\[::1\])/;
const $ = (id) => document.getElementById(id);
const view = { name: null, partition: null, shown: "", follow: true, faults: [], types: [] };
let refreshing = false;
let again = false;

async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(path, {
    method, body: body && JSON.stringify(body), headers: body ? { "Content-Type": "application/json" } : {},
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
  return answer.status === 204 ? null : answer.json();
}

function say(text, bad = false) {
  $("state").className = bad ? "bad" : "";
  if ($("state").textContent !== text) $("state").textContent = text;
}

// Makes the children of a list those of `keys`; what is there already stays, and keeps the focus.
function reconcile(list, keys, make) {
  const there = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let at = list.firstElementChild;
  for (const key of keys) {
    let child = there.get(key);
    there.delete(key);
    if (!child) {
      child = make(key);
      child.dataset.key = key;
    }
    if (child === at) at = at.nextElementSibling;
    else list.insertBefore(child, at);
  }
  for (const child of there.values()) child.remove();
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const button = (properties, ...children) => element("button", { type: "button", ...properties }, ...children);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

function showTypes() {
  const wanted = $("filter").value.toLowerCase();
  const types = view.types.filter(({ name }) => name.toLowerCase().includes(wanted));
  const byName = new Map(types.map((type) => [type.name, type]));
  setText($("types-count"), String(view.types.length));
  $("types-empty").hidden = types.length > 0;
  setText($("types-empty"), view.types.length ? "None has such a name." : "None yet: POST /event-types makes one.");
  reconcile($("types"), [...byName.keys()], (name) => element("li", {}, button(
    { onclick: () => choose(name, null) }, element("span", {}, name), element("span", { className: "count" }))));
  for (const row of $("types").children) {
    const { name, events, partitions } = byName.get(row.dataset.key);
    row.firstChild.setAttribute("aria-pressed", String(name === view.name));
    setText(row.querySelector(".count"), `${plural(events, "event")} in ${plural(Object.keys(partitions).length, "partition")}`);
  }
}

function showPartitions(type) {
  setText($("events-title"), type ? `Latest events of ${type.name}` : "Latest events");
  const names = type ? Object.keys(type.partitions) : [];
  reconcile($("partitions"), names, (name) => button(
    { onclick: () => choose(view.name, name) }, `Partition ${name} `, element("span", { className: "count" })));
  for (const one of $("partitions").children) {
    one.setAttribute("aria-pressed", String(one.dataset.key === view.partition));
    setText(one.querySelector(".count"), plural(type.partitions[one.dataset.key], "event"));
  }
}

function choose(name, partition) {
  Object.assign(view, { name, partition, shown: "", follow: true });
  $("events").replaceChildren();
  refresh();
}

async function showEvents(type) {
  const count = type ? type.partitions[view.partition] : 0;
  const wanted = `${view.name}/${view.partition}/${count}`;
  $("events-empty").hidden = count > 0;
  setText($("events-empty"), type ? "This partition is empty." : "Choose an event type.");
  if (view.shown === wanted) return;
  const path = `/control/latest/${encodeURIComponent(view.name)}/${encodeURIComponent(view.partition)}`;
  const events = count > 0 ? await ask(path) : [];
  if (`${view.name}/${view.partition}/${count}` !== wanted) return;
  view.shown = wanted;
  const byIndex = new Map(events.map((event) => [String(event.index), event]));
  reconcile($("events"), [...byIndex.keys()], (index) => eventRow(byIndex.get(index)));
  if (!view.follow) return;
  for (const row of $("events").children) row.firstChild.open = row === $("events").firstElementChild;
}

function eventRow(event) {
  const box = element("details", {}, element("summary", { onclick: () => { view.follow = false; } },
    element("span", { className: "op", title: "data_op" }, event.tombstone ? "tombstone" : event.data_op || "–"),
    element("span", { className: "key", title: "key" }, event.key),
    element("span", { className: "count" }, `offset ${event.offset}`),
    element("span", { className: "count" }, event.received_at.slice(11, 23)),
    element("span", { className: "count" }, plural(event.characters, "character"))));
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1) box.append(...eventBody(event));
  });
  return element("li", {}, box);
}

function eventBody(event) {
  const facts = element("p", { className: "facts" },
    `eid ${event.eid || "–"} · sequence ${event.sequence} · request ${event.request} · flow id ${event.flow_id}`);
  if (!event.event) return [facts, element("p", { className: "empty" }, "Its text was not kept (--no-text).")];
  const content = element("div", {}, ...eventView(event.event));
  if (!event.cut) return [facts, content];
  const path = `/control/text/${encodeURIComponent(view.name)}/${event.index}`;
  const more = button({ onclick: async () => {
    try {
      content.replaceChildren(...eventView(await (await fetch(path)).text()));
      more.remove();
    } catch (error) { say(String(error), true); }
  } }, `Show all ${plural(event.characters, "character")}`);
  return [facts, element("p", { className: "facts" }, "Too long to show at once; it begins like this. ", more), content];
}

function showRequests(requests) {
  $("requests-empty").hidden = requests.length > 0;
  const byNumber = new Map(requests.map((request) => [String(request.number), request]));
  reconcile($("requests"), [...byNumber.keys()], () => element("tr", {},
    ...Array.from({ length: 5 }, () => element("td"))));
  for (const row of $("requests").children) {
    const { number, status, events, milliseconds, event_type: name, fault } = byNumber.get(row.dataset.key);
    const answer = status === null ? "waiting" : status === 0 ? "closed" : String(status);
    const took = milliseconds === null ? "…" : `${milliseconds.toLocaleString("en")} ms`;
    const texts = [String(number), fault === null ? answer : `${answer} (fault ${fault})`, String(events), took, name];
    texts.forEach((text, at) => setText(row.children[at], text));
    row.children[1].className = status === 200 ? "good" : status === null ? "" : "bad";
  }
}

function showFaults() {
  const byNumber = new Map(view.faults.map((fault) => [String(fault.number), fault]));
  reconcile($("faults"), [...byNumber.keys()], (number) => element("li", {}, element("span"), button(
    { onclick: () => change(() => ask(`/control/faults/${number}`, "DELETE")), "aria-label": `Remove fault ${number}` }, "Remove")));
  for (const row of $("faults").children) {
    const fault = byNumber.get(row.dataset.key);
    setText(row.firstChild, `${fault.number}: ${describe(fault)}`);
  }
  setText($("faults-count"), view.faults.length ? String(view.faults.length) : "");
  $("faults-empty").hidden = view.faults.length > 0;
  $("remove-all").hidden = view.faults.length < 2;
  for (const one of document.querySelectorAll("[role=switch]")) {
    one.setAttribute("aria-checked", String(inForce(one.dataset.note).length > 0));
  }
}

const inForce = (note) => view.faults.filter((fault) => fault.note === note && !isSpent(fault));

async function change(action) {
  try {
    await action();
    await refresh();
  } catch (error) { say(String(error), true); }
}

function toggle(note, members) {
  return change(async () => {
    const old = inForce(note);
    if (old.length > 0) {
      for (const { number } of old) await ask(`/control/faults/${number}`, "DELETE");
      return;
    }
    const fault = { note, ...members() };
    if (fault.mode === "partition") fault.partitions = [view.partition ?? "0"];
    if ($("scope").value === "chosen" && view.name) fault.event_type = view.name;
    if ($("times").value) fault.count = Number($("times").value);
    await ask("/control/faults", "POST", fault);
  });
}

function faultSwitch(label, title, members) {
  return button({ role: "switch", "aria-checked": "false", title, "data-note": `page: ${label}`,
    onclick: () => toggle(`page: ${label}`, members) }, label);
}

function field(label, id, value) {
  return element("label", {}, `${label} `, element("input", { type: "text", id, value, spellcheck: false }));
}

const literal = (text) => { try { return JSON.parse(text); } catch { return text; } };

function buildSwitches() {
  for (const [title, faults] of groups) {
    $("switches").append(element("h3", {}, title), element("div", { className: "switches" },
      ...faults.map(([label, meaning, members]) => faultSwitch(label, meaning, () => members))));
  }
  const reject = (step) => () => ({ kind: "reject", step, field: $("field").value, value: literal($("value").value) });
  $("switches").append(element("h3", {}, "Bad events"),
    element("div", { className: "fields" }, field("Field of data", "field", "status"), field("Value", "value", "PAID")),
    element("div", { className: "switches" },
      faultSwitch("Reject the field (422)", "the first such event fails validating", reject("validating")),
      faultSwitch("422 partitioning", "the first such event fails partitioning", reject("partitioning"))),
    element("div", { className: "fields gap" }, field("Event contains", "marker", "poison")),
    element("div", { className: "switches" },
      faultSwitch("400 for the batch", "names no event", () => ({ kind: "reject", marker: $("marker").value }))));
}

async function refresh() {
  again = refreshing;
  if (refreshing) return;
  refreshing = true;
  try {
    const { address, event_types: types, requests, faults } = await ask("/control/overview");
    setText($("address"), address);
    $("exposed").hidden = LOOPBACK.test(address);
    Object.assign(view, { types, faults });
    let type = types.find(({ name }) => name === view.name);
    if (!type && types.length > 0) {
      type = types.find(({ events }) => events > 0) ?? types[0];
      Object.assign(view, { name: type.name, partition: null, follow: true });
    }
    if (type && !(view.partition in type.partitions)) {
      view.partition = Object.keys(type.partitions).find((name) => type.partitions[name] > 0) ?? Object.keys(type.partitions)[0];
    }
    showTypes();
    showPartitions(type);
    showFaults();
    showRequests(requests);
    await showEvents(type);
    say("");
  } catch (error) {
    say(`The local Nakadi does not answer (${error.message})`, true);
  } finally {
    refreshing = false;
  }
  if (again) await refresh();
}

async function keepRefreshing() {
  if ($("automatic").checked && !document.hidden) await refresh();
  setTimeout(keepRefreshing, REFRESH_MILLISECONDS);
}

buildSwitches();
$("filter").addEventListener("input", showTypes);
$("remove-all").addEventListener("click", () => change(() => ask("/control/faults", "DELETE")));
keepRefreshing();
