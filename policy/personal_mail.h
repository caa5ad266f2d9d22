/* Mail to personal mailboxes of Gmail, Yahoo and Microsoft, counted per sending domain (the
 * organizational one, its subdomains with it) and day of the service's zone: who sends 5,000 a day
 * falls under their rules for bulk senders (DMARC, one-click unsubscribe, a spam rate below 0.3 %).
 * Domains that pay for their mail at the same firms do not count.
 * Thread: personal_provider_of() any; the counts their owner's (policy thread); pure. */
#pragma once

#include "policy/key_table.h"
#include "policy/period.h"
#include "relay/base/slice.h"

enum personal_provider { PERSONAL_GMAIL, PERSONAL_YAHOO, PERSONAL_MICROSOFT, N_PERSONAL_PROVIDERS };
const char *personal_provider_name(enum personal_provider provider); /* "gmail", "yahoo", … */
bool personal_provider_parse(struct slice name, enum personal_provider *out);

/* Of a recipient's domain, any case; false: none of them. */
bool personal_provider_of(struct slice domain, enum personal_provider *out);

enum {
    PERSONAL_BULK = 5000, /* a day */
    PERSONAL_WARN_PERCENT = 80,
    PERSONAL_MOST_DOMAINS = 10000, /* counted; those that sent least today give way */
    PERSONAL_NAME_SIZE = 256,
};

/* One count; n goes up to what was stored before a crash, or a little less. */
struct personal_count {
    char domain[PERSONAL_NAME_SIZE];
    enum personal_provider provider;
    struct period day;
    uint32_t n;
    unsigned told; /* percent, of PERSONAL_BULK */
};

struct personal_book {
    struct key_table counts;
    uint32_t hand; /* where room was made last */
};

void personal_book_fini(struct personal_book *book);

/* Adds n; the percent (80 or 100) that is to be told now, or 0.  *out: the count as it is then,
 * until the next call; NULL without memory.  *is_noteworthy: worth storing. */
unsigned personal_book_add(struct personal_book *book, struct slice domain,
                           enum personal_provider provider, uint32_t n, int64_t utc_ms,
                           const struct personal_count **out, bool *is_noteworthy);

MUST_USE int personal_book_load(struct personal_book *book, const struct personal_count *count);

/* Those of today, for whoever shows or stores them. */
void personal_book_each(const struct personal_book *book, int64_t utc_ms,
                        void (*visit)(void *owner, const struct personal_count *count),
                        void *owner);
