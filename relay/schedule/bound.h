/* What bounds our use of one thing: its limits and paces, how much of them we dare to use, and what
 * was said about it, each with reason and end.  There are four such things, and mail passes all of
 * them: a site, a lane (an address of ours towards a site), a provider, a road (an address of ours
 * towards a provider).
 * Which limit holds: an operator's order before a rule's word before what the settings, the table
 * of providers or the default say.  A suspension of any of them stands until it ends or is lifted.
 * Pure: now_ms is monotonic.  Thread: the owner's of the schedule. */
#pragma once

#include "relay/schedule/easing.h"
#include "relay/schedule/why.h"

enum bound_kind { BOUND_SITE, BOUND_LANE, BOUND_PROVIDER, BOUND_ROAD, N_BOUND_KINDS };

/* Who says so.  What one says leaves the others' words as they are. */
enum bound_voice {
    BOUND_BY_RULE,    /* a reply rule */
    BOUND_BY_WARM_UP, /* the day's room of a young address is used up */
    BOUND_BY_ORDER,   /* an operator */
    N_BOUND_VOICES
};

struct bound_word {
    int64_t since_ms, until_ms; /* until_ms: 0: nothing said; INT64_MAX: until lifted */
    char *reason;               /* NULL: none given */
};

/* What was said about a bound; most have none. */
struct bound_words {
    struct site_limits base; /* without the limits below */
    struct site_limits limits[N_BOUND_VOICES];
    struct bound_word limited[N_BOUND_VOICES], suspended[N_BOUND_VOICES];
    struct easing easing;
};

struct bound {
    struct site_limits limits;     /* in force */
    struct bound_words *words;     /* NULL: none */
    uint32_t n_open;               /* connections, also those being opened or closed */
    uint32_t n_busy[N_CLASSES];    /* transactions; new connections are opened for one */
    uint32_t n_pledged[N_CLASSES]; /* of those: picked, not yet said to the receiver */
    uint32_t n_silent;             /* of those: whose receiver has long not answered */
    uint32_t window;               /* transactions that success so far allows at once */
    uint32_t n_lately, n_before;   /* messages in this and the last span of 10 s */
    uint32_t span;                 /* number of this span */
    uint8_t kind;                  /* enum bound_kind */
    bool is_probed;                /* one message is to show whether a suspension helped */
    struct site_paces paces;       /* last: where no limit is set nobody looks at them */
};

/* fresh_ms: nothing is known of what was sent before; each pace begins as if it had just been used
 * up.  start_window 0: no bound but the limits. */
void bound_init(struct bound *bound, enum bound_kind kind, const struct site_limits *limits,
                uint32_t start_window, int64_t fresh_ms);
void bound_fini(struct bound *bound);

/* ---- what rules, operators and settings say ---- */

/* Nothing goes before until_ms (INT64_MAX: until lifted); then one message, and when that is taken
 * twice as many at once, and so on.  A later end of the same voice stands; a rule's end is put off
 * by up to a tenth, so that not all come back together.  Without memory: nothing happens. */
void bound_suspend(struct bound *bound, enum bound_voice voice, const char *reason,
                   int64_t until_ms, int64_t now_ms);

/* Takes back a suspension; an operator's resumption takes back a rule's and what replies
 * brought, too. */
void bound_resume(struct bound *bound, enum bound_voice voice, int64_t now_ms);

/* These limits (0: none said) instead of the weaker voices' until until_ms; of two rules the
 * stricter limit and the later end stand, an operator's order replaces the one before. */
void bound_limit(struct bound *bound, enum bound_voice voice, const struct site_limits *limits,
                 const char *reason, int64_t until_ms, int64_t now_ms);
void bound_unlimit(struct bound *bound, enum bound_voice voice, int64_t now_ms);

/* Whoever said the present limits did at since_ms.  Before the start: until then as much was sent
 * as they allow, for all we know, and they begin as used up. */
void bound_limited_since(struct bound *bound, int64_t since_ms);

/* Settings or the table of providers changed: what was used is not forgotten. */
void bound_set_limits(struct bound *bound, const struct site_limits *limits);

/* A reply said slower: half the transactions at once and half the pace (easing.h).  begun_ms: when
 * what it answers was said. */
void bound_slow_down(struct bound *bound, const char *reason, int64_t begun_ms, int64_t now_ms);
void bound_lift(struct bound *bound); /* it may be used at its full pace again */

/* The same without the pace: a connection was lost or refused without such a word. */
void bound_shrink(struct bound *bound);

/* A message was taken: one more at once, and a step back to the full pace. */
void bound_went_well(struct bound *bound, int64_t now_ms);

/* ---- what follows from it ---- */

bool bound_is_suspended(const struct bound *bound, enum bound_voice voice, int64_t now_ms);
bool bound_has_words(const struct bound *bound, int64_t now_ms); /* that must not be forgotten */

uint32_t bound_n_busy(const struct bound *bound);

/* What a transaction would need: an idle connection that is there, a new one, or what there is
 * (then it is only asked whether any of them could do). */
enum connection_need { NEEDS_NONE, NEEDS_NEW, NEEDS_ANY };

/* Not suspended: WHY_NEXT.  Then: may a transaction of this class begin?  until_ms of a pace: when.
 * One that needs a new connection begins a little before its message's turn. */
struct why bound_rests(const struct bound *bound, int64_t now_ms);
struct why bound_decide(const struct bound *bound, enum message_class message_class,
                        enum connection_need need, int64_t now_ms);

/* Words whose time is over are forgotten; before anything is decided. */
void bound_settle(struct bound *bound, int64_t now_ms);

/* ---- counting, for the folder ---- */

void bound_pick(struct bound *bound, enum message_class message_class, bool needs_connection,
                int64_t now_ms);

/* When a message picked before may be said to the receiver (a value up to now_ms: at once), and
 * that it will be, at at_ms. */
int64_t bound_turn_ms(const struct bound *bound, enum message_class message_class, int64_t now_ms);
void bound_use_turn(struct bound *bound, enum message_class message_class, int64_t at_ms);
void bound_drop_turn(struct bound *bound, enum message_class message_class);
