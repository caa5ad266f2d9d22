// Made-up mail for the mock server: the same each time, hostile strings among it.

export const hostile = [
  `<img src=x onerror=alert(1)>@evil.example`,
  `"><script>alert(1)</script>`,
  `=cmd|'/C calc'!A0`,
  `${"very-long-local-part-".repeat(5)}@${"label.".repeat(12)}example`,
  `\u202Egnp.exe\u202C & \u0000<b>bold</b>`,
];

let seed = 42;
const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
const pick = (list) => list[Math.floor(random() * list.length)];
const now = Date.now();
export const iso = (ms) => new Date(ms).toISOString();

const users = ["newsletter", "shop", "fatture", "crm", "wordpress-sito"];
const names = ["anna.rossi", "luca.bianchi", "giulia.ferrari", "marco.esposito", "info", "sara_ricci", "paolo.marino", "ordini"];
const sites = ["gmail.com", "libero.it", "outlook.com", "hotmail.it", "tim.it", "virgilio.it", "yahoo.it", "pec.aruba.it", "studio-conti.example", "icloud.com"];
const replies = {
  deferred: [
    "421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP address. To protect our users, mail has been temporarily rate limited.",
    "451 4.7.1 Greylisting in action, please come back later",
    "452 4.2.2 The email account that you tried to reach is over quota",
    "connection timed out",
  ],
  bounced: [
    "550 5.1.1 The email account that you tried to reach does not exist.",
    "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
    "554 5.7.1 Service unavailable; Client host blocked using Spamhaus",
    hostile[1],
  ],
  delivered: ["250 2.0.0 OK 1763864521 a640c23a62f3a-b765 gsmtp", "250 2.6.0 Queued mail for delivery"],
};
const id_of = (i) => `${(7_000_000 + i * 37).toString(36).toUpperCase()}${"QX7Z"[i % 4]}`;
const address = (i) => (i % 53 === 17 ? hostile[0] : i % 97 === 11 ? hostile[3] : `${pick(names)}${i % 7 || ""}@${pick(sites)}`);

export const queue = Array.from({ length: 2300 }, (_, i) => {
  const state = pick(["queued", "deferred", "deferred", "deferred", "held", "sending"]);
  const n = i % 40 === 3 ? 3 : 1;
  const user = pick(users);
  return {
    id: id_of(i), user, sender: i % 61 === 5 ? hostile[2] : `${user}@azienda-esempio.it`, size: 2_000 + Math.floor(random() * 180_000),
    arrived: iso(now - i * 11_000 - 30_000), expires: iso(now + 4 * 86_400_000 - i * 11_000),
    class: user === "newsletter" ? "bulk" : "transactional", campaign: user === "newsletter" ? "autunno-2026" : "", n_recipients: n,
    recipients: Array.from({ length: n }, (_, k) => ({
      n: k + 1, address: address(i + k), state, attempts: state === "deferred" ? 1 + Math.floor(random() * 6) : 0,
      next: state === "held" ? null : iso(now + Math.floor(random() * 3_600_000)),
      reply: state === "deferred" ? pick(replies.deferred) : "", doubtful: null,
    })),
  };
});

export const deliveries = Array.from({ length: 1800 }, (_, i) => {
  const state = pick(["delivered", "delivered", "delivered", "delivered", "delivered", "bounced", "deferred"]);
  const user = pick(users), recipient = address(i), reply = pick(replies[state]);
  const site = recipient.split("@").pop();
  return {
    at: iso(now - i * 7_000), id: id_of(9000 + i), n: 1, user, sender: `${user}@azienda-esempio.it`, recipient, site,
    mx: `mx${1 + (i % 4)}.${site}`, egress: pick(["192.0.2.10", "192.0.2.11", "2001:db8::25"]), state,
    code: Number(/^\d{3}/.exec(reply)?.[0]) || null, enhanced: /\d\.\d+\.\d+/.exec(reply)?.[0] ?? null, reply,
    class: "",
    seconds: Math.round(random() * 40 * 100) / 10, attempts: 1 + (i % 3), campaign: user === "newsletter" ? "autunno-2026" : "",
  };
});

const states = ["next_in_line", "message_rate", "resting", "suspended", "unreachable", "next_in_line", "slowed_down", "nothing_queued", "provider_resting", "connection_limit"];
const providers = ["Google", "Libero", "Microsoft", "Microsoft", "TIM", "Libero", "Yahoo", "Aruba", null, null];
const past = (i, scale) => i === 7 ? null : { delivered: 400 * scale - i * 3, deferred: i * 4 * scale, bounced: i * scale, percent: i === 8 ? null : 99.2 - i * 4.3 };
const lasts = [["delivered", 250, replies.delivered[0]], ["deferred", 421, replies.deferred[0].slice(4)], ["deferred", 452, replies.deferred[2].slice(4)], null,
  ["bounced", 554, replies.bounced[2].slice(4)], ["delivered", 250, replies.delivered[1]], ["deferred", null, "connection timed out"], null, ["bounced", 550, hostile[1]], ["delivered", 250, "OK"]];
export const destinations = sites.map((name, i) => ({
  name, ready: Math.floor(random() * 400), waiting: i === 7 ? 0 : Math.floor(random() * 9000), sending: i % 3 ? 4 : 0, held: i === 4 ? 120 : 0,
  connections: 4 + i, busy: i % 5, state: states[i],
  until: ["resting", "suspended", "unreachable"].includes(states[i]) ? iso(now + 900_000 * (i + 1)) : null,
  reason: states[i] === "suspended" ? "lavori del fornitore fino alle 14" : states[i] === "resting" ? replies.deferred[0] : "",
  provider: providers[i], domains: i === 2 ? ["outlook.com", "live.it", "hotmail.com"] : [name], n_domains: i === 2 ? 14 : 1,
  oldest_seconds: i === 7 ? null : 240 + i * 3_700, rate: i === 3 ? 0 : 42.5 + i * 7, limit: i % 2 ? 60 + i * 10 : null,
  limits: i % 2 ? { messages_per_minute: 60 + i * 10, connections: 4 + i } : {}, hour: past(i, 1), day: past(i, 20),
  last_reply: lasts[i] && { at: iso(now - 9_000 * (i + 1)), code: lasts[i][1], text: lasts[i][2], state: lasts[i][0] },
  drain_forecast: i === 3 || i === 7 ? null : iso(now + 1_900_000 * (i + 1)),
}));

export const logs = Array.from({ length: 600 }, (_, i) => log_line(i));

export function log_line(i) {
  const level = i % 43 === 7 ? "error" : i % 11 === 4 ? "warning" : "info";
  const event = level === "error" ? "connect_failed" : level === "warning" ? "deferred" : pick(["delivered", "accepted", "login", "delivered"]);
  const fields = { msg: id_of(i), rcpt: 1, to: address(i), site: pick(sites), code: level === "info" ? 250 : 451, secs: 1.2 };
  if (i % 19 === 2) fields.helo = hostile[1];
  return {
    ts: iso(now - i * 900), level, event, fields,
    line: `event=${event} ${Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(" ")}`,
  };
}

const steps = { "24h": [300, 288], week: [1800, 336], month: [7200, 372], year: [86_400, 365] };

export function stats(query, empty) {
  const of_range = steps[query.get("range") ?? "24h"] ?? steps["24h"];
  const asked = ["from", "to"].map((name) => Date.parse(query.get(name) ?? "") / 1000);
  const step = Number(query.get("step")) || (asked[0] ? Math.max(60, Math.ceil((asked[1] - asked[0]) / 400 / 60) * 60) : of_range[0]);
  const n = asked[0] ? Math.ceil((asked[1] - asked[0]) / step) : of_range[1];
  const end = asked[1] ? Math.floor(asked[1] / step - 1) * step : Math.floor(now / 1000 / step) * step;
  const times = Array.from({ length: n }, (_, i) => end - (n - 1 - i) * step);
  const gap = [Math.floor(n * 0.31), Math.floor(n * 0.34)];
  const scale = { accepted: 1, delivered: 0.93, deferred: 0.12, bounced: 0.03, held: 0.02, queued: 2, bytes: 90_000, connections: 0.05, latency_p50: 0.02, latency_p95: 0.2 };
  const series = [];
  for (const by of (query.get("by") ?? "total").split(","))
    for (const metric of (query.get("metric") ?? "delivered").split(",")) {
      const other = asked[1] && asked[1] < now / 1000 - 3_600 ? 0.82 : 1;
      const mean = times.map((time, i) => {
        if (empty || i >= gap[0] && i <= gap[1]) return null;
        const hour = ((time / 3600) % 24) + i / n;
        const day = 0.55 + 0.45 * Math.sin(((hour - 7) / 24) * 2 * Math.PI);
        return Math.max(0, Math.round(other * (scale[metric] ?? 0.1) * step * 0.6 * day * (0.8 + 0.4 * Math.abs(Math.sin(i * 12.9898 + metric.length + by.length)))));
      });
      const unit = /latency/.test(metric) ? "seconds" : metric === "queued" ? "recipients" : "per_minute";
      const sum = mean.slice();
      if (unit === "per_minute") mean.forEach((value, i) => { if (value !== null) mean[i] = value / (step / 60); });
      series.push({ metric, by, unit, sum, mean, min: mean.map((x) => x === null ? null : x * 0.7), max: mean.map((x) => x === null ? null : x * 1.4) });
    }
  return { from: iso(times[0] * 1000), step, times, series, gaps: empty ? [] : [{ from: times[gap[0]], to: times[gap[1] + 1], why: "stopped" }] };
}

const hours = (scale) => Array.from({ length: 24 }, (_, i) => Math.round(scale * (1 + Math.sin(i / 3)) * (0.7 + random() * 0.5)));

export function overview(empty) {
  if (empty)
    return {
      state: "ok", causes: [], version: "0.1.0", top_destinations: [], top_users: [], spark: {},
      tiles: { delivered_24h: 0, deferred_24h: 0, bounced_24h: 0, held: 0, queued: 0, oldest_seconds: null, rate_now: 0, accepted_24h: 0 },
      certificate: { name: "mail.azienda-esempio.it", days_left: 61, state: "ok" }, disk: { free: 61_203_283_968, total: 107_374_182_400, state: "ok" },
    };
  return {
    state: "attention", version: "0.1.0",
    causes: [
      { code: "destination_suspended", params: { name: "hotmail.it" }, link: "/destinations" },
      { code: "user_braked", params: { user: "crm", reason: "unknown recipients 31 %" }, link: "/users/crm" },
    ],
    tiles: { delivered_24h: 184_231, deferred_24h: 9_412, bounced_24h: 2_208, held: 120, queued: 24_310, oldest_seconds: 13_380, rate_now: 412.5, accepted_24h: 195_002 },
    spark: { accepted: hours(9000), delivered: hours(8000), deferred: hours(600), bounced: hours(90), queued: hours(15000), rate: hours(400), held: hours(60) },
    top_destinations: destinations.slice(0, 5).map(({ name, waiting }, i) => ({ name, queued: waiting, rate: i === 2 ? null : 40 + i * 7.5 })),
    top_users: users.map((name, i) => ({ name: i === 3 ? hostile[1] : name, accepted: 120_000 >> i })),
    certificate: { name: "mail.azienda-esempio.it", days_left: 61, state: "ok" },
    disk: { free: 21_203_283_968, total: 107_374_182_400, state: "ok" },
  };
}

export function why(id) {
  const item = queue.find((message) => message.id === id);
  return (item?.recipients ?? []).map(({ n, state }) => ({
    id, n, state, why: state === "held" ? "held" : state === "deferred" ? "retry_time" : "message_rate", sentence: "it waits", action: state === "held" ? "queue release" : "queue retry",
    doubtful: false, until: iso(now + 1_200_000), site: "gmail.com", reason: state === "deferred" ? replies.deferred[0] : "", since: iso(now - 3_600_000), last_delivery: iso(now - 40_000), about: "gmail.com", command: `queue retry ${id}`,
  }));
}

export function message(id) {
  const item = queue.find((one) => one.id === id) ?? queue[1];
  return {
    ...item, id,
    header: Object.entries({ Subject: `Novità d'autunno ${hostile[1]}`, From: "Azienda Esempio <newsletter@azienda-esempio.it>", "Message-ID": "<20261123.77@azienda-esempio.it>", Date: "Mon, 23 Nov 2026 09:41:00 +0100" })
      .map(([name, value]) => ({ name, value })),
    attempts: deliveries.filter(({ state }) => state === "deferred").slice(0, 3).map((one, i) => ({ ...one, id, n: 1, recipient: item.recipients[0].address, at: iso(now - (3 - i) * 3_600_000) })),
  };
}

const step = (egress, name, verdict, code, ms, params, sentence) => ({ egress, step: name, verdict, code, ms, params, sentence });
const talk = (egress, rcpt) => [
  step(egress, "connect", "ok", "connected", 48, { host: "mx1.outlook.com", address: "198.51.100.9", local: egress }, `Connected to mx1.outlook.com [198.51.100.9] from ${egress}.`),
  step(egress, "banner", "ok", "greeted", 121, { reply: `220 mx1.outlook.com ESMTP ${hostile[1]}` }, `It greets us: 220 mx1.outlook.com ESMTP ${hostile[1]}`),
  step(egress, "starttls", "warn", "unverified", 230, { tls: "TLSv1.3", reason: "self-signed certificate" }, "Encrypted with TLSv1.3; its certificate would not pass a check: self-signed certificate."),
  step(egress, "rcpt", ...rcpt),
];
const path_steps = [
  step("", "mx", "ok", "found", 12, { hosts: "10 mx1.outlook.com, 20 mx2.outlook.com", dnssec: "no" }, "DNS names these mail hosts: 10 mx1.outlook.com, 20 mx2.outlook.com."),
  step("192.0.2.10", "name", "fail", "missing", 31, { address: "192.0.2.10", ehlo: "relay.shop.example" }, "192.0.2.10 has no name in DNS (PTR): many receivers refuse that. It should be relay.shop.example."),
  ...talk("192.0.2.10", ["fail", "refused", 90, { recipient: "anna.rossi@outlook.com", reply: replies.bounced[2] }, `It refuses mail for anna.rossi@outlook.com: ${replies.bounced[2]}`]),
  step("192.0.2.11", "name", "ok", "confirmed", 28, { address: "192.0.2.11", name: "relay.shop.example" }, "192.0.2.11 is called relay.shop.example, the name we greet with, and the name leads back to it."),
  ...talk("192.0.2.11", ["ok", "accepted", 85, { recipient: "anna.rossi@outlook.com", reply: "250 2.1.5 OK" }, "It takes mail for anna.rossi@outlook.com: 250 2.1.5 OK"]),
].map((one, n) => ({ n, ...one }));

export function path_test({ address, domain, egress }, state) {
  const head = { id: "77", kind: "path", state, address: address ?? `postmaster@${domain}`, egress: egress ?? null, started: iso(now), verdict: state === "done" ? "fail" : "ok" };
  return { ...head, steps: state === "done" ? path_steps : [] };
}
