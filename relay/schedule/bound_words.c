/* What rules, operators, settings and the receivers' replies do to a bound. */
#include <stdlib.h>
#include <string.h>

#include "relay/schedule/places.h"

enum {
    SPAN_S = 10, /* as count_lately() counts */
    WINDOW_MOST = 1 << 20,
};

static struct bound_words *words_of(struct bound *bound)
{
    if (!bound->words) {
        bound->words = calloc(1, sizeof(*bound->words));
        if (bound->words)
            bound->words->base = bound->limits;
    }
    return bound->words;
}

static void forget(struct bound_word *word)
{
    free(word->reason);
    *word = (struct bound_word){0};
}

static void say(struct bound_word *word, const char *reason, int64_t until_ms, int64_t now_ms)
{
    char *copy = reason ? strdup(reason) : NULL;

    free(word->reason);
    word->reason = copy;
    if (word->until_ms <= now_ms)
        word->since_ms = now_ms;
    word->until_ms = until_ms;
}

void bound_fini(struct bound *bound)
{
    struct bound_words *words = TAKE(bound->words);

    if (!words)
        return;
    for (int voice = 0; voice < N_BOUND_VOICES; voice++) {
        forget(&words->limited[voice]);
        forget(&words->suspended[voice]);
    }
    easing_end(&words->easing);
    free(words);
}

/* ---- suspension ---- */

/* What ends together begins apart; the same one always at the same moment. */
static int64_t jittered(const struct bound *bound, int64_t until_ms, int64_t now_ms)
{
    uint64_t dice = bound_hash(bound) * 0x9e3779b97f4a7c15ULL >> 32;

    return until_ms + (int64_t)((uint64_t)(until_ms - now_ms) / 10 * dice >> 32);
}

void bound_suspend(struct bound *bound, enum bound_voice voice, const char *reason,
                   int64_t until_ms, int64_t now_ms)
{
    struct bound_words *words = words_of(bound);
    struct bound_word *word;

    if (!words || until_ms <= now_ms)
        return;
    word = &words->suspended[voice];
    if (voice == BOUND_BY_RULE && until_ms != INT64_MAX) {
        until_ms = jittered(bound, until_ms, now_ms);
        if (word->until_ms > until_ms)
            until_ms = word->until_ms;
    }
    say(word, reason, until_ms, now_ms);
    if (voice != BOUND_BY_WARM_UP) {
        bound->window = 1;
        bound->is_probed = true;
    }
    bound_touch(bound); /* it may end sooner than before */
}

void bound_resume(struct bound *bound, enum bound_voice voice, int64_t now_ms)
{
    (void)now_ms;
    if (bound->words) {
        forget(&bound->words->suspended[voice]);
        if (voice == BOUND_BY_ORDER) {
            forget(&bound->words->suspended[BOUND_BY_RULE]);
            easing_end(&bound->words->easing);
        }
    }
    bound_touch(bound);
}

bool bound_is_suspended(const struct bound *bound, enum bound_voice voice, int64_t now_ms)
{
    return bound->words && bound->words->suspended[voice].until_ms > now_ms;
}

bool bound_has_words(const struct bound *bound, int64_t now_ms)
{
    const struct bound_words *words = bound->words;

    if (!words)
        return false;
    for (int voice = 0; voice < N_BOUND_VOICES; voice++)
        if (words->suspended[voice].until_ms > now_ms || words->limited[voice].until_ms > now_ms)
            return true;
    return easing_stands(&words->easing, now_ms);
}

/* ---- limits ---- */

/* The strongest voice that says something decides, field by field. */
static void compute(struct bound *bound)
{
    struct bound_words *words = bound->words;
    uint32_t *in_force = limits_fields(&bound->limits);

    for (int field = 0; field < N_SITE_LIMITS; field++) {
        in_force[field] = limits_fields(&words->base)[field];
        for (int voice = 0; voice < N_BOUND_VOICES; voice++)
            if (limits_fields(&words->limits[voice])[field])
                in_force[field] = limits_fields(&words->limits[voice])[field];
    }
    bound_touch(bound);
}

static void make_stricter(struct site_limits *limits, const struct site_limits *other)
{
    for (int field = 0; field < N_SITE_LIMITS; field++)
        limits_fields(limits)[field] =
            limits_stricter(limits_fields(limits)[field], limits_const_fields(other)[field]);
}

void bound_limit(struct bound *bound, enum bound_voice voice, const struct site_limits *limits,
                 const char *reason, int64_t until_ms, int64_t now_ms)
{
    struct bound_words *words;

    bound_settle(bound, now_ms);
    words = words_of(bound);
    if (!words || until_ms <= now_ms)
        return;
    if (voice == BOUND_BY_ORDER) {
        words->limits[voice] = *limits;
    } else {
        make_stricter(&words->limits[voice], limits);
        if (words->limited[voice].until_ms > until_ms)
            until_ms = words->limited[voice].until_ms;
    }
    say(&words->limited[voice], reason, until_ms, now_ms);
    compute(bound);
}

void bound_limited_since(struct bound *bound, int64_t since_ms)
{
    int64_t start_ms = bound_schedule(bound)->start_ms;

    if (since_ms < start_ms)
        paces_hold_back(&bound->paces, &bound->limits, start_ms);
}

static void unlimit(struct bound *bound, enum bound_voice voice)
{
    forget(&bound->words->limited[voice]);
    bound->words->limits[voice] = (struct site_limits){0};
    compute(bound);
}

void bound_unlimit(struct bound *bound, enum bound_voice voice, int64_t now_ms)
{
    bound_settle(bound, now_ms);
    if (bound->words)
        unlimit(bound, voice);
}

void bound_set_limits(struct bound *bound, const struct site_limits *limits)
{
    if (bound->words) {
        bound->words->base = *limits;
        compute(bound);
        return;
    }
    bound->limits = *limits;
    bound_touch(bound);
}

void bound_settle(struct bound *bound, int64_t now_ms)
{
    struct bound_words *words = bound->words;

    if (!words)
        return;
    for (int voice = 0; voice < N_BOUND_VOICES; voice++) {
        if (words->suspended[voice].until_ms && words->suspended[voice].until_ms <= now_ms)
            forget(&words->suspended[voice]);
        if (words->limited[voice].until_ms && words->limited[voice].until_ms <= now_ms)
            unlimit(bound, (enum bound_voice)voice);
    }
    if (!easing_stands(&words->easing, now_ms))
        easing_end(&words->easing);
    if (!bound_has_words(bound, now_ms))
        bound_fini(bound);
}

/* ---- easing ---- */

static uint32_t measured_rate(const struct bound *bound)
{
    uint32_t n = bound->n_lately > bound->n_before ? bound->n_lately : bound->n_before;

    return n * (1000 / SPAN_S);
}

void bound_shrink(struct bound *bound)
{
    uint32_t n_busy = bound_n_busy(bound);
    uint32_t used = bound->window < n_busy ? bound->window : n_busy;

    bound->window = used > 1 ? used / 2 : 1;
}

void bound_slow_down(struct bound *bound, const char *reason, int64_t begun_ms, int64_t now_ms)
{
    struct bound_words *words;

    bound_settle(bound, now_ms);
    words = words_of(bound);
    if (!words || easing_slow_down(&words->easing, &bound->limits, measured_rate(bound), reason,
                                   begun_ms, now_ms))
        bound_shrink(bound);
}

void bound_lift(struct bound *bound)
{
    if (!bound->words || !bound->words->easing.rate)
        return;
    easing_end(&bound->words->easing);
    bound_touch(bound);
}

void bound_went_well(struct bound *bound, int64_t now_ms)
{
    if (bound->words && bound_rests(bound, now_ms).kind != WHY_NEXT)
        return; /* begun before the suspension: it says nothing about its end */
    bound->is_probed = false;
    if (bound->window < limits_stricter(WINDOW_MOST, bound->limits.connections))
        bound->window++;
    if (bound->words)
        easing_went_well(&bound->words->easing, &bound->limits, now_ms);
}
