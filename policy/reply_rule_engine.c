#include "policy/reply_rule_engine.h"

#include <stdio.h>

#include "policy/reply_rule_counter.h"
#include "policy/rule_words.h"

enum { PROBE_MS = 60 * 1000 };

void reply_rule_engine_init(struct reply_rule_engine *engine)
{
    *engine = (struct reply_rule_engine){0};
}

void reply_rule_engine_fini(struct reply_rule_engine *engine)
{
    free(engine->providers);
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

/* ---- what one site says of its provider ---- */

static bool is_of_provider(const struct reply_subject *subject, enum rule_scope scope)
{
    return subject->provider && (scope == RULE_ON_LANE_PROVIDER || scope == RULE_ON_PROVIDER);
}

static enum rule_scope narrow(enum rule_scope scope)
{
    return scope == RULE_ON_PROVIDER        ? RULE_ON_SITE
           : scope == RULE_ON_LANE_PROVIDER ? RULE_ON_LANE
                                            : scope;
}

/* What is done while only one of its sites has said so. */
static enum rule_scope narrowed(const struct reply_subject *subject, enum rule_scope scope)
{
    return is_of_provider(subject, scope) ? narrow(scope) : scope;
}

/* ---- counters ---- */

static bool is_path(enum rule_scope scope)
{
    return scope <= RULE_ON_PROVIDER;
}

/* Where it counts; scope: the step's own, or what it is narrowed to. */
static struct rule_counter *counter_of(struct reply_rule_engine *engine,
                                       const struct reply_rule *rule, size_t step,
                                       const struct reply_subject *subject, enum rule_scope scope,
                                       int64_t now_ms)
{
    uint64_t key = mix(mix(key_of(subject, scope), rule->hash), step) | 1;

    if (is_of_provider(subject, scope))
        return rule_counter_at(&engine->providers, RULE_PROVIDERS, key, now_ms);
    return is_path(scope) ? rule_counter_at(&engine->paths, RULE_PATHS, key, now_ms)
                          : rule_counter_at(&engine->others, RULE_OTHERS, key, now_ms);
}

static bool scope_is_due(struct reply_rule_engine *engine, const struct reply_rule *rule, size_t i,
                         const struct reply_subject *subject, enum rule_scope scope, int64_t now_ms,
                         int64_t *for_ms)
{
    const struct rule_step *step = &rule->steps[i];
    struct rule_counter *counter;

    if (step->window_ms == 0 && rule_step_is_each_for_itself(step))
        return true;
    counter = counter_of(engine, rule, i, subject, scope, now_ms);
    return counter ? rule_counter_count(counter, step, now_ms, for_ms) : step->window_ms == 0;
}

enum answer { NOT_DUE, DUE_HERE, DUE_EVERYWHERE, IN_FORCE };

/* One tenant's hosts do not speak for the firm that many share. */
static enum answer ask_provider(struct reply_rule_engine *engine, const struct reply_rule *rule,
                                size_t i, const struct reply_subject *subject, int64_t now_ms,
                                int64_t *for_ms)
{
    const struct rule_step *step = &rule->steps[i];
    struct rule_counter *counter = counter_of(engine, rule, i, subject, step->scope, now_ms);
    bool is_wide;

    if (!counter)
        return NOT_DUE;
    if (rule_counter_is_fresh(counter, now_ms))
        return IN_FORCE;
    rule_counter_note_site(counter, subject->site, now_ms);
    is_wide = step->verb == RULE_NOTIFY || rule_counter_has_two_sites(counter, step, now_ms);
    if (is_wide)
        return rule_counter_count(counter, step, now_ms, for_ms) ? DUE_EVERYWHERE : NOT_DUE;
    if (step->window_ms)
        rule_counter_hit(counter, step, now_ms);
    return NOT_DUE;
}

static enum answer step_is_due(struct reply_rule_engine *engine, const struct reply_rule *rule,
                               size_t i, const struct reply_subject *subject, int64_t now_ms,
                               int64_t *for_ms)
{
    enum rule_scope scope = rule->steps[i].scope;
    enum answer answer = NOT_DUE;

    if (is_of_provider(subject, scope))
        answer = ask_provider(engine, rule, i, subject, now_ms, for_ms);
    if (answer != NOT_DUE || (is_of_provider(subject, scope) && rule->steps[i].verb == RULE_NOTIFY))
        return answer;
    return scope_is_due(engine, rule, i, subject, narrowed(subject, scope), now_ms, for_ms)
               ? DUE_HERE
               : NOT_DUE;
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

void reply_rule_engine_restore(struct reply_rule_engine *engine,
                               const struct reply_subject *subject, const struct rule_word *word,
                               int64_t until_ms, int64_t now_ms)
{
    uint64_t key = key_of(subject, word->scope);
    struct rule_block *block =
        key && until_ms > now_ms && !find_block(engine, key) ? room_for_block(engine) : NULL;

    if (!block)
        return;
    *block = (struct rule_block){
        .key = key, .since_ms = now_ms, .until_ms = until_ms, .verb = word->verb};
    (void)snprintf(block->reason, sizeof(block->reason), "%s", word->reason);
}

/* ---- what was done before a restart ---- */

static const struct reply_rule *rule_named(const struct reply_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->n_rules; i++)
        if (slice_equal(rules->rules[i].name, slice_of(name)))
            return &rules->rules[i];
    return NULL;
}

/* A word tells where it holds, and an address that rests as suspended (delivery's kept words). */
static bool is_word_of(const struct rule_word *word, const struct rule_step *step)
{
    return (step->verb == word->verb ||
            (step->verb == RULE_OTHER_ADDRESS && word->verb == RULE_SUSPEND)) &&
           (step->scope == word->scope || narrow(step->scope) == word->scope) && step->for_ms > 0;
}

void reply_rule_engine_remember(struct reply_rule_engine *engine, const struct reply_rules *rules,
                                const struct reply_subject *subject, const struct rule_word *word,
                                int64_t until_ms, int64_t now_ms)
{
    const struct reply_rule *rule = rule_named(rules, word->rule);

    for (size_t i = 0; rule && i < rule->n_steps; i++) {
        const struct rule_step *step = &rule->steps[i];
        enum rule_scope scope = subject->provider ? word->scope : step->scope;
        struct rule_counter *counter = NULL;

        if (is_word_of(word, step) && key_of(subject, scope))
            counter = counter_of(engine, rule, i, subject, scope, now_ms);
        if (counter)
            rule_counter_restore(counter, step, until_ms, word->lasts_ms);
    }
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
        enum rule_scope here = narrowed(subject, step->scope);

        if (!step->percent)
            continue;
        rule_counter_attempts(counter_of(engine, rule, i, subject, step->scope, now_ms), step, n,
                              now_ms);
        if (here != step->scope)
            rule_counter_attempts(counter_of(engine, rule, i, subject, here, now_ms), step, n,
                                  now_ms);
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
        enum answer answer = key ? step_is_due(engine, rule, i, subject, now_ms, &for_ms) : NOT_DUE;

        if (answer == NOT_DUE || answer == IN_FORCE)
            continue;
        if (is_block(step))
            set_block(engine, key, rule, step, now_ms, for_ms);
        out[n++] = (struct rule_action){rule, step, for_ms,
                                        answer == DUE_EVERYWHERE ? step->scope
                                                                 : narrowed(subject, step->scope)};
    }
    return n;
}

void reply_rule_engine_went_well(struct reply_rule_engine *engine, const struct reply_rules *rules,
                                 const struct reply_subject *subject, uint32_t n, int64_t now_ms)
{
    end_probed_blocks(engine, subject, now_ms);
    note_all_attempts(engine, rules, NULL, subject, n, now_ms);
}
