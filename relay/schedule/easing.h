/* At what pace something is used after replies that said slower.  A word halves the pace that was
 * in use; what was said before that has settled, or of a message that was sent before, is the same
 * word.  Successes bring it back, a step every two seconds at most: doubling while it is slow or
 * far below the pace that the last word came at, by an eighth from there on.  It ends when the full
 * pace is reached, when nothing was sent for a while, or when an operator says so.
 * Pure: the clock is an argument, monotonic.  Thread: the owner's of the bound. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/schedule/limits.h"

/* Paces are messages in 1,000 s. */
struct easing {
    uint32_t rate;        /* now; 0: not eased */
    uint32_t knee;        /* what the last word came at */
    uint32_t n_successes; /* since the last step */
    uint32_t n_taken;     /* since the last word */
    bool has_grown;       /* a step was taken since the last word */
    int64_t since_ms, cut_ms, changed_ms;
    int64_t used_ms; /* when the last message went */
    int64_t turn_us; /* as in struct pace, running ahead by a 32nd of a second */
    char *reason;    /* the last reply that said it; NULL: none given */
};

/* A reply said slower.  limits: in force; measured: what went lately; begun_ms: when the message it
 * answers was said (now_ms when nobody knows).  False: this was said before. */
bool easing_slow_down(struct easing *easing, const struct site_limits *limits, uint32_t measured,
                      const char *reason, int64_t begun_ms, int64_t now_ms);

void easing_went_well(struct easing *easing, const struct site_limits *limits, int64_t now_ms);

void easing_end(struct easing *easing);
bool easing_stands(const struct easing *easing,
                   int64_t now_ms); /* false: nobody needs it any more */

/* When the next may go, after n_ahead others; 0: at once. */
int64_t easing_next_ms(const struct easing *easing, uint32_t n_ahead);
/* Picked: what was not used until now is not saved up.  And: it goes at at_ms. */
void easing_pledge(struct easing *easing, int64_t now_ms);
void easing_use(struct easing *easing, int64_t at_ms);
