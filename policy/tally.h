/* Counts on their way to the policy thread: what loops see of users, domains and campaigns, added
 * up on each and told a few times a second, so that no message costs a message.
 * Thread: the loop's; tally_flush() posts to the policy thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/slice.h"

struct policy;
struct tally_note;

enum tally_kind {
    TALLY_ACCEPTED,  /* id: user; messages, recipients */
    TALLY_CONCLUDED, /* id: user; name: struct brake_conclusions; recipients delivered or failed,
                        bad mailboxes of them */
    TALLY_PERSONAL,  /* id: enum personal_provider; name: our domain; recipients delivered */
    TALLY_CAMPAIGN_ACCEPTED, /* id: user; name: campaign; messages, recipients */
    TALLY_CAMPAIGN_ENDED,    /* id: user; name: campaign; delivered, failed */
    /* id: enum bounce_class; recipients that failed, that were put off.  In the order of enum
     * bounce_by. */
    TALLY_BOUNCES_OF_USER,
    TALLY_BOUNCES_OF_PROVIDER,
    TALLY_BOUNCES_OF_CAMPAIGN, /* user_id: whose */
};

struct tally_row {
    enum tally_kind kind;
    uint32_t id, first, second, user_id;
    struct slice name;
};

struct tally {
    struct policy *policy; /* NULL: nobody counts */
    struct tally_note *note;
};

/* Adds to the row of the same kind, id and name; a full tally is told at once.  Without memory
 * nothing is counted. */
void tally_add(struct tally *tally, const struct tally_row *given);

/* Tells what was added since; call a few times a second. */
void tally_flush(struct tally *tally);
static inline bool tally_is_empty(const struct tally *tally)
{
    return !tally->note;
}

void tally_fini(struct tally *tally); /* what is left is dropped */
