#include "policy/reply_rule_engine.h"

#include <stdio.h>

enum {
    WAYS = 8,   /* counters that share a place in the table */
    SLICES = 8, /* of a window */
    MOST_DOUBLINGS = 3,
    SLOW_GAP_MS = 5000, /* replies that come together were sent together */
    NOTIFY_GAP_MS = 60 * 1000,
    GRACE_MS = 60 * 1000, /* what comes so soon was on its way when something was done */
    PROBE_MS = 60 * 1000,
};

struct rule_counter {
    uint64_t key; /* 0: free */
    int64_t last_ms, slice;
    int64_t done_ms, done_until_ms; /* what was done, and until when it holds */
    uint16_t hits[SLICES], attempts[SLICES];
    uint8_t n_doublings;
};

void reply_rule_engine_init(struct reply_rule_engine *engine)
{
    *engine = (struct reply_rule_engine){0};
}

void reply_rule_engine_fini(struct reply_rule_engine *engine)
{
    free(engine->paths);
    free(engine->others);
    free(engine->blocks);
    reply_rule_engine_init(engine);
}

/* ---- keys ---- */

/* splitmix64's finish: what it is fed with are hashes under a secret key and small numbers. */
static uint64_t mix(uint64_t key, uint64_t value)
{
    key = (key ^ value) + UINT64_C(0x9e3779b97f4a7c15);
    key = (key ^ key >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
    return key ^ key >> 31;
}

static uint64_t group_of(const struct reply_subject *subject)
{
    return subject->provider ? subject->provider->hash : subject->site;
}

/* 0: it has none of that scope. */
static uint64_t key_of(const struct reply_subject *subject, enum rule_scope scope)
{
    uint64_t place = mix(scope + 1, group_of(subject));

    switch (scope) {
    case RULE_ON_LANE:
        return mix(mix(scope + 1, subject->site), subject->egress);
    case RULE_ON_LANE_PROVIDER:
        return mix(place, subject->egress);
    case RULE_ON_SITE:
        return mix(scope + 1, subject->site);
    case RULE_ON_PROVIDER:
        return place;
    case RULE_ON_FROM_DOMAIN:
        return subject->from_domain ? mix(place, subject->from_domain) : 0;
    case RULE_ON_CAMPAIGN:
        return subject->campaign ? mix(mix(place, subject->campaign), subject->user) : 0;
    case RULE_ON_USER:
        return mix(place, subject->user);
    case RULE_ON_RECIPIENT:
        return subject->recipient ? mix(place, subject->recipient) : 0;
    case N_RULE_SCOPES:
        break;
    }
    return 0;
}

/* ---- counters ---- */

static bool is_path(enum rule_scope scope)
{
    return scope <= RULE_ON_PROVIDER;
}

/* Found, or made of the least recently used of its place; NULL without memory. */
static struct rule_counter *counter_at(struct rule_counter **table, size_t n, uint64_t key,
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

static struct rule_counter *counter_of(struct reply_rule_engine *engine,
                                       const struct reply_rule *rule, size_t step,
                                       uint64_t scope_key, int64_t now_ms)
{
    uint64_t key = mix(mix(scope_key, rule->hash), step) | 1;

    return is_path(rule->steps[step].scope) ? counter_at(&engine->paths, RULE_PATHS, key, now_ms)
                                            : counter_at(&engine->others, RULE_OTHERS, key, now_ms);
}

/* The slices that the window has left behind are emptied; all of them when a reload made the window
 * another, for slices are numbered by their length. */
static void turn_to(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms)
{
    int64_t slice = now_ms / (step->window_ms / SLICES);

    if (slice < counter->slice || slice - counter->slice >= SLICES) {
        memset(counter->hits, 0, sizeof(counter->hits));
        memset(counter->attempts, 0, sizeof(counter->attempts));
        counter->slice = slice;
    }
    while (counter->slice < slice) {
        counter->slice++;
        counter->hits[counter->slice % SLICES] = 0;
        counter->attempts[counter->slice % SLICES] = 0;
    }
}

static void add(uint16_t *count, uint32_t n)
{
    *count = (uint16_t)(n < (uint32_t)UINT16_MAX - *count ? *count + n : UINT16_MAX);
}

static uint32_t sum(const uint16_t counts[SLICES])
{
    uint32_t n = 0;

    for (int i = 0; i < SLICES; i++)
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

/* ---- actions ---- */

static bool is_each_for_itself(const struct rule_step *step)
{
    return step->scope == RULE_ON_RECIPIENT;
}

static int64_t least_gap_ms(enum rule_verb verb)
{
    return verb == RULE_NOTIFY ? NOTIFY_GAP_MS : SLOW_GAP_MS;
}

/* Later than that it is no longer in force (an operator resumed), or was not enough. */
static bool is_still_fresh(const struct rule_counter *counter, int64_t now_ms)
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

/* Counts the reply; true: the step's action is due, for *for_ms. */
static bool count(struct rule_counter *counter, const struct rule_step *step, int64_t now_ms,
                  int64_t *for_ms)
{
    bool is_again = is_said_again(counter, step, now_ms);

    if (is_still_fresh(counter, now_ms) && !is_each_for_itself(step))
        return false;
    if (step->window_ms) {
        turn_to(counter, step, now_ms);
        add(&counter->hits[counter->slice % SLICES], 1);
        add(&counter->attempts[counter->slice % SLICES], 1);
        if (!is_again && !is_reached(counter, step))
            return false;
    }
    if (is_each_for_itself(step))
        return true;
    *for_ms = duration(counter, step, now_ms, is_again);
    note_done(counter, now_ms, *for_ms ? *for_ms : least_gap_ms(step->verb));
    return true;
}

static bool step_is_due(struct reply_rule_engine *engine, const struct reply_rule *rule, size_t i,
                        uint64_t key, int64_t now_ms, int64_t *for_ms)
{
    const struct rule_step *step = &rule->steps[i];
    struct rule_counter *counter;

    if (step->window_ms == 0 && is_each_for_itself(step))
        return true;
    counter = counter_of(engine, rule, i, key, now_ms);
    return counter ? count(counter, step, now_ms, for_ms) : step->window_ms == 0;
}

/* ---- blocks ---- */

static struct rule_block *find_block(const struct reply_rule_engine *engine, uint64_t key)
{
    for (size_t i = 0; key && i < engine->n_blocks; i++)
        if (engine->blocks[i].key == key)
            return &engine->blocks[i];
    return NULL;
}

static void drop_block(struct reply_rule_engine *engine, struct rule_block *block)
{
    *block = engine->blocks[--engine->n_blocks];
}

/* A free one, or the one that ends first. */
static struct rule_block *room_for_block(struct reply_rule_engine *engine)
{
    struct rule_block *first;

    if (!engine->blocks)
        engine->blocks = calloc(RULE_BLOCKS, sizeof(*engine->blocks));
    if (!engine->blocks)
        return NULL;
    if (engine->n_blocks < RULE_BLOCKS)
        return &engine->blocks[engine->n_blocks++];
    first = &engine->blocks[0];
    for (size_t i = 1; i < engine->n_blocks; i++)
        if (engine->blocks[i].until_ms < first->until_ms)
            first = &engine->blocks[i];
    return first;
}

/* One that holds longer stays. */
static void set_block(struct reply_rule_engine *engine, uint64_t key, const struct reply_rule *rule,
                      const struct rule_step *step, int64_t now_ms, int64_t for_ms)
{
    struct rule_block *block = find_block(engine, key);

    if (block && block->until_ms > now_ms + for_ms)
        return;
    if (!block)
        block = room_for_block(engine);
    if (!block)
        return;
    *block = (struct rule_block){
        .key = key, .since_ms = now_ms, .until_ms = now_ms + for_ms, .verb = step->verb};
    snprintf(block->reason, sizeof(block->reason), "rule %.*s: %.*s", (int)rule->name.len,
             rule->name.data, (int)rule->reason.len, rule->reason.data);
}

static bool is_block(const struct rule_step *step)
{
    return (step->verb == RULE_SUSPEND || step->verb == RULE_HOLD) &&
           step->scope >= RULE_ON_FROM_DOMAIN && step->scope != RULE_ON_RECIPIENT;
}

static const enum rule_scope blocked_scopes[] = {RULE_ON_FROM_DOMAIN, RULE_ON_CAMPAIGN,
                                                 RULE_ON_USER};
enum { N_BLOCKED_SCOPES = sizeof(blocked_scopes) / sizeof(blocked_scopes[0]) };

const struct rule_block *reply_rule_engine_block(struct reply_rule_engine *engine,
                                                 const struct reply_subject *subject,
                                                 int64_t now_ms)
{
    for (int i = 0; engine->n_blocks > 0 && i < N_BLOCKED_SCOPES; i++) {
        struct rule_block *block = find_block(engine, key_of(subject, blocked_scopes[i]));

        if (!block)
            continue;
        if (now_ms < block->until_ms)
            return block;
        if (block->verb == RULE_HOLD) {
            drop_block(engine, block);
            continue;
        }
        if (now_ms < block->probed_until_ms)
            return block;
        block->probed_until_ms = now_ms + PROBE_MS;
    }
    return NULL;
}

static void end_probed_blocks(struct reply_rule_engine *engine, const struct reply_subject *subject,
                              int64_t now_ms)
{
    for (int i = 0; engine->n_blocks > 0 && i < N_BLOCKED_SCOPES; i++) {
        struct rule_block *block = find_block(engine, key_of(subject, blocked_scopes[i]));

        if (block && now_ms >= block->until_ms)
            drop_block(engine, block);
    }
}

/* ---- what is heard ---- */

static void note_attempts(struct reply_rule_engine *engine, const struct reply_rule *rule,
                          const struct reply_subject *subject, uint32_t n, int64_t now_ms)
{
    for (size_t i = 0; i < rule->n_steps; i++) {
        const struct rule_step *step = &rule->steps[i];
        struct rule_counter *counter;

        if (!step->percent)
            continue;
        counter = counter_of(engine, rule, i, key_of(subject, step->scope), now_ms);
        if (!counter)
            continue;
        turn_to(counter, step, now_ms);
        add(&counter->attempts[counter->slice % SLICES], n);
    }
}

/* For every ratio but that of the rule which counts it itself. */
static void note_all_attempts(struct reply_rule_engine *engine, const struct reply_rules *rules,
                              const struct reply_rule *but, const struct reply_subject *subject,
                              uint32_t n, int64_t now_ms)
{
    for (size_t i = 0; rules->has_ratio && i < rules->n_rules; i++) {
        const struct reply_rule *rule = &rules->rules[i];

        if (rule->has_ratio && rule != but && reply_rule_is_for(rule, subject->provider))
            note_attempts(engine, rule, subject, n, now_ms);
    }
}

size_t reply_rule_engine_hear(struct reply_rule_engine *engine, const struct reply_rules *rules,
                              const struct reply_subject *subject, const struct reply_facts *facts,
                              int64_t now_ms, struct rule_action out[RULE_STEPS])
{
    const struct reply_rule *rule = reply_rules_find(rules, subject->provider, facts);
    size_t n = 0;

    note_all_attempts(engine, rules, rule, subject, 1, now_ms);
    for (size_t i = 0; rule && i < rule->n_steps; i++) {
        const struct rule_step *step = &rule->steps[i];
        uint64_t key = key_of(subject, step->scope);
        int64_t for_ms = step->for_ms;

        if (!key || !step_is_due(engine, rule, i, key, now_ms, &for_ms))
            continue;
        if (is_block(step))
            set_block(engine, key, rule, step, now_ms, for_ms);
        out[n++] = (struct rule_action){rule, step, for_ms};
    }
    return n;
}

void reply_rule_engine_went_well(struct reply_rule_engine *engine, const struct reply_rules *rules,
                                 const struct reply_subject *subject, uint32_t n, int64_t now_ms)
{
    end_probed_blocks(engine, subject, now_ms);
    note_all_attempts(engine, rules, NULL, subject, n, now_ms);
}
