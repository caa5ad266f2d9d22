/* A letter of ours to somebody who sends through us: a few paragraphs of plain text, from
 * mailer-daemon, answering nothing (RFC 3834).  No I/O.  Thread: any; pure. */
#pragma once

#include "relay/message/dsn.h"

struct notice {
    struct slice hostname;
    struct slice recipient; /* its To; checked by whoever stored it, escaped here all the same */
    struct slice notice_id; /* makes the Message-ID */
    int64_t now_utc_ms;
    const char *subject;
    const char *const *paragraphs; /* ended by NULL; lines are folded, foreign bytes escaped */
};

/* Appends the whole letter.  0 or -ENOMEM. */
MUST_USE int notice_write(const struct notice *notice, struct buffer *out, struct dsn_facts *facts);
