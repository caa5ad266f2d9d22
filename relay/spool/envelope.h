/* The nouns of the queue: a message's envelope and its recipients, and how they are written into a
 * record.  The encoding is length-prefixed, never lines: nothing a client says can end a field
 * (Exim CVE-2020-28021, -28026).
 * Thread: values; any. */
#pragma once

#include <stdbool.h>

#include "relay/base/arena.h"
#include "relay/base/buffer.h"

enum message_class { CLASS_TRANSACTIONAL, CLASS_BULK };

enum message_flags {
    MESSAGE_8BIT_BODY = 1,      /* BODY=8BITMIME, or 8-bit octets were seen in the body */
    MESSAGE_8BIT_HEADER = 2,    /* raw UTF-8 in the header block: needs SMTPUTF8 (RFC 6532) */
    MESSAGE_SMTPUTF8 = 4,       /* MAIL said SMTPUTF8 */
    MESSAGE_MUST_SIGN = 8,      /* held rather than sent unsigned */
    MESSAGE_REPORT = 16,        /* made here: a bounce or other report; counted to no quota */
    MESSAGE_LONG_LINES = 32,    /* lines above 998 octets pass, and are noted */
    MESSAGE_RENDERED_EACH = 64, /* a token names the recipient: one recipient a transaction */
    MESSAGE_NOT_SIGNED = 128, /* no key signed for its From when it came: it waits for no signer */
    /* Five bits: MT-PRIORITY of RFC 6710, as its user may say it, and 10; 0: none was said. */
    MESSAGE_PRIORITY = 31 << 8,
};

static inline uint32_t message_priority_flags(int priority)
{
    return (uint32_t)(priority + 10) << 8;
}

/* False: none was said. */
static inline bool message_priority(uint32_t flags, int *out)
{
    *out = (int)((flags & MESSAGE_PRIORITY) >> 8) - 10;
    return *out >= -9 && *out <= 9;
}

enum message_ret { RET_DEFAULT, RET_FULL, RET_HEADERS }; /* RFC 3461 4.3 */

enum recipient_notify { /* RFC 3461 4.1; 0: not given */
                        NOTIFY_NEVER = 1,
                        NOTIFY_SUCCESS = 2,
                        NOTIFY_FAILURE = 4,
                        NOTIFY_DELAY = 8,
};

struct recipient {
    struct slice address; /* as given at RCPT, never rewritten */
    struct slice orcpt;   /* RFC 3461 4.2, still in xtext; empty: not given */
    uint8_t notify;       /* enum recipient_notify, or-ed */
};

/* Accepted and not sent yet.  Of the rows, not of the record: what is rebuilt is held no longer. */
struct message_hold {
    int64_t until_utc_ms; /* 0: until it is released */
    bool is_braked;       /* until its user is (policy/brake_book.h) */
    struct slice reason;
};

/* What a message is, apart from its bytes.  Slices look into whoever built or decoded it. */
struct envelope {
    uint64_t id; /* queue_id_new() */
    int64_t arrived_utc_ms;
    int64_t expires_utc_ms;
    uint32_t user_id;
    struct slice user;   /* name, for logs and filters */
    struct slice sender; /* reverse-path; empty: the null sender */
    uint32_t flags;      /* enum message_flags, or-ed */
    enum message_class class;
    enum message_ret ret;
    struct slice envid;       /* RFC 3461 4.4, still in xtext */
    struct slice campaign;    /* empty: none */
    struct slice client;      /* where it came from: address, HELO, login; for who may read it */
    struct slice from_domain; /* of the From header, in A-labels, lower case: chooses the keys */
    const struct message_hold *hold; /* NULL: not held; not encoded */
    uint32_t n_recipients;
    const struct recipient *recipients; /* recipient n of log and rows is recipients[n - 1] */
};

enum { ENVELOPE_MAX_RECIPIENTS = 100000, ENVELOPE_MAX_BYTES = 64 << 20 };

/* Appends the encoding; a failure shows in buffer_error(). */
void envelope_encode(struct buffer *out, const struct envelope *envelope);

/* The reverse; slices look into bytes, recipients live in the arena.
 * 0, -EBADMSG (not an envelope, or damaged) or -ENOMEM. */
MUST_USE int envelope_decode(struct envelope *out, struct slice bytes, struct arena *arena);
