// JSON as a tree that keeps every literal as it was sent: numbers have more digits than JavaScript's.

const token = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\[^])*")|([^\s{}[\],:"]+))/y;
const DEPTH_MAX = 500;

// Returns {kind: "object", members: [[name, node]]}, {kind: "array", members} or {kind, raw}; throws.
export function parse(text) {
  token.lastIndex = 0;
  const next = () => {
    const match = token.exec(text);
    if (!match) throw new SyntaxError("not JSON");
    return match;
  };
  const value = (match, depth) => {
    const [, mark, string, other] = match;
    if (depth > DEPTH_MAX) throw new SyntaxError("too deep");
    if (string !== undefined) return { kind: "string", raw: string };
    if (other !== undefined) return { kind: "other", raw: other };
    if (mark !== "{" && mark !== "[") throw new SyntaxError("not JSON");
    const isObject = mark === "{";
    const members = [];
    let found = next();
    while (found[1] !== "}" && found[1] !== "]") {
      if (isObject) {
        if (found[2] === undefined || next()[1] !== ":") throw new SyntaxError("not JSON");
        members.push([name(found[2]), value(next(), depth + 1)]);
      } else {
        members.push([String(members.length), value(found, depth + 1)]);
      }
      found = next();
      if (found[1] === ",") found = next();
    }
    return { kind: isObject ? "object" : "array", members };
  };
  return value(next(), 0);
}

function name(raw) {
  try { return JSON.parse(raw); } catch { return raw.slice(1, -1); }
}

export const member = (node, wanted) =>
  node?.kind === "object" ? node.members.find(([found]) => found === wanted)?.[1] : undefined;

const text = (node) => (node?.kind === "string" ? name(node.raw) : undefined);
export const step = (part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`;

// Where in `data` the item is, and what its patch changed: {item, operations: [{op, path, from}]}.
export function findPatch(event) {
  const data = member(event, "data") ?? event;
  const base = data === event ? "" : "/data";
  if (data?.kind !== "object") return { item: base, operations: [] };
  const item = member(data, "item")?.kind === "object" ? `${base}/item` : base;
  for (const [, node] of data.members) {
    const operations = node.kind !== "array" ? [] : node.members.map(([, one]) => (
      { op: text(member(one, "op")), path: text(member(one, "path")), from: text(member(one, "from")) }));
    if (operations.length > 0 && operations.every(({ op, path }) => op && path !== undefined)) return { item, operations };
  }
  return { item, operations: [] };
}
