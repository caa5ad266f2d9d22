/* One recipient of one message in memory: at most 48 bytes, millions of them.  What it says more
 * (address, reply) lies in the message's envelope and in the queue's row.
 * Thread: the owner's of the schedule. */
#pragma once

#include "relay/base/list.h"
#include "relay/spool/stored.h"

enum entry_state {
    ENTRY_FREE,     /* not in use: all zero */
    ENTRY_UNROUTED, /* waits for DNS, linked to its domain */
    ENTRY_READY,    /* due, linked to its flow */
    ENTRY_WAITING,  /* deferred, linked to the wheel */
    ENTRY_SENDING,  /* handed to delivery, until it says what became of it */
    ENTRY_HELD,     /* until released; in no list */
    N_ENTRY_STATES
};

enum entry_flags {
    ENTRY_DELAY_REPORTED = 1 << 0, /* its sender knows that it is late */
    ENTRY_DOUBTFUL = 1 << 1,       /* a connection was lost after its final dot */
    ENTRY_CANCELLED = 1 << 2,      /* an operator ended it while it was being sent */
    ENTRY_HOLD_LATER = 1 << 3,     /* an operator held it while it was being sent */
    ENTRY_BOUNCE = 1 << 4,         /* and wants a report of that, with ENTRY_CANCELLED */
    ENTRY_OPEN = 1 << 5,           /* its row says that a final dot may have left */
    ENTRY_ANNOUNCED = 1 << 6,      /* counted as about to be tried (delivery/warmth.h) */
    ENTRY_UNBOUND = 1 << 7,        /* `flow` is its campaign: it has no flow yet */
};

struct entry {
    struct list link;
    struct stored *message;
    uint32_t flow;      /* number in the schedule's flows */
    uint32_t domain;    /* number in the schedule's domains */
    uint32_t due_s;     /* WAITING: second of the schedule's clock; HELD: as well, or one below */
    uint32_t to_hash;   /* stored_hash() of the whole address */
    uint32_t n : 24;    /* recipient of its message, from 1 */
    uint32_t state : 3; /* enum entry_state */
    uint32_t is_by_rule : 1; /* HELD until a time: a rule said so, no quota */
    uint32_t pool : 4;       /* of our addresses: which it may leave from (lane.h) */
    uint16_t attempts;
    uint8_t flags;       /* enum entry_flags */
    uint8_t clock_epoch; /* of the last attempt; see schedule_clock_jumped() */
};
_Static_assert(sizeof(struct entry) <= 48, "five million of them within the memory promised");

enum { ENTRY_MAX_RECIPIENT = (1 << 24) - 1 };

/* Until when one is HELD, for entry.due_s. */
enum {
    ENTRY_UNTIL_RELEASED = 0,
    ENTRY_UNTIL_UNBRAKED = UINT32_MAX, /* all mail of its user is (policy/brake_book.h) */
};

const char *entry_state_name(enum entry_state state); /* queued, sending, deferred, held */
