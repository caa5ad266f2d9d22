/* libopendkim as the independent judge of our signatures: it sees messages and public halves only.
 * Used for the first signature of a new key, for a sample of live mail, and in tests; and what DNS
 * publishes is compared with the public half that we hold.  No DNS here: records are handed in.
 * Thread: any; a struct judge is read-only after judge_new().  It costs CPU (0.1-1 ms), so callers
 * use the worker pool. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

struct judge;

MUST_USE int judge_new(struct judge **out);    /* 0 or -ENOMEM */
struct judge *judge_free(struct judge *judge); /* accepts NULL, returns NULL */

/* What DNS would answer for selector._domainkey.domain. */
struct judge_record {
    struct slice domain, selector;
    struct slice text; /* the TXT strings joined */
};

enum judge_result { JUDGE_PASS, JUDGE_FAIL, JUDGE_UNSIGNED, JUDGE_ERROR };
enum { JUDGE_REASON_SIZE = 200 };

struct judge_verdict {
    enum judge_result result; /* PASS: at least one signature, and all of them good */
    unsigned n_signatures, n_good;
    char reason[JUDGE_REASON_SIZE]; /* of the first that is not good; empty with PASS */
};

/* The message is the concatenation of parts (CRLF lines). */
void judge_message(const struct judge *judge, const struct slice *parts, size_t n_parts,
                   const struct judge_record *records, size_t n_records, struct judge_verdict *out);

/* type: "rsa" or "ed25519"; public_half: base64 of p=.  True when published verifies what our key
 * signs; otherwise reason says what differs, and where. */
bool judge_compare_record(struct slice published, const char *type, struct slice public_half,
                          char reason[JUDGE_REASON_SIZE]);
