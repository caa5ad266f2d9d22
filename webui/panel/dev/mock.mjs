// The contract of webui/openapi.json with made-up data, for looking at pages: never part of the
// product.   node dev/mock.mjs [--port N] [--dist FOLDER] [--case full|empty|error] [--role ROLE]
// Sign in with any user; the password "wrong" is refused.  --dist: pages built elsewhere.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as data from "./data.mjs";
import { more_routes } from "./more.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const option = (name, instead) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? instead : process.argv[at + 1];
};
const dist = option("dist", join(here, "../dist"));
const kase = option("case", "full");
if (!process.argv.includes("--dist")) execFileSync("node", [join(here, "../build.mjs"), dist], { stdio: "inherit" });

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8" };
const role = option("role", "owner");
let session = process.argv.includes("--signed-out") ? null : open_session("anna");

function open_session(user) {
  return { user, kind: role === "user" ? "user" : "admin", role, language: "", theme: "", confirmed_until: null, second_factor: false };
}

class Refusal extends Error {
  constructor(status, code, params) {
    super(code);
    Object.assign(this, { status, body: { type: "about:blank", title: code, status, code, detail: code, params } });
  }
}

function page(list, query, limit = 200) {
  const from = Number(query.get("cursor") ?? 0), size = Number(query.get("limit") ?? limit);
  const items = kase === "empty" ? [] : list;
  const next = from + size < items.length ? String(from + size) : null;
  return { items: items.slice(from, from + size), next_cursor: next, total: items.length, total_is_estimate: items.length > 2000 };
}

function filtered(list, query) {
  const filter = query.get("filter") ?? "";
  if (/\bwrong:/.test(filter)) throw new Refusal(422, "bad_filter", { at: filter.indexOf("wrong:"), word: "wrong" });
  const state = /state:(\w+)/.exec(filter)?.[1];
  const text = filter.replace(/\w+:\S*/g, "").trim();
  return list.filter((item) => (!state || JSON.stringify(item).includes(`"state":"${state}"`)) && (!text || JSON.stringify(item).includes(text)));
}

let n_jobs = 0;
const routes = {
  "GET /session": () => session ?? refuse(401, "not_signed_in"),
  "POST /session": ({ body }) => body.password === "wrong" ? refuse(401, "wrong_login") : (session = open_session(body.user)),
  "DELETE /session": () => { session = null; },
  "POST /session:confirm": ({ body }) => body.password === "wrong" ? refuse(401, "wrong_password") : session,
  "POST /session:preferences": ({ body }) => Object.assign(session ?? {}, body),
  "GET /setup": () => option("setup") ? { code_needed: true, has_admin: false } : refuse(410, "set_up"),
  "GET /overview": () => data.overview(kase === "empty"),
  "GET /stats": ({ query }) => data.stats(query, kase === "empty"),
  "GET /destinations": ({ query }) => page(data.destinations, query),
  "GET /suspensions": () => ({ items: kase === "empty" ? [] : [{ name: "hotmail.it", scope: "destination", order: "suspend", limits: null, via: null, reason: "lavori", by: "anna", since: data.iso(Date.now() - 3e6), until: data.iso(Date.now() + 36e5) }], next_cursor: null }),
  "GET /queue": ({ query }) => page(filtered(data.queue, query), query),
  "GET /queue/{}": ({ name }) => data.queue.find(({ id }) => id === name) ?? refuse(404, "not_found"),
  "GET /deliveries": ({ query }) => page(filtered(data.deliveries, query), query),
  "GET /logs": ({ query }) => page(data.logs.filter(({ level }) => !query.get("level") || level === query.get("level")), query),
  "GET /messages/{}": ({ name }) => data.message(name),
  "GET /messages/{}/why": ({ name }) => ({ items: data.why(name), next_cursor: null }),
  "GET /destinations/{}/why": ({ name }) => ({ items: [{ id: null, n: 0, state: "", why: "message_rate", sentence: "messages are limited", action: null, until: null, reason: "", site: name }], next_cursor: null }),
  "POST /queue/actions": ({ body }) => {
    const n = body.ids ? body.ids.length : filtered(data.queue, new URLSearchParams({ filter: body.filter ?? "" })).length;
    if (body.dry_run) return { messages: n, recipients: n, users: [{ name: "newsletter", recipients: n - 3 }, { name: "shop", recipients: 3 }], destinations: [{ name: "gmail.com", recipients: n }] };
    return { status: 202, id: `job${++n_jobs}`, state: "done", done: n, total: n, undo_until: body.verb === "delete" ? data.iso(Date.now() + 60_000) : null };
  },
  "POST /diagnostics/path": ({ body }) => ({ status: 202, ...data.path_test(body, "running") }),
  "GET /jobs/{}": ({ name }) => name === "77" ? data.path_test({ address: "anna.rossi@outlook.com" }, "done") : ({ id: name, state: "done", done: 10, total: 10, undo_until: null }),
  "POST /jobs/{}:undo": ({ name }) => ({ id: name, state: "cancelled", done: 0, total: 10 }),
  ...more_routes,
};
for (const verb of ["suspend", "resume", "throttle", "reroute"]) routes[`POST /destinations/{}:${verb}`] = () => undefined;
for (const verb of ["retry", "hold", "release", "delete", "bounce"]) routes[`POST /queue:${verb}`] = () => ({ selected: 1, busy: 0, by_state: {}, dry_run: false });

function refuse(status, code, params) {
  throw new Refusal(status, code, params);
}

function find(method, path) {
  for (const [key, run] of Object.entries(routes)) {
    const [verb, pattern] = key.split(" ");
    const [head, tail] = pattern.split("{}");
    if (verb !== method) continue;
    if (tail === undefined ? path === pattern : path.startsWith(head) && path.endsWith(tail) && path.length > head.length + tail.length &&
      !path.slice(head.length, path.length - tail.length).includes("/"))
      return { run, name: decodeURIComponent(path.slice(head.length, tail === undefined ? undefined : path.length - tail.length)) };
  }
  return refuse(404, "no_such_path");
}

async function api(request, url) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = url.pathname.slice("/api/v1".length);
  if (kase === "error" && !path.startsWith("/session") && path !== "/setup") refuse(503, "busy");
  const { run, name } = find(request.method, path);
  if (!session && !/^\/(session|setup)/.test(path)) refuse(401, "not_signed_in");
  if (request.method !== "GET" && request.headers["x-staffetta"] !== "1") refuse(403, "cross_site");
  return run({ query: url.searchParams, name, body: chunks.length ? JSON.parse(Buffer.concat(chunks)) : {} });
}

function stream(response, topics) {
  let n = 0;
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write(": here\n\n");
  const timer = setInterval(() => {
    n++;
    if (topics.includes("logs") && kase === "full") response.write(`id: ${n}\nevent: logs\ndata: ${JSON.stringify({ ...data.log_line(n), ts: data.iso(Date.now()) })}\n\n`);
    if (n % 15 === 0) response.write(": still here\n\n");
  }, 1_000);
  response.on("close", () => clearInterval(timer));
}

function file(response, path) {
  const found = path !== "/" && existsSync(join(dist, path)) ? path : "/index.html";
  response.writeHead(200, {
    "Content-Type": types[extname(found)] ?? "application/octet-stream", "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff",
    "Cache-Control": found.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  });
  response.end(readFileSync(join(dist, found)));
}

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/api/v1/events" && kase !== "error") return stream(response, url.searchParams.get("topics") ?? "");
  if (!url.pathname.startsWith("/api/")) return file(response, url.pathname.includes("..") ? "/" : url.pathname);
  api(request, url).then(
    (body) => {
      response.writeHead(body?.status ?? (body === undefined ? 204 : 200), { "Content-Type": "application/json" });
      response.end(body === undefined ? "" : JSON.stringify(body));
    },
    (error) => {
      if (!(error instanceof Refusal)) console.error(error);
      response.writeHead(error.status ?? 500, { "Content-Type": "application/problem+json" });
      response.end(JSON.stringify(error.body ?? { status: 500, code: "broken", detail: String(error) }));
    });
});
server.listen(Number(option("port", 8025)), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
