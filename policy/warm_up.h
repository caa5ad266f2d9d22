/* How much a young address of ours may send to a provider in a day: a curve of daily messages.  It
 * advances at the end of a day that used at least half of its room while few messages were put off
 * for our sake; it stays when more were, and steps back at once when many are.  What an address
 * did with a provider 30 days ago counts no more: it begins anew.  Behind the curve's end it is
 * warm, and nobody counts.
 * What is granted is counted as used and is to be stored before it is used, so an unclean stop
 * loses the rest of a grant (a twentieth of a day's room, at least 5) and never sends it twice.
 * Days are those of the calendar (period.h).  Thread: the owner's (policy thread); pure, the clock
 * is an argument. */
#pragma once

#include "policy/key_table.h"
#include "policy/period.h"
#include "relay/base/slice.h"

enum { WARM_UP_MOST_DAYS = 60, WARM_UP_COLD_DAYS = 30 };

struct warm_up_curve {
    uint32_t n_days; /* 0: no warm-up */
    uint32_t messages[WARM_UP_MOST_DAYS];
};

/* "no" or nothing, "yes" (a curve of 20 days from 50 to 100,000), or rising numbers, "50, 100,
 * 200"; false: none of these. */
bool warm_up_curve_parse(struct slice text, struct warm_up_curve *out);

/* Where one address stands with one provider; as it is stored. */
struct warm_up_state {
    uint32_t day;        /* of the curve, from 1; more than it has: warm */
    struct period today; /* the last day on which it was used */
    uint32_t n_used;     /* granted that day */
    uint32_t n_well, n_put_off;
    bool has_stepped_back; /* that day */
    int64_t since_utc_ms;  /* when it came to this day of the curve */
};

struct warm_up {
    struct key_entry entry; /* first */
    struct warm_up_state state;
    bool is_changed; /* since it was stored */
    char *address, *provider;
};

struct warm_up_book {
    struct key_table table;
};

void warm_up_book_init(struct warm_up_book *book);
void warm_up_book_fini(struct warm_up_book *book);

/* Found or begun; NULL without memory. */
struct warm_up *warm_up_find(struct warm_up_book *book, struct slice address, struct slice provider,
                             int64_t utc_ms);
void warm_up_book_each(struct warm_up_book *book,
                       void (*visit)(void *owner, struct warm_up *warm_up), void *owner);

/* As found at start; -ENOMEM. */
MUST_USE int warm_up_book_load(struct warm_up_book *book, struct slice address,
                               struct slice provider, const struct warm_up_state *state);

/* Messages a day at this day of the curve; 0: any number, it is warm. */
uint32_t warm_up_limit(const struct warm_up_state *state, const struct warm_up_curve *curve);

/* What a user of the address tells and wants. */
struct warm_up_news {
    bool wants_some;
    uint32_t n_unused;          /* of an earlier grant of this day */
    uint32_t n_well, n_put_off; /* messages taken; put off or refused for our address's sake */
};

enum warm_up_move { WARM_UP_STAYS, WARM_UP_ADVANCES, WARM_UP_STEPS_BACK };

struct warm_up_answer {
    enum warm_up_move move; /* since the last answer */
    bool is_durable;        /* else to be stored before it is told */
    bool is_warm;           /* any number, until the day ends */
    uint32_t n_granted;
    uint32_t day, n_days, n_used, limit;
    int64_t since_utc_ms, until_utc_ms; /* of this day of the curve; the end of the day */
    /* Of the day that made it move. */
    uint32_t n_well, n_put_off;
};
void warm_up_ask(struct warm_up *warm_up, const struct warm_up_curve *curve,
                 const struct warm_up_news *news, int64_t utc_ms, struct warm_up_answer *out);
