/* What rules make of one reply after another: counts them by rule, step and scope, and says which
 * actions are due.  Memory is bounded: what was seen least recently makes room, apart for the
 * providers of the table, for lanes and sites, and for senders and recipients, so that many of
 * these cannot make us forget those.  What a rule does to a provider (or to an address of ours at
 * one) is done when two of its sites have said so within the window; until then it is counted for
 * each site, too, and done to the site (or our address there) alone.  A count looks at eighths of
 * its window, so it covers at most the window and at least 7/8 of it. What was done for a time and
 * is said again within that time after its end is done again at once, twice as long, up to eight
 * times. Pure: now_ms is monotonic.  Thread: the owner's, one engine per loop. */
#pragma once

#include "policy/reply_rules.h"

enum {
    RULE_PROVIDERS = 2048,
    RULE_PATHS = 2048,
    RULE_OTHERS = 8192,
    RULE_BLOCKS = 256,
    RULE_REASON_SIZE = 256
};

/* Whose mail it was, and where. */
struct reply_subject {
    const struct provider_entry *provider; /* NULL: nobody's we know */
    uint32_t egress;                       /* number of our address */
    uint64_t site;                         /* hash of its name */
    uint64_t from_domain;                  /* hash; 0: not known */
    uint32_t campaign;                     /* 0: none */
    uint32_t user, recipient;              /* recipient: hash of the address; 0: not one alone */
};

struct rule_action {
    const struct reply_rule *rule;
    const struct rule_step *step;
    int64_t for_ms;        /* 0: no end of its own */
    enum rule_scope scope; /* the step's, or a narrower one */
};

/* Mail of one From domain, campaign or user that waits (or is held) at one provider or site. */
struct rule_block {
    uint64_t key;
    int64_t since_ms, until_ms, probed_until_ms;
    enum rule_verb verb; /* RULE_SUSPEND or RULE_HOLD */
    char reason[RULE_REASON_SIZE];
};

struct reply_rule_engine {
    struct rule_counter *providers, *paths, *others; /* NULL until the first is needed */
    struct rule_block *blocks;
    size_t n_blocks;
};

void reply_rule_engine_init(struct reply_rule_engine *engine);
void reply_rule_engine_fini(struct reply_rule_engine *engine);

/* A reply that is no success: the actions that are due, and how many; blocks are kept here.
 * Without memory nothing is counted, and only what is due at once is said. */
size_t reply_rule_engine_hear(struct reply_rule_engine *engine, const struct reply_rules *rules,
                              const struct reply_subject *subject, const struct reply_facts *facts,
                              int64_t now_ms, struct rule_action out[RULE_STEPS]);

/* A block from before a restart holds again; its place is the subject's. */
struct rule_word;
void reply_rule_engine_restore(struct reply_rule_engine *engine,
                               const struct reply_subject *subject, const struct rule_word *word,
                               int64_t until_ms, int64_t now_ms);

/* What a rule did before a restart, until until_ms: said again soon after that it is done at once,
 * and twice as long.  A rule that is not there any more is forgotten. */
void reply_rule_engine_remember(struct reply_rule_engine *engine, const struct reply_rules *rules,
                                const struct reply_subject *subject, const struct rule_word *word,
                                int64_t until_ms, int64_t now_ms);

/* n attempts went well: ratios know of them, and a block that was being probed ends. */
void reply_rule_engine_went_well(struct reply_rule_engine *engine, const struct reply_rules *rules,
                                 const struct reply_subject *subject, uint32_t n, int64_t now_ms);

/* What keeps this mail back now; NULL: nothing.  When a block's time is over, one is let through a
 * minute until one goes well. */
const struct rule_block *reply_rule_engine_block(struct reply_rule_engine *engine,
                                                 const struct reply_subject *subject,
                                                 int64_t now_ms);
