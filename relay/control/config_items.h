/* Every setting, one row each.  A row makes the field of its section's struct, the check of its
 * value, the line of `config show --explain`, the manual page and the panel's form.
 *
 *   X(TYPE, name, default, bounds, when, help)
 *
 * TYPE      TEXT, SECRET (never shown), LIST (one value or several in braces), BOOL, CHOICE,
 *           NUMBER, SIZE (bytes; KB, MB, GB are powers of 1,000 as in EHLO SIZE) and
 *           SPAN (N or N followed by s, m, h or d; kept in milliseconds), SPANS (a list of them)
 * bounds    "least..most" in the row's own units, "one|other" of a CHOICE, or the name of a form
 *           (forms.c) that texts must have
 * when      LIVE: a reload is enough; RESTART: said by the reload, valid from the next start */
#pragma once

#define SETTINGS_TOP(X)                                                                            \
    X(TEXT, hostname, "", "host", LIVE,                                                            \
      "our name in greetings, EHLO and reports; default the system's")                             \
    X(TEXT, data_dir, "/var/lib/staffetta", "folder", RESTART,                                     \
      "databases, history and the signer's keys")                                                  \
    X(TEXT, spool_dir, "/var/spool/staffetta", "folder", RESTART,                                  \
      "the queue: message bytes and rows")                                                         \
    X(TEXT, run_dir, "/run/staffetta", "socket folder", RESTART,                                   \
      "the control socket and the set-up code")                                                    \
    X(TEXT, user, "staffetta", "", RESTART, "who the relay runs as when started as root")          \
    X(TEXT, postmaster, "", "mailbox", LIVE,                                                       \
      "who gets letters about what receivers say (rules that notify); default "                    \
      "postmaster@HOSTNAME")                                                                       \
    X(TEXT, timezone, "", "time zone", RESTART, "ends quota days and months; default the system's")

#define SETTINGS_TLS(X)                                                                            \
    X(TEXT, certificate, "", "", LIVE, "PEM file: the certificate, then its chain")                \
    X(TEXT, key, "", "", LIVE, "PEM file: the private key")

#define SETTINGS_LISTEN(X)                                                                         \
    X(LIST, address, "", "socket", LIVE,                                                           \
      "ADDRESS:PORT, IPv6 in brackets; port 0 picks a free one")                                   \
    X(CHOICE, tls, "starttls", "starttls|implicit|none", LIVE, "RFC 3207, RFC 8314 or no TLS")     \
    X(CHOICE, auth, "required", "required|none", LIVE,                                             \
      "required: only known users and networks send; none: takes bounces only")                    \
    X(BOOL, plain_auth, "false", "", LIVE, "AUTH without TLS: passwords cross the net in clear")   \
    X(BOOL, repair_newlines, "false", "", LIVE, "turn bare CR and LF into CRLF for old programs")

#define SETTINGS_PANEL(X)                                                                          \
    X(TEXT, address, "", "socket", RESTART, "ADDRESS:PORT of the panel; none: only the socket")    \
    X(CHOICE, tls, "auto", "auto|always|none", RESTART,                                            \
      "HTTPS by our own certificate; auto: but on loopback; none: only loopback may")              \
    X(TEXT, preseed, "", "", RESTART,                                                              \
      "JSON file with user and argon2id hash of the first administrator; none: a code of the log")

#define SETTINGS_RESOLVER(X)                                                                       \
    X(LIST, forward, "", "server", RESTART,                                                        \
      "name servers to ask, ADDRESS:PORT; default the system's")                                   \
    X(BOOL, recursion, "false", "", RESTART, "ask the root servers ourselves, no forwarder")       \
    X(TEXT, trust_anchor, "", "", RESTART, "DNSSEC root key file; without one nothing is validated")

#define SETTINGS_DELIVERY(X)                                                                       \
    X(NUMBER, port, "25", "1..65535", LIVE, "port of MX hosts and of a `via` without one")         \
    X(LIST, bind, "", "address", LIVE,                                                             \
      "our addresses to send from, one of each family; else see `egress`")                         \
    X(CHOICE, ipv6, "checked", "checked|always|never", LIVE,                                       \
      "use AAAA of mail hosts when `bind` has a v6 address; checked: while its PTR is confirmed")  \
    X(CHOICE, tls, "may", "never|may|verify", LIVE,                                                \
      "STARTTLS towards MX hosts; verify: or not at all")                                          \
    X(SPANS, retry, "5m 15m 30m 1h 2h 4h", "1s..7d", LIVE,                                         \
      "waits between attempts, the last repeated")                                                 \
    X(SPAN, expire, "5d", "1s..30d", LIVE, "then the sender gets a report, RFC 5321 4.5.4.1")      \
    X(SPAN, delay_report, "4h", "1s..30d", LIVE,                                                   \
      "a report of delay after this long, RFC 3461 4.1")                                           \
    X(SPAN, digest, "1h", "1s..7d", LIVE,                                                          \
      "failures of users with bounces = digest: one report this long after the first")             \
    X(CHOICE, doubtful, "retry", "retry|wait|ask", LIVE,                                           \
      "after a lost answer to the final dot: retry (a second copy may arrive), wait, or hold and " \
      "ask")                                                                                       \
    X(SPAN, doubtful_wait, "6h", "1s..7d", LIVE, "how long doubtful = wait waits")                 \
    X(LIST, allow_mx, "", "network", LIVE, "private networks an MX may lie in, CIDR")              \
    X(NUMBER, connections, "2000", "1..20000", LIVE, "most outgoing connections at once")          \
    X(NUMBER, site_connections, "10", "1..1000", LIVE, "most connections to one site")             \
    X(NUMBER, site_connections_per_minute, "100", "1..100000", LIVE,                               \
      "new connections to one site")                                                               \
    X(NUMBER, connection_messages, "100", "1..100000", LIVE,                                       \
      "messages before a connection is closed")                                                    \
    X(NUMBER, transaction_recipients, "100", "1..1000", LIVE,                                      \
      "RFC 5321 4.5.3.1.8: at least 100 are taken")

#define SETTINGS_ROUTE(X)                                                                          \
    X(TEXT, via, "", "next hop", LIVE, "fixed next hop, ADDRESS or HOST with or without :PORT")    \
    X(CHOICE, tls, "may", "never|may|verify|implicit", LIVE, "TLS towards the next hop")           \
    X(TEXT, user, "", "", LIVE, "AUTH towards a smart host")                                       \
    X(SECRET, password, "", "", LIVE, "its password")                                              \
    X(NUMBER, connections, "20", "1..1000", LIVE, "most connections to the next hop")              \
    X(NUMBER, messages_per_second, "0", "0..100000", LIVE, "pace; 0: none")

#define SETTINGS_DESTINATION(X)                                                                    \
    X(CHOICE, doubtful, "default", "default|retry|wait|ask", LIVE,                                 \
      "for this domain; default: as `delivery` says")

#define SETTINGS_EGRESS(X)                                                                         \
    X(LIST, address, "", "address", LIVE, "of ours to send from: one IPv4, and one IPv6 if any")   \
    X(TEXT, hostname, "", "host", LIVE, "its name in EHLO, as its PTR has it; default `hostname`") \
    X(NUMBER, weight, "1", "1..1000", LIVE, "its part of a pool's mail, against the others'")      \
    X(TEXT, warm_up, "no", "curve", LIVE,                                                          \
      "yes, or messages a day to a provider, rising: \"50, 100\"")

#define SETTINGS_POOL(X)                                                                           \
    X(LIST, egress, "", "", LIVE, "names of the `egress` sections it sends from")                  \
    X(LIST, user, "", "", LIVE, "mail of these users; pool \"default\" takes what no other does")  \
    X(LIST, domain, "", "host", LIVE, "else mail of envelope senders in these domains")            \
    X(CHOICE, class, "none", "none|transactional|bulk", LIVE, "else mail of this class")

#define SETTINGS_LIMITS(X)                                                                         \
    X(SIZE, message_size, "50MB", "64KB..1GB", LIVE, "largest message, told in EHLO SIZE")         \
    X(NUMBER, recipients, "1000", "100..100000", LIVE,                                             \
      "most of one transaction, RFC 5321 4.5.3.1.8")                                               \
    X(NUMBER, connections, "10000", "1..100000", LIVE, "most sessions at once")                    \
    X(NUMBER, per_address, "200", "1..100000", LIVE,                                               \
      "most sessions of one address (IPv6: of a /64)")                                             \
    X(NUMBER, per_user, "1000", "1..100000", LIVE, "most sessions of one user")                    \
    X(SIZE, body_memory, "256MB", "1MB..64GB", LIVE, "memory for the messages being received")     \
    X(SPAN, idle, "5m", "1s..1h", LIVE, "a logged-in session may be silent this long")             \
    X(SPAN, idle_before_login, "1m", "1s..1h", LIVE, "and one that is not logged in")              \
    X(SPAN, data_idle, "5m", "1s..1h", LIVE, "silence within a message, RFC 5321 4.5.3.2")         \
    X(NUMBER, least_rate, "200", "0..1000000", LIVE,                                               \
      "bytes a second a message must come in at, over a minute")                                   \
    X(NUMBER, messages_per_minute, "0", "0..1000000000", LIVE,                                     \
      "a rate: beyond it the last reply comes up to 2 s later; 0: none")                           \
    X(NUMBER, recipients_per_minute, "0", "0..1000000000", LIVE, "as messages_per_minute")         \
    X(NUMBER, messages_per_hour, "0", "0..1000000000", LIVE,                                       \
      "a quota of each user: what is over it is held; 0: none")                                    \
    X(NUMBER, messages_per_day, "0", "0..1000000000", LIVE,                                        \
      "as messages_per_hour; `timezone` ends the day")                                             \
    X(NUMBER, messages_per_month, "0", "0..1000000000", LIVE,                                      \
      "as messages_per_hour; `timezone` ends the month")                                           \
    X(NUMBER, recipients_per_hour, "0", "0..1000000000", LIVE, "as messages_per_hour")             \
    X(NUMBER, recipients_per_day, "0", "0..1000000000", LIVE, "as messages_per_day")               \
    X(NUMBER, recipients_per_month, "0", "0..1000000000", LIVE, "as messages_per_month")           \
    X(NUMBER, transactional_per_hour, "0", "0..1000000000", LIVE,                                  \
      "recipients of a user that may go before bulk mail; 0: no limit")                            \
    X(BOOL, brake, "true", "", LIVE, "hold all mail of a user whose password may be stolen")

#define SETTINGS_LOG(X)                                                                            \
    X(CHOICE, format, "logfmt", "logfmt|json", LIVE, "of the lines on stderr")                     \
    X(CHOICE, level, "info", "debug|info|warning|error", LIVE, "the least important line shown")

#define SETTINGS_SPOOL(X)                                                                          \
    X(SIZE, segment_size, "64MB", "1MB..1GB", RESTART, "of one file of message bytes")             \
    X(SIZE, keep_free, "100MB", "0..1TB", LIVE, "452 before the disk has less room than this")

#define SETTINGS_DKIM(X)                                                                           \
    X(CHOICE, engine, "native", "native|opendkim", RESTART,                                        \
      "who signs; opendkim: RSA only, slower")                                                     \
    X(BOOL, expire, "false", "", RESTART,                                                          \
      "x=: queue life and two days, seven at most; not with `expire` over 5d")

#define SETTINGS_POLICY(X)                                                                         \
    X(TEXT, providers, "", "", LIVE,                                                               \
      "file of receiving providers and their limits, in place of the one built in")                \
    X(TEXT, reply_rules, "", "", LIVE,                                                             \
      "file of what to do when receivers say certain things, in place of the one built in")        \
    X(TEXT, bounce_classes, "", "", LIVE, "file of what replies mean, in place of the one built in")

#define SETTINGS_HISTORY(X)                                                                        \
    X(NUMBER, days, "21", "1..3650", RESTART,                                                      \
      "for so long each recipient's outcome can be looked up; counters stay for years")            \
    X(SIZE, max_bytes, "10GB", "10MB..100TB", RESTART,                                             \
      "beyond this the oldest days go first, whatever `days` says")

#define SETTINGS_SANDBOX(X)                                                                        \
    X(LIST, connect_ports, "", "port", RESTART,                                                    \
      "TCP ports we connect to, and those of DNS; default any")

/* X(name in the file, struct member, TITLED or ONCE, rows) */
#define SETTINGS_SECTIONS(X)                                                                       \
    X(tls, tls, TITLED, SETTINGS_TLS)                                                              \
    X(listen, listen, TITLED, SETTINGS_LISTEN)                                                     \
    X(panel, panel, ONCE, SETTINGS_PANEL)                                                          \
    X(resolver, resolver, ONCE, SETTINGS_RESOLVER)                                                 \
    X(delivery, delivery, ONCE, SETTINGS_DELIVERY)                                                 \
    X(route, route, TITLED, SETTINGS_ROUTE)                                                        \
    X(destination, destination, TITLED, SETTINGS_DESTINATION)                                      \
    X(egress, egress, TITLED, SETTINGS_EGRESS)                                                     \
    X(pool, pool, TITLED, SETTINGS_POOL)                                                           \
    X(limits, limits, ONCE, SETTINGS_LIMITS)                                                       \
    X(log, log, ONCE, SETTINGS_LOG)                                                                \
    X(spool, spool, ONCE, SETTINGS_SPOOL)                                                          \
    X(dkim, dkim, ONCE, SETTINGS_DKIM)                                                             \
    X(policy, policy, ONCE, SETTINGS_POLICY)                                                       \
    X(history, history, ONCE, SETTINGS_HISTORY)                                                    \
    X(sandbox, sandbox, ONCE, SETTINGS_SANDBOX)
