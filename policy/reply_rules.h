/* What is to be done when a receiver says certain things, from policy/reply_rules.conf or the
 * operator's copy.  The first rule that fits a reply decides, so special ones stand before general
 * ones; its steps are looked at one by one, and each that triggers is an action.
 *
 *     rule NAME
 *         provider  google microsoft-365     or * for all, those nobody knows included
 *         ...                                reply_condition.h
 *         when      TRIGGER do ACTION on SCOPE [for TIME]        up to four
 *         reason    why, for people
 *
 *     TRIGGER  at once | N in TIME | N% of M in TIME   (M attempts at least)
 *     ACTION   suspend | limit LIMIT... | slow | probe | other_address | bounce | hold | notify
 *     LIMIT    N/s N/m N/h N/d | connections=N | connection_messages=N
 *     SCOPE    lane lane_provider site provider from_domain campaign user recipient
 *
 * Immutable once read.  Thread: any. */
#pragma once

#include "policy/provider_table.h"
#include "policy/reply_condition.h"

enum rule_verb {
    RULE_SUSPEND,
    RULE_LIMIT,
    RULE_SLOW,          /* half the pace; success restores it */
    RULE_PROBE,         /* one transaction at a time, until one goes well */
    RULE_OTHER_ADDRESS, /* ours rests there, and this mail tries another at once */
    RULE_BOUNCE,        /* what was put off fails for good */
    RULE_HOLD,          /* for its time; a recipient: until an operator releases it */
    RULE_NOTIFY,        /* only said */
    N_RULE_VERBS
};

/* A lane is one of our addresses towards one site (or towards all sites of a provider).  From
 * from_domain on: at this provider (or site), through any of our addresses. */
enum rule_scope {
    RULE_ON_LANE,
    RULE_ON_LANE_PROVIDER,
    RULE_ON_SITE,
    RULE_ON_PROVIDER,
    RULE_ON_FROM_DOMAIN,
    RULE_ON_CAMPAIGN,
    RULE_ON_USER,
    RULE_ON_RECIPIENT,
    N_RULE_SCOPES
};

struct rule_limits { /* 0: not limited */
    uint32_t messages_per_second, messages_per_minute, messages_per_hour, messages_per_day;
    uint32_t connections, connection_messages;
};

struct rule_step {
    uint32_t n;        /* replies; with percent: attempts at least; 0: at once */
    uint32_t percent;  /* of the attempts; 0: a count */
    int64_t window_ms; /* 0: at once */
    enum rule_verb verb;
    enum rule_scope scope;
    int64_t for_ms; /* 0: no end of its own */
    struct rule_limits limits;
};

enum { RULE_MOST = 500, RULE_STEPS = 4, RULE_NAME_MOST = 60 };

struct reply_rule {
    struct slice name; /* [a-z0-9-]+ */
    uint64_t hash;
    struct slice reason;
    struct reply_condition condition;
    struct rule_step steps[RULE_STEPS];
    size_t n_steps;
    bool is_for_all, has_ratio;
    uint64_t providers[(PROVIDER_MOST + 63) / 64]; /* bits by provider_entry.index */
    unsigned line;
};

struct reply_rules {
    struct reply_rule *rules;
    size_t n_rules;
    size_t n_left_out; /* built in, for providers that the table does not have */
    bool has_ratio;
};

const char *rule_verb_name(enum rule_verb verb);
const char *rule_scope_name(enum rule_scope scope);
bool rule_verb_parse(struct slice name, enum rule_verb *out);
bool rule_scope_parse(struct slice name, enum rule_scope *out);

/* A built-in file before an operator's table leaves out what is not in that.
 * As provider_table_read(); checks the rules against their samples and each other.  What was read
 * before an error is freed. */
MUST_USE int reply_rules_read(struct reply_rules *out, const struct data_file *file,
                              const struct provider_table *table, bool is_built_in,
                              struct arena *arena, struct buffer *problem);
void reply_rules_fini(struct reply_rules *rules); /* patterns; the rest is the arena's */

bool reply_rule_is_for(const struct reply_rule *rule, const struct provider_entry *provider);

/* The rule that decides; NULL: none has anything to say. */
const struct reply_rule *reply_rules_find(const struct reply_rules *rules,
                                          const struct provider_entry *provider,
                                          const struct reply_facts *facts);
