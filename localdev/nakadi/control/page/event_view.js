// One event as lines, with what its patch changed marked. Text enters the page as text only.

import { findPatch, parse, step } from "./json.js";

const ROWS_MAX = 1500;
const VALUE_MAX = 2000;
const OPERATIONS_MAX = 50;
const CLASS = { add: "add", remove: "remove" };

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

export function eventView(text) {
  let tree;
  try {
    tree = parse(text);
  } catch {
    return [element("pre", { tabIndex: 0 }, element("span", { className: "row raw" }, text))];
  }
  const { item, operations } = findPatch(tree);
  const marks = new Map(operations.map(({ op, path }) => [item + path, op]));
  const box = element("pre", { tabIndex: 0, role: "region", "aria-label": "Event" });
  new Rows(box, marks).add(tree, "", "", null, "");
  return operations.length > 0 ? [patchList(operations), box] : [box];
}

function patchList(operations) {
  const list = element("ul", { className: "patch", "aria-label": "Patch" });
  for (const { op, path, from } of operations.slice(0, OPERATIONS_MAX)) {
    const source = from === undefined ? "" : `${from} → `;
    list.append(element("li", { className: CLASS[op] ?? "replace" }, `${op} ${source}${path || "(whole item)"}`));
  }
  if (operations.length > OPERATIONS_MAX) {
    list.append(element("li", {}, `… and ${operations.length - OPERATIONS_MAX} more`));
  }
  return list;
}

class Rows {
  constructor(box, marks) {
    this.box = box;
    this.marks = marks;
    this.left = ROWS_MAX;
  }

  add(node, pointer, indent, label, comma, inherited = "") {
    const op = this.marks.get(pointer);
    const mark = op ? CLASS[op] ?? "replace" : inherited;
    const before = label === null ? [] : [element("span", { className: "name" }, JSON.stringify(label)), ": "];
    if (!node.members) {
      const raw = node.raw.length > VALUE_MAX ? `${node.raw.slice(0, VALUE_MAX)} … (${node.raw.length} characters)` : node.raw;
      this.row(mark, op, indent, ...before, element("span", { className: node.kind }, raw), comma);
      return;
    }
    const [open, close] = node.kind === "object" ? "{}" : "[]";
    if (node.members.length === 0) {
      this.row(mark, op, indent, ...before, open + close + comma);
      return;
    }
    this.row(mark, op, indent, ...before, open);
    node.members.forEach(([name, child], at) => {
      const after = at + 1 < node.members.length ? "," : "";
      this.add(child, pointer + step(name), `${indent}  `, node.kind === "object" ? name : null, after, mark);
    });
    this.row(mark, undefined, indent, close + comma);
  }

  row(mark, op, indent, ...parts) {
    this.left -= 1;
    if (this.left < 0) return;
    if (this.left === 0) parts = ["… the rest is not shown"];
    const tag = op ? [element("span", { className: "tag" }, `← ${op}`)] : [];
    this.box.append(element("span", { className: `row ${mark}` }, indent, ...parts, ...tag));
  }
}
