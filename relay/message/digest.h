/* Digests: one report about the failures of many messages of one sender.  multipart/report with
 * counts and a table for people, message/delivery-status for programs (RFC 3464); which message
 * each recipient belongs to stands in extension fields of its own block (2.3.7), since the fields
 * of RFC 3464 2.2 are for one message.
 * Thread: any; pure. */
#pragma once

#include "relay/message/dsn.h"

struct digest_entry {
    struct dsn_recipient recipient; /* DSN_FAILED; last_attempt_utc_ms is when it failed */
    struct slice queue_id;          /* of its message */
    struct slice envid;             /* as received (xtext), or empty */
    struct slice message_id;        /* "<…>" of its header, or empty */
    struct slice subject;           /* as it stands in the header, or empty */
};

struct digest {
    struct slice hostname;
    struct slice sender; /* whom the report goes to; never empty */
    struct slice report_id;
    int64_t now_utc_ms;
    const struct digest_entry *entries; /* oldest first */
    unsigned n_entries;                 /* at least 1 */
};

/* Appends the whole report.  0 or -ENOMEM. */
MUST_USE int digest_write(const struct digest *digest, struct buffer *out, struct dsn_facts *facts);
