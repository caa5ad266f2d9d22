// Routes of the mock server for Senders, System and self-service.
import { hostile, iso } from "./data.mjs";

const empty = process.argv[process.argv.indexOf("--case") + 1] === "empty";
const now = Date.now(), day = 86_400_000;
const list = (items) => ({ items: empty ? [] : items, next_cursor: null });
const always = (items) => ({ items, next_cursor: null });

const user = (name, more = {}) => ({
  name, enabled: true, senders: [`${name}@shop.example`], networks: [], limits: {}, trace: "no_client", bounces: "dsn",
  class: false, must_sign: false, credentials: 1, created: iso(now - 90 * day), default_class: "bulk", refuse_over_quota: false,
  brake: true, braked: null, braked_reason: "", contact: "", last_used: iso(now - name.length * 4e5), used: {}, quotas: {}, queued: name.length * 37, held: 0,
  day: { accepted: 4_000, delivered: 3_700, deferred: 200, bounced: 88, bounce_percent: 2.3 }, ...more,
});
const users = [
  user("newsletter", { senders: ["shop.example", "news@eventi.example"], limits: { messages_per_hour: 5000, messages_per_day: 40000 }, default_class: "bulk", contact: "anna@shop.example",
    used: { messages_per_hour: 4210, messages_per_day: 12034, messages_per_month: 301_000 }, quotas: { messages_per_hour: 5000, messages_per_day: 40000, messages_per_month: 1_000_000 },
    held: 124, day: { accepted: 40_000, delivered: 38_000, deferred: 900, bounced: 2_900, bounce_percent: 7.1 } }),
  user("shop", { networks: ["192.0.2.16/28"] }),
  user("fatture", { enabled: false, last_used: null, day: null, queued: 0, used: { recipients_per_day: 512 }, quotas: { recipients_per_day: 500 } }),
  user("crm", { braked: iso(now - 3e6), braked_reason: "31 % of 420 recipients are unknown" }),
  user("wordpress-sito", { senders: ["*"] }),
  user(hostile[1], { senders: [hostile[0], "a".repeat(60) + "@long.example"] }),
];
const find = (name) => ({
  ...users.find((one) => one.name === name) ?? user(name), last_used: iso(now - 7e5), imported_hash: false,
  used: { messages_per_hour: 4210, messages_per_day: 12034 }, quotas: name === "newsletter" ? { messages_per_hour: 5000, messages_per_day: 40000 } : {},
});

const rsa = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + "q7Wz0n3xT5Jb9cYtV2hKpLrMdEgAfUsXoQiNwZuCvBx1".repeat(8) + "QIDAQAB";
const key = (domain, selector, type, active = true) => {
  const record_name = `${selector}._domainkey.${domain}`;
  const value = type === "rsa" ? `v=DKIM1; k=rsa; p=${rsa}` : "v=DKIM1; k=ed25519; p=0bF5GrtEmtgVUVjhQ0N0qQGqvj8Lk7mXq2u0r8kR1hU=";
  return { domain, selector, type, active, judged: true, created: iso(now - 40 * day), record_name, value, bind: "", strings: "" };
};
const pair = (domain, selector) => [key(domain, `${selector}-rsa`, "rsa"), key(domain, `${selector}-ed`, "ed25519")];
const domains = [
  { name: "shop.example", requires_signing: true, keys: pair("shop.example", "s202609"), created: iso(now - 60 * day) },
  { name: "eventi.example", requires_signing: false, keys: [key("eventi.example", "s202611", "rsa", false)], created: iso(now - 2 * day) },
  { name: "senza-chiavi.example", requires_signing: false, keys: [], created: iso(now - day) },
];
const domain = (name) => domains.find((one) => one.name === name) ?? { name, requires_signing: false, keys: [], created: iso(now) };

const setting = (section, title, name, value, instead, help, needs_restart = false) => ({
  section, title, name, value, default: instead, type: "text", bounds: "", changed: value !== instead, needs_restart, help,
});
const settings = [
  setting(null, null, "hostname", "relay.shop.example", "", "our name in greetings, EHLO and reports; default the system's"),
  setting(null, null, "data_dir", "/var/lib/staffetta", "/var/lib/staffetta", "databases, history and the signer's keys", true),
  setting("tls", "default", "certificate", "/etc/letsencrypt/live/relay.shop.example/fullchain.pem", "", "PEM file: the certificate, then its chain"),
  setting("listen", "submission", "address", "0.0.0.0:587 [::]:587", "", "ADDRESS:PORT, IPv6 in brackets; port 0 picks a free one"),
  setting("listen", "submission", "tls", "starttls", "starttls", "RFC 3207, RFC 8314 or no TLS"),
  setting("listen", "submission", "auth", "required", "required", "required: only known users and networks send"),
  setting("listen", "submissions", "address", "0.0.0.0:465", "", "ADDRESS:PORT, IPv6 in brackets; port 0 picks a free one"),
  setting("listen", "submissions", "tls", "implicit", "starttls", "RFC 3207, RFC 8314 or no TLS"),
  setting("listen", "submissions", "auth", "required", "required", "required: only known users and networks send"),
  setting("delivery", null, "retry", "5m 15m 30m 1h 2h 4h", "5m 15m 30m 1h 2h 4h", "waits between attempts, the last repeated"),
  setting("delivery", null, "expire", "3d", "5d", "then the sender gets a report, RFC 5321 4.5.4.1"),
];

const admin = (name, role, more = {}) => ({ name, role, enabled: true, second_factor: false, created: iso(now - 90 * day), last_login: iso(now - 36e5), ...more });
const admins = [admin("anna", "owner", { second_factor: true }), admin("luca", "operator"), admin("ufficio", "viewer", { enabled: false, last_login: null })];
const token = (id, name, scopes, more = {}) => ({ id, name, scopes, created: iso(now - 9 * day), by: "anna", expires: iso(now + 80 * day), networks: [], last_used: iso(now - 6e4), ...more });
const tokens = [token(1, "zabbix", ["stats:read", "service:read"], { networks: ["192.0.2.9/32"] }), token(2, "gestionale", ["users:read", "users:write"], { expires: null, last_used: null })];
const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
const sessions = [
  { id: 1, user: "anna", kind: "admin", from: "192.0.2.50", agent, created: iso(now - 36e5), last_seen: iso(now - 1e4), current: true },
  { id: 2, user: "newsletter", kind: "user", from: "2001:db8::7", agent: hostile[1], created: iso(now - day), last_seen: iso(now - 5e6), current: false },
];
const change = (id, action, object, before, after) => ({ id, at: iso(now - id * 5e6), who: id % 3 ? "anna" : "luca", from: "192.0.2.50", action, object, before, after });
const audit = Array.from({ length: 40 }, (_, i) => [
  change(i + 1, "users:options", "newsletter", { messages_per_hour: 2000 }, { messages_per_hour: 5000 }),
  change(i + 1, "domains:add", "eventi.example", null, { requires_signing: false }),
  change(i + 1, "users:disable", hostile[1], { enabled: true }, { enabled: false }),
  change(i + 1, "session:login", "", null, null),
][i % 4]);

const delivery = (i) => ({
  at: iso(now - i * 3e5), id: `A0Z${i}QX`, n: 0, user: "newsletter", sender: "news@shop.example", recipient: i % 9 ? `cliente${i}@libero.it` : hostile[0], site: "libero.it",
  mx: "mx.libero.it", egress: null, state: ["delivered", "delivered", "deferred", "bounced"][i % 4], code: [250, 250, 451, 550][i % 4], enhanced: "2.0.0",
  reply: ["2.0.0 OK", "2.6.0 Queued", "4.7.1 Greylisting in action", hostile[1]][i % 4], class: "", seconds: 2, attempts: 1, campaign: "",
});

const egress = (name, address, more) => ({ egress: name, address, hostname: `${name}.shop.example`, weight: 1, ...more });
const warm_ups = [
  egress("uno", "192.0.2.10", { provider: "Google", state: "warming", day: 4, days: 14, limit: 800, used: 512, taken: 500, put_off: 12, deferral_share: 0.023, since: iso(now - 4 * day), until: iso(now + day / 3) }),
  egress("uno", "192.0.2.10", { provider: "Microsoft", state: "used_up", day: 2, days: 14, limit: 200, used: 200, taken: 120, put_off: 80, deferral_share: 0.4, since: iso(now - 2 * day), until: iso(now + day / 3) }),
  egress("due", "192.0.2.11", { state: "warm" }),
];

export const more_routes = {
  "GET /egress": () => list(warm_ups),
  "POST /setup": ({ body }) => ({ user: body.user, kind: "admin", role: "owner", language: body.language, theme: "", confirmed_until: null, second_factor: false }),
  "GET /version": () => ({ name: "staffetta", version: "0.1.0" }),
  "GET /health": () => ({ status_word: "ready", ready: true, signer: true, queue: true, disk_full: false, listeners: 3, started: iso(now - 3 * day), notes: [] }),
  "GET /config": () => always(settings),
  "GET /users": () => list(users),
  "POST /users": ({ body }) => ({ status: 201, ...user(body.name, { senders: body.senders }), password: "tavola-fiume-quercia-47-vento" }),
  "GET /users/{}": ({ name }) => find(name),
  "POST /users/{}:password": ({ name }) => ({ ...find(name), password: "monte-sale-lampada-92-rosso" }),
  "POST /users/{}:enable": () => undefined, "POST /users/{}:disable": () => undefined, "POST /users/{}:options": () => undefined,
  "DELETE /users/{}": () => undefined,
  "GET /networks": () => list([{ network: "192.0.2.16/28", user: "shop" }, { network: "2001:db8:1::/64", user: "newsletter" }]),
  "POST /networks": ({ body }) => ({ status: 201, ...body }), "DELETE /networks/{}": () => undefined,
  "GET /domains": () => list(domains),
  "POST /domains": ({ body }) => ({ status: 201, ...domain(body.name) }),
  "GET /domains/{}": ({ name }) => (empty ? { ...domain(name), keys: [] } : domain(name)),
  "POST /domains/{}:check": ({ name }) => ({ ok: false, next_cursor: null, items: domain(name).keys.map((one, i) => ({
    selector: one.selector, type: one.type, record_name: one.record_name, finding: ["ok", "differs", "missing"][i % 3], ok: i === 0, found: i === 1 ? [`"${one.value.slice(0, 40)}" "${one.value.slice(40)}"`] : [], why: i ? "the key differs" : "" })) }),
  "POST /domains/{}:options": () => undefined, "DELETE /domains/{}": () => undefined,
  "POST /dkim": ({ body }) => ({ status: 201, ...always(pair(body.domain, body.selector)) }),
  "GET /admins": () => always(empty ? admins.slice(0, 1) : admins), "POST /admins": ({ body }) => ({ status: 201, ...admin(body.name, body.role) }),
  "POST /admins/{}:role": ({ name, body }) => admin(name, body.role), "POST /admins/{}:password": () => undefined,
  "POST /admins/{}:enable": () => undefined, "POST /admins/{}:disable": () => undefined, "DELETE /admins/{}": () => undefined,
  "GET /tokens": () => list(tokens), "POST /tokens": ({ body }) => ({ status: 201, ...token(9, body.name, body.scopes), secret: "stf_9fJ2kQmW7rTz0LxVbNcY5hAeUo3PiSdG" }),
  "DELETE /tokens/{}": () => undefined,
  "GET /sessions": () => always(empty ? sessions.slice(0, 1) : sessions), "DELETE /sessions/{}": () => undefined,
  "GET /audit": () => list(audit),
  "GET /me": () => ({ user: "newsletter", senders: ["shop.example", "news@eventi.example"], limits: empty ? {} : { messages_per_hour: 5000, messages_per_day: 40000 },
    used: { messages_per_hour: 4210, messages_per_day: 40000 }, held: empty ? 0 : 124, language: "it", domains: ["shop.example"] }),
  "GET /me/queue": () => list([{ id: "A0ZQX1", sender: "news@shop.example", arrived: iso(now - 9e5), n_recipients: 3, recipients: [{ n: 1, address: "anna@libero.it", state: "held", attempts: 0, next: null, reply: "" }] }]),
  "GET /me/deliveries": () => list(Array.from({ length: 60 }, (_, i) => delivery(i))),
  "GET /me/setup-card": () => ({ user: "newsletter", host: "relay.shop.example", ports: empty ? [] : [{ port: 587, tls: "starttls" }, { port: 465, tls: "implicit" }] }),
  "GET /me/dns": () => list(domains.slice(0, 2)),
  "POST /me/password": () => undefined,
  "POST /me/totp:begin": () => ({ secret: "JBSWY3DPEHPK3PXP", url: "otpauth://totp/Staffetta:anna?secret=JBSWY3DPEHPK3PXP&issuer=Staffetta" }),
  "POST /me/totp:enable": () => ({ recovery_codes: ["9f2k-7qmw", "3tz0-lxvb", "ncy5-haeu"] }), "POST /me/totp:disable": () => undefined,
  "GET /me/app-passwords": () => list([{ id: 1, label: "WordPress", created: iso(now - day), last_used: iso(now - 6e4) }]),
  "POST /me/app-passwords": ({ body }) => ({ status: 201, id: 2, label: body.label, created: iso(now), last_used: null, password: "neve-ponte-chiave-18-luna" }),
  "DELETE /me/app-passwords/{}": () => undefined,
};
