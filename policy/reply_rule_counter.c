#include "policy/reply_rule_counter.h"

#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 8, /* counters that share a place in the table */
    MOST_DOUBLINGS = 3,
    SLOW_GAP_MS = 5000, /* replies that come together were sent together */
    NOTIFY_GAP_MS = 60 * 1000,
    GRACE_MS = 60 * 1000,  /* what comes so soon was on its way when something was done */
    ONCE_MS = 3600 * 1000, /* how long a site's word counts where one is enough */
};

/* Found, or made of the least recently used of its place; NULL without memory. */
struct rule_counter *rule_counter_at(struct rule_counter **table, size_t n, uint64_t key,
                                     int64_t now_ms)
{
    struct rule_counter *set, *oldest;

    if (!*table)
        *table = calloc(n, sizeof(**table));
    if (!*table)
        return NULL;
    set = oldest = &(*table)[(key >> 1) % (n / WAYS) * WAYS]; /* all keys are odd */
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            set[i].last_ms = now_ms;
            return &set[i];
        }
        if (set[i].key == 0 || (oldest->key != 0 && set[i].last_ms < oldest->last_ms))
            oldest = &set[i];
    }
    *oldest = (struct rule_counter){.key = key, .last_ms = now_ms};
    return oldest;
}

/* The slices that the window has left behind are emptied; all of them when a reload made the window
 * another, for slices are numbered by their length. */
static void turn_to(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms)
{
    int64_t slice = now_ms / (step->window_ms / RULE_COUNTER_SLICES);

    if (slice < counter->slice || slice - counter->slice >= RULE_COUNTER_SLICES) {
        memset(counter->hits, 0, sizeof(counter->hits));
        memset(counter->attempts, 0, sizeof(counter->attempts));
        counter->slice = slice;
    }
    while (counter->slice < slice) {
        counter->slice++;
        counter->hits[counter->slice % RULE_COUNTER_SLICES] = 0;
        counter->attempts[counter->slice % RULE_COUNTER_SLICES] = 0;
    }
}

static void add(uint16_t *count, uint32_t n)
{
    *count = (uint16_t)(n < (uint32_t)UINT16_MAX - *count ? *count + n : UINT16_MAX);
}

static uint32_t sum(const uint16_t counts[RULE_COUNTER_SLICES])
{
    uint32_t n = 0;

    for (int i = 0; i < RULE_COUNTER_SLICES; i++)
        n += counts[i];
    return n;
}

static bool is_reached(const struct rule_counter *counter, const struct rule_step *step)
{
    uint32_t n_hits = sum(counter->hits), n_attempts = sum(counter->attempts);

    if (step->percent == 0)
        return n_hits >= step->n;
    return n_attempts >= step->n && (uint64_t)n_hits * 100 >= (uint64_t)n_attempts * step->percent;
}

static int64_t least_gap_ms(enum rule_verb verb)
{
    return verb == RULE_NOTIFY ? NOTIFY_GAP_MS : SLOW_GAP_MS;
}

/* Later than that it is no longer in force (an operator resumed), or was not enough. */
bool rule_counter_is_fresh(const struct rule_counter *counter, int64_t now_ms)
{
    return now_ms < counter->done_until_ms && now_ms < counter->done_ms + GRACE_MS;
}

static bool is_said_again(const struct rule_counter *counter, const struct rule_step *step,
                          int64_t now_ms)
{
    return step->for_ms && counter->done_until_ms && now_ms >= counter->done_until_ms &&
           now_ms < counter->done_until_ms + (step->for_ms << counter->n_doublings);
}

/* As long as before while it should hold, twice as long soon after, and then from the beginning. */
static int64_t duration(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms,
                        bool is_again)
{
    if (is_again && counter->n_doublings < MOST_DOUBLINGS)
        counter->n_doublings++;
    else if (!is_again && now_ms >= counter->done_until_ms)
        counter->n_doublings = 0;
    return step->for_ms << counter->n_doublings;
}

static void note_done(struct rule_counter *counter, int64_t now_ms, int64_t for_ms)
{
    counter->done_ms = now_ms;
    if (counter->done_until_ms < now_ms + for_ms)
        counter->done_until_ms = now_ms + for_ms;
    memset(counter->hits, 0, sizeof(counter->hits));
    memset(counter->attempts, 0, sizeof(counter->attempts));
}

void rule_counter_restore(struct rule_counter *counter, const struct rule_step *step,
                          int64_t until_ms, int64_t lasts_ms)
{
    counter->done_ms = until_ms - lasts_ms;
    counter->done_until_ms = until_ms;
    counter->n_doublings = 0;
    while (counter->n_doublings < MOST_DOUBLINGS &&
           step->for_ms << (counter->n_doublings + 1) <= lasts_ms)
        counter->n_doublings++;
}

void rule_counter_hit(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms)
{
    turn_to(counter, step, now_ms);
    add(&counter->hits[counter->slice % RULE_COUNTER_SLICES], 1);
    add(&counter->attempts[counter->slice % RULE_COUNTER_SLICES], 1);
}

/* Counts the reply; true: the step's action is due, for *for_ms. */
bool rule_counter_count(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms,
                        int64_t *for_ms)
{
    bool is_again = is_said_again(counter, step, now_ms);

    if (rule_counter_is_fresh(counter, now_ms) && !rule_step_is_each_for_itself(step))
        return false;
    if (step->window_ms) {
        rule_counter_hit(counter, step, now_ms);
        if (!is_again && !is_reached(counter, step))
            return false;
    }
    if (rule_step_is_each_for_itself(step))
        return true;
    *for_ms = duration(counter, step, now_ms, is_again);
    note_done(counter, now_ms, *for_ms ? *for_ms : least_gap_ms(step->verb));
    return true;
}

void rule_counter_note_site(struct rule_counter *counter, uint64_t site, int64_t now_ms)
{
    if (counter->site && counter->site != site)
        counter->other_site_ms = counter->site_ms;
    counter->site = site;
    counter->site_ms = now_ms;
}

/* Lately; said again after its end it needs no second one. */
bool rule_counter_has_two_sites(const struct rule_counter *counter, const struct rule_step *step,
                                int64_t now_ms)
{
    int64_t lately_ms = step->window_ms ? step->window_ms : ONCE_MS;

    return (counter->other_site_ms && now_ms - counter->other_site_ms < lately_ms) ||
           is_said_again(counter, step, now_ms);
}

void rule_counter_attempts(struct rule_counter *counter, const struct rule_step *step, uint32_t n,
                           int64_t now_ms)
{
    if (!counter)
        return;
    turn_to(counter, step, now_ms);
    add(&counter->attempts[counter->slice % RULE_COUNTER_SLICES], n);
}
