/* One counter of the engine (reply_rule_engine.h): how often a step's replies came within its
 * window, by eighths of it, what was done for that, and until when.  And a table of them. Pure:
 * now_ms is monotonic.  Thread: the engine's.  Inside policy/ only. */
#pragma once

#include "policy/reply_rules.h"

enum { RULE_COUNTER_SLICES = 8 }; /* of a window */

struct rule_counter {
    uint64_t key;          /* 0: free */
    uint64_t site;         /* that said it last, of a provider's */
    int64_t other_site_ms; /* when one said it that is not that; 0: none did */
    int64_t site_ms;       /* when the last did */
    int64_t last_ms, slice;
    int64_t done_ms, done_until_ms; /* what was done, and until when it holds */
    uint16_t hits[RULE_COUNTER_SLICES], attempts[RULE_COUNTER_SLICES];
    uint8_t n_doublings;
};

/* Found, or made of the least recently used of its place; NULL without memory.  *table: n of them,
 * made at the first need; key: odd. */
struct rule_counter *rule_counter_at(struct rule_counter **table, size_t n, uint64_t key,
                                     int64_t now_ms);

/* Each of them is its own matter: nothing is done for a time. */
static inline bool rule_step_is_each_for_itself(const struct rule_step *step)
{
    return step->scope == RULE_ON_RECIPIENT;
}

/* Something was done a moment ago, and what comes now was on its way.  Later than that it is no
 * longer in force (an operator resumed), or was not enough. */
bool rule_counter_is_fresh(const struct rule_counter *counter, int64_t now_ms);

/* Counts the reply, of a step with a window; attempts that went well or failed otherwise (NULL: not
 * counted). */
void rule_counter_hit(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms);
void rule_counter_attempts(struct rule_counter *counter, const struct rule_step *step, uint32_t n,
                           int64_t now_ms);

/* Counts the reply; true: the step's action is due, for *for_ms. */
bool rule_counter_count(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms,
                        int64_t *for_ms);

/* It was done before a restart: until then, for so long. */
void rule_counter_restore(struct rule_counter *counter, const struct rule_step *step,
                          int64_t until_ms, int64_t lasts_ms);

/* Which of a provider's sites said so; and whether two did lately.  What is said again after the
 * end of what was done needs no second one. */
void rule_counter_note_site(struct rule_counter *counter, uint64_t site, int64_t now_ms);
bool rule_counter_has_two_sites(const struct rule_counter *counter, const struct rule_step *step,
                                int64_t now_ms);
