/* How many recipients failed or were put off, by bounce class: per user and per provider (letter
 * case ignored), since the start; per campaign campaign_book.h has it.  At most 10,000 names of
 * each kind; the least recently counted one is folded into `other`.  Pure.  Thread: the policy
 * thread. */
#pragma once

#include "policy/bounce_class.h"
#include "relay/base/list.h"
#include "relay/base/slice.h"

#include <stdint.h>

enum bounce_by { BOUNCES_BY_USER, BOUNCES_BY_PROVIDER, BOUNCES_BY_CAMPAIGN, N_BOUNCE_BY };
enum { BOUNCE_NAMES = 10000, BOUNCE_BUCKETS = 4096, N_BOUNCE_COUNTED = BOUNCES_BY_CAMPAIGN };

struct bounce_figures {
    uint64_t failed[N_BOUNCE_CLASSES], deferred[N_BOUNCE_CLASSES];
};

struct bounce_row {
    struct list age, bucket;
    struct bounce_figures figures;
    uint32_t n_name;
    char name[];
};

struct bounce_counts {
    struct {
        struct list ages; /* the least recently counted first */
        struct list *buckets;
        uint32_t n_rows;
        struct bounce_figures other;
        uint64_t n_folded; /* names in it */
    } by[N_BOUNCE_COUNTED];
};

const char *bounce_by_name(enum bounce_by by); /* "user", "provider", "campaign" */

void bounce_counts_init(struct bounce_counts *counts);
void bounce_counts_fini(struct bounce_counts *counts);

/* Without memory for the name it counts for `other`. */
void bounce_counts_add(struct bounce_counts *counts, enum bounce_by by, struct slice name,
                       enum bounce_class bounce_class, uint32_t n_failed, uint32_t n_deferred);

/* NULL: not counted, or folded. */
const struct bounce_figures *bounce_counts_find(const struct bounce_counts *counts,
                                                enum bounce_by by, struct slice name);
