#include "policy/pace_book.h"

/* What the network delays is no reason to be counted into the same window twice. */
enum { IN_HAND = 64 };

static const uint32_t windows_s[N_PACE_WINDOWS] = {1, 60, 3600, 86400};

/* Of messages a second bulk has 95 % on the average, for the next turn is never far. */
struct part {
    uint64_t n;
    uint32_t window_s;
};

static struct part bulk_part(const struct pace_book *book, int i)
{
    uint32_t n = book->limits.n[i];

    return windows_s[i] == 1 ? (struct part){(uint64_t)n * 95, 100}
                             : (struct part){pace_bulk_share(n), windows_s[i]};
}

void pace_book_init(struct pace_book *book)
{
    *book = (struct pace_book){.is_known = false};
    for (int i = 0; i < N_PACE_WINDOWS; i++)
        book->used[i].window_ms = (int64_t)windows_s[i] * 1000 * (IN_HAND + 1) / IN_HAND;
}

void pace_book_set_limits(struct pace_book *book, const struct pace_limits *limits, int64_t now_ms)
{
    for (int i = 0; i < N_PACE_WINDOWS; i++) {
        if (book->is_known && book->limits.n[i] == limits->n[i])
            continue;
        book->limits.n[i] = book->used[i].limit = limits->n[i];
        pace_start(&book->all[i], limits->n[i], windows_s[i], now_ms);
        if (book->is_known)
            book->bulk[i] = book->all[i];
        book->started_us[i] = book->all[i].turn_us;
    }
    book->is_known = true;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t room(struct pace_book *book, int i, bool is_bulk, uint32_t most, int64_t now_ms)
{
    struct part bulk = bulk_part(book, i);
    uint32_t n = book->limits.n[i];

    if (n == 0)
        return most;
    most = least(most, pace_room(&book->all[i], n, windows_s[i], most, now_ms));
    if (is_bulk)
        most = least(most, pace_room(&book->bulk[i], bulk.n, bulk.window_s, most, now_ms));
    return least(most, permit_budget_room(&book->used[i], now_ms));
}

static void use(struct pace_book *book, int i, bool is_bulk, uint32_t n_granted, int64_t now_ms)
{
    struct part bulk = bulk_part(book, i);
    uint32_t n = book->limits.n[i];

    book->used[i].n_out += n_granted;
    for (uint32_t each = 0; each < n_granted; each++) {
        pace_use(&book->all[i], n, windows_s[i], now_ms);
        if (is_bulk)
            pace_use(&book->bulk[i], bulk.n, bulk.window_s, now_ms);
    }
}

uint32_t pace_book_lease(struct pace_book *book, bool is_bulk, uint32_t n_wanted, int64_t now_ms)
{
    uint32_t n = book->is_known ? n_wanted : 0;

    for (int i = 0; i < N_PACE_WINDOWS; i++)
        n = room(book, i, is_bulk, n, now_ms);
    if (n < n_wanted)
        n = (n + 1) / 2; /* scarce: the first loop to ask does not take all */
    for (int i = 0; i < N_PACE_WINDOWS; i++)
        use(book, i, is_bulk, n, now_ms);
    return n;
}

/* Some were granted at the former limit, whose steps were others: none comes before the start. */
static void give_back(struct pace *pace, struct part part, uint32_t n_back, int64_t started_us)
{
    if (pace->turn_us <= started_us)
        return;
    pace_give_back(pace, part.n, part.window_s, n_back);
    if (pace->turn_us < started_us)
        pace->turn_us = started_us;
}

void pace_book_return(struct pace_book *book, bool is_bulk, uint32_t n_unused, uint32_t n_spent,
                      int64_t last_spent_ms, int64_t now_ms)
{
    for (int i = 0; i < N_PACE_WINDOWS; i++) {
        struct part bulk = bulk_part(book, i);
        uint32_t n = book->limits.n[i];

        if (n)
            permit_budget_return(&book->used[i], n_unused, n_spent, last_spent_ms, now_ms);
        else /* nobody asks what was spent */
            permit_budget_return(&book->used[i], n_unused + n_spent, 0, 0, now_ms);
        give_back(&book->all[i], (struct part){n, windows_s[i]}, n_unused, book->started_us[i]);
        if (is_bulk)
            give_back(&book->bulk[i], bulk, n_unused, book->started_us[i]);
    }
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t pace_book_next_ms(const struct pace_book *book, bool is_bulk, int64_t now_ms)
{
    int64_t at_ms = now_ms, back_ms;

    if (!book->is_known)
        return now_ms + PACE_NOT_SOON_MS;
    for (int i = 0; i < N_PACE_WINDOWS; i++) {
        const struct permit_budget *used = &book->used[i];
        struct part bulk = bulk_part(book, i);
        uint32_t n = book->limits.n[i];

        at_ms = later(at_ms, pace_next_ms(&book->all[i], n, windows_s[i], 0));
        if (is_bulk)
            at_ms = later(at_ms, pace_next_ms(&book->bulk[i], bulk.n, bulk.window_s, 0));
        if (n == 0 || used->n_out + used->n_spent < n)
            continue;
        back_ms = permit_budget_next_ms(used); /* INT64_MAX: all are out; a loop will return some */
        at_ms = later(at_ms, back_ms == INT64_MAX ? now_ms + PACE_NOT_SOON_MS : back_ms);
    }
    return at_ms;
}

static bool is_past(const struct permit_budget *used, int64_t now_ms)
{
    for (uint32_t i = 0; i < used->n_groups; i++)
        if (used->groups[i].back_ms > now_ms)
            return false;
    return used->n_out == 0;
}

bool pace_book_is_past(const struct pace_book *book, int64_t now_ms)
{
    for (int i = 0; i < N_PACE_WINDOWS; i++)
        if (book->all[i].turn_us > now_ms * 1000 || !is_past(&book->used[i], now_ms))
            return false;
    return true;
}
