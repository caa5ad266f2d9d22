#include "policy/warm_up.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/secret.h"

enum {
    GOOD_PERCENT = 5,  /* put off at most: the next day of the curve */
    BAD_PERCENT = 15,  /* more than these: a step back */
    BAD_AT_LEAST = 10, /* fewer messages that were put off say nothing about us */
    BLOCKS = 20,
    LEAST_BLOCK = 5,
    MOST_BLOCK = 5000,
};

#define COLD_MS ((int64_t)WARM_UP_COLD_DAYS * 86400 * 1000)

static const struct warm_up_curve usual = {
    20, {50, 75, 100, 150, 225, 350, 500, 750, 1100, 1700,
         2500, 3800, 5700, 8500, 13000, 19000, 29000, 43000, 65000, 100000}
};

/* ---- the curve ---- */

static bool is_between(char c)
{
    return c == ' ' || c == ',';
}

static bool take_number(struct slice *text, uint64_t *out)
{
    size_t n = 0;
    bool is_number;

    while (n < text->len && !is_between(text->data[n]))
        n++;
    is_number = slice_to_number(slice_head(*text, n), 100000000, out);
    while (n < text->len && is_between(text->data[n]))
        n++;
    *text = slice_skip(*text, n);
    return is_number;
}

bool warm_up_curve_parse(struct slice text, struct warm_up_curve *out)
{
    uint64_t former = 0, number;

    *out = slice_equal(text, SLICE_LITERAL("yes")) ? usual : (struct warm_up_curve){0};
    if (out->n_days || !text.len || slice_equal(text, SLICE_LITERAL("no")))
        return true;
    while (text.len) {
        if (out->n_days == WARM_UP_MOST_DAYS || !take_number(&text, &number) || number <= former)
            return false;
        former = number;
        out->messages[out->n_days++] = (uint32_t)number;
    }
    return out->n_days > 0;
}

/* ---- the book ---- */

void warm_up_book_init(struct warm_up_book *book)
{
    *book = (struct warm_up_book){.table = {0}};
}

static struct warm_up *of_entry(struct key_entry *entry)
{
    return (struct warm_up *)(void *)entry;
}

static void free_warm_up(struct warm_up *warm_up)
{
    free(warm_up->address);
    free(warm_up->provider);
    free(warm_up);
}

void warm_up_book_fini(struct warm_up_book *book)
{
    struct key_entry *entry;

    while ((entry = key_table_take_any(&book->table)))
        free_warm_up(of_entry(entry));
    key_table_fini(&book->table);
}

static uint64_t key_of(struct slice address, struct slice provider)
{
    return table_hash_ignoring_case(address) * UINT64_C(0x9e3779b97f4a7c15) ^
           table_hash_ignoring_case(provider);
}

static struct warm_up *add(struct warm_up_book *book, struct slice address, struct slice provider)
{
    struct warm_up *warm_up = calloc(1, sizeof(*warm_up));

    if (!warm_up)
        return NULL;
    warm_up->entry.key = key_of(address, provider);
    warm_up->address = slice_to_string(address);
    warm_up->provider = slice_to_string(provider);
    if (warm_up->address && warm_up->provider && key_table_add(&book->table, &warm_up->entry) == 0)
        return warm_up;
    free_warm_up(warm_up);
    return NULL;
}

static void begin(struct warm_up *warm_up, int64_t utc_ms)
{
    warm_up->state = (struct warm_up_state){
        .day = 1, .today = period_at(PERIOD_DAY, utc_ms), .since_utc_ms = utc_ms};
    warm_up->is_changed = true;
}

struct warm_up *warm_up_find(struct warm_up_book *book, struct slice address, struct slice provider,
                             int64_t utc_ms)
{
    struct key_entry *entry = key_table_find(&book->table, key_of(address, provider));
    struct warm_up *warm_up = entry ? of_entry(entry) : add(book, address, provider);

    if (warm_up && !entry)
        begin(warm_up, utc_ms);
    return warm_up;
}

void warm_up_book_each(struct warm_up_book *book,
                       void (*visit)(void *owner, struct warm_up *warm_up), void *owner)
{
    for (uint32_t i = 0; i < book->table.n_buckets; i++)
        for (struct key_entry *entry = book->table.buckets[i]; entry; entry = entry->next)
            visit(owner, of_entry(entry));
}

int warm_up_book_load(struct warm_up_book *book, struct slice address, struct slice provider,
                      const struct warm_up_state *state)
{
    struct warm_up *warm_up = warm_up_find(book, address, provider, state->since_utc_ms);

    if (!warm_up)
        return FAULT(-ENOMEM);
    warm_up->state = *state;
    if (warm_up->state.day == 0)
        warm_up->state.day = 1;
    warm_up->is_changed = false;
    return 0;
}

/* ---- its days ---- */

static uint32_t limit_of(const struct warm_up_state *state, const struct warm_up_curve *curve)
{
    return curve->messages[state->day - 1];
}

static bool is_warm(const struct warm_up_state *state, const struct warm_up_curve *curve)
{
    return state->day > curve->n_days;
}

uint32_t warm_up_limit(const struct warm_up_state *state, const struct warm_up_curve *curve)
{
    return is_warm(state, curve) ? 0 : limit_of(state, curve);
}

static bool is_above(const struct warm_up_state *state, uint32_t percent)
{
    uint64_t n_all = (uint64_t)state->n_well + state->n_put_off;

    return (uint64_t)state->n_put_off * 100 > n_all * percent;
}

static void move_to(struct warm_up_state *state, uint32_t day, int64_t utc_ms)
{
    state->day = day;
    state->since_utc_ms = utc_ms;
}

/* A day that sent little, or nothing, says little. */
static enum warm_up_move judge_day(struct warm_up_state *state, const struct warm_up_curve *curve,
                                   int64_t utc_ms)
{
    if (utc_ms - state->today.ends_utc_ms >= COLD_MS && state->day > 1) {
        move_to(state, 1, utc_ms);
        return WARM_UP_STEPS_BACK;
    }
    if (is_warm(state, curve) || state->has_stepped_back || is_above(state, GOOD_PERCENT) ||
        state->n_well == 0 || (uint64_t)2 * state->n_used < limit_of(state, curve))
        return WARM_UP_STAYS;
    move_to(state, state->day + 1, utc_ms);
    return WARM_UP_ADVANCES;
}

static enum warm_up_move begin_day(struct warm_up_state *state, const struct warm_up_curve *curve,
                                   int64_t utc_ms)
{
    enum warm_up_move move = judge_day(state, curve, utc_ms);

    state->today = period_at(PERIOD_DAY, utc_ms);
    state->n_used = state->n_well = state->n_put_off = 0;
    state->has_stepped_back = false;
    return move;
}

/* The clock was ahead when the day began.  What was used stays used, and nothing is judged. */
static void come_back(struct warm_up_state *state, int64_t utc_ms)
{
    state->today = period_at(PERIOD_DAY, utc_ms);
    if (state->since_utc_ms > utc_ms)
        state->since_utc_ms = utc_ms;
}

static enum warm_up_move note(struct warm_up_state *state, const struct warm_up_curve *curve,
                              const struct warm_up_news *news, int64_t utc_ms)
{
    state->n_used -= news->n_unused < state->n_used ? news->n_unused : state->n_used;
    state->n_well += news->n_well;
    state->n_put_off += news->n_put_off;
    if (is_warm(state, curve) || state->has_stepped_back || state->n_put_off < BAD_AT_LEAST ||
        !is_above(state, BAD_PERCENT))
        return WARM_UP_STAYS;
    state->has_stepped_back = true;
    if (state->day == 1)
        return WARM_UP_STAYS; /* there is nothing before it */
    move_to(state, state->day - 1, utc_ms);
    return WARM_UP_STEPS_BACK;
}

static uint32_t grant(struct warm_up_state *state, uint32_t limit)
{
    uint32_t block = limit / BLOCKS < MOST_BLOCK ? limit / BLOCKS : MOST_BLOCK;
    uint32_t room = limit > state->n_used ? limit - state->n_used : 0;
    uint32_t n = block > LEAST_BLOCK ? block : LEAST_BLOCK;

    if (n > room)
        n = room;
    state->n_used += n;
    return n;
}

void warm_up_ask(struct warm_up *warm_up, const struct warm_up_curve *curve,
                 const struct warm_up_news *news, int64_t utc_ms, struct warm_up_answer *out)
{
    struct warm_up_state *state = &warm_up->state;
    bool is_new_day = false;

    *out = (struct warm_up_answer){.n_days = curve->n_days};
    out->n_well = state->n_well + news->n_well;
    out->n_put_off = state->n_put_off + news->n_put_off;
    /* What was granted yesterday is told for yesterday. */
    out->move = note(state, curve, news, utc_ms);
    if (utc_ms >= state->today.ends_utc_ms) {
        enum warm_up_move move = begin_day(state, curve, utc_ms);

        out->move = move == WARM_UP_STAYS ? out->move : move;
        is_new_day = true;
    } else if (utc_ms < state->today.starts_utc_ms) {
        come_back(state, utc_ms);
        is_new_day = true;
    }
    out->is_warm = is_warm(state, curve);
    if (!out->is_warm) {
        out->limit = limit_of(state, curve);
        out->n_granted = news->wants_some ? grant(state, out->limit) : 0;
    }
    warm_up->is_changed |= is_new_day || out->n_granted || out->move != WARM_UP_STAYS ||
                           news->n_unused || news->n_well || news->n_put_off;
    out->is_durable = !warm_up->is_changed;
    out->day = state->day;
    out->n_used = state->n_used;
    out->since_utc_ms = state->since_utc_ms;
    out->until_utc_ms = state->today.ends_utc_ms;
}
