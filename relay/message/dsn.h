/* Delivery reports: multipart/report with a text for people, message/delivery-status for programs,
 * and the original's header or all of it.  RFC 3461, 3464, 6522, 3834; 6533 for UTF-8 addresses.
 * Nothing a peer or a client said can add a line or a field: every foreign byte goes through one
 * function that knows no control characters.
 * Thread: any; pure. */
#pragma once

#include "relay/base/buffer.h"

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };

struct dsn_recipient {
    struct slice address; /* final recipient, as we sent it */
    struct slice orcpt;   /* as received, "rfc822;xtext", or empty; decoded here */
    enum dsn_action action;
    struct slice status;         /* "5.1.1"; anything else becomes X.0.0 of the action */
    struct slice remote_mta;     /* host name, or empty: we never got to one */
    struct slice diagnostic;     /* the peer's reply "550 5.1.1 No such user", or empty */
    struct slice reason;         /* our own words when no peer spoke, or empty */
    int64_t last_attempt_utc_ms; /* 0: none */
    int64_t retry_until_utc_ms;  /* for DSN_DELAYED; 0: not said */
};

struct dsn {
    struct slice hostname;  /* Reporting-MTA, and mailer-daemon@hostname */
    struct slice sender;    /* whom the report goes to; never empty */
    struct slice queue_id;  /* of the original */
    struct slice report_id; /* of the report: unique, [A-Za-z0-9]; Message-ID and boundary */
    struct slice envid;     /* as received (xtext), or empty; decoded here */
    int64_t arrival_utc_ms;
    int64_t now_utc_ms;
    struct slice original; /* header block, or whole message; CRLF lines; may be empty */
    bool is_full;          /* original is the whole message (RET=FULL and not too big) */
    const struct dsn_recipient *recipients;
    unsigned n_recipients; /* at least 1 */
};

struct dsn_facts {
    bool has_eight_bit;        /* the report needs 8BITMIME (or mime_to_seven_bit()) */
    bool has_eight_bit_header; /* its own header has UTF-8 (the sender's address): SMTPUTF8 */
    size_t header_bytes;       /* its header block, the empty line included */
};

/* Appends the whole report.  0 or -ENOMEM. */
MUST_USE int dsn_write(const struct dsn *dsn, struct buffer *out, struct dsn_facts *facts);

/* Whether NOTIFY (RFC 3461 4.1) asks for a report of this action; notify as DSN_NOTIFY_ bits, 0
 * when the client gave none (then only failures and delays, as by default). */
enum { DSN_NOTIFY_NEVER = 1, DSN_NOTIFY_SUCCESS = 2, DSN_NOTIFY_FAILURE = 4, DSN_NOTIFY_DELAY = 8 };
bool dsn_is_wanted(uint8_t notify, enum dsn_action action);
