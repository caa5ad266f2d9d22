/* What an operator may ask of the mail under way: commands on a selection, the destinations, and
 * why something waits.  A request travels from loop to loop, looking at its recipients in slices of
 * a millisecond, and comes back to the asker's mailbox.
 * The words stand here, below delivery, so that the panel's API can use them without knowing it;
 * main.c hands it the functions (struct operations).
 * Thread: ask from any; done() runs on the asker's. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/mailbox.h"
#include "relay/schedule/select.h"
#include "relay/schedule/why.h"

enum delivery_verb {
    DELIVERY_COUNT, /* only counts */
    DELIVERY_LOOK,  /* the same, and each destination's oldest is found: destination_view */
    DELIVERY_RETRY, /* due now; its site is tried now, too */
    DELIVERY_HOLD,
    DELIVERY_RELEASE,
    DELIVERY_REQUEUE, /* as retry, and DNS is asked anew */
    DELIVERY_BOUNCE,  /* ends it with a report to the sender */
    DELIVERY_DELETE,  /* ends it without */
};

/* Recipients being sent are counted as busy; hold, bounce and delete take effect on them when
 * their transaction ends without delivery, and release takes a hold back that waits for that. */
struct delivery_command {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct delivery_command *command);
    enum delivery_verb verb;
    struct selection selection; /* its arrays are the asker's until done() */
    const char *reason;         /* for held, bounced and deleted; the asker's */

    /* Told of each, on the loops, one after the other, before anything is done to it; destination:
     * its site's name or its domain's.  May be NULL. */
    void (*note)(struct delivery_command *command, const struct entry *entry,
                 const char *destination);
    uint32_t held_until_s; /* of the one told of: entry_held_until_s() */
    /* RELEASE: note() may say that this one is held until then once more, as it was before somebody
     * held it for good; ENTRY_UNTIL_RELEASED: it is released. */
    uint32_t given_back_until_s;
    uint64_t notes_below; /* of messages with lower ids alone; 0: of all.  note() may change it */

    /* True: the walk ends where it is; what was done stays.  May be NULL. */
    const _Atomic bool *is_cancelled;

    uint64_t n_selected; /* recipients */
    uint64_t n_busy;     /* of those: being sent just now */
    uint64_t n_passed;   /* not of those: being sent, and the verb does not apply, or not yet */
    uint64_t n_by_state[N_ENTRY_STATES];
    struct delivery_visit *visit; /* delivery's */
};

/* Message ids with a recipient in SENDING: what the queue's rows cannot say. */
struct delivery_sending {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct delivery_sending *request);
    struct buffer pairs; /* u64 id, u32 recipient, each; the asker frees */
    struct delivery_visit *visit;
};

/* What a receiver said last, since the service began. */
enum last_said { SAID_NOTHING, SAID_DELIVERED, SAID_DEFERRED, SAID_BOUNCED };
struct last_reply {
    enum last_said said;
    int64_t at_utc_ms;
    uint16_t code; /* 0: nobody said anything, it could not be reached */
    char text[160];
};

/* One line of `destination list`: a site as its loop sees it.  Longer texts are cut. */
struct destination_view {
    char name[256]; /* the site's */
    char provider[64];
    char domains[256]; /* some of those that lead there, with commas between */
    uint32_t n_domains;
    uint32_t n_ready, n_waiting, n_sending, n_held;
    uint32_t n_connections, n_busy;
    uint32_t per_minute;       /* messages, lately */
    struct site_limits limits; /* in force, over all addresses */
    enum why_kind state;
    int64_t until_utc_ms;  /* -1: not at a time */
    int64_t last_utc_ms;   /* schedule_last_ms(); -1: nobody knows */
    int64_t oldest_utc_ms; /* as the last DELIVERY_LOOK saw it; 0: nobody knows */
    char reason[256];
    struct last_reply last;
    unsigned loop_index;
};

struct delivery_destinations {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct delivery_destinations *request);
    struct slice name;   /* .len 0: all; else a site's or a domain's */
    uint32_t most;       /* of each loop: those with the most recipients; 0: all */
    uint32_t n_found;    /* out: how many there are */
    struct buffer views; /* array of struct destination_view; the asker frees */
    struct delivery_visit *visit;
};

/* How many recipients wait for each domain, and how fast its site goes.  One that is on its way to
 * another loop comes twice. */
struct delivery_domains {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct delivery_domains *request);
    struct buffer counts; /* u32 recipients, u32 messages a minute of its site, counted name, each;
                             the asker frees */
    struct delivery_visit *visit;
};

/* A site, or the one that a domain leads to, is used again as if it had always answered well: rests
 * by rules, a lower pace by replies, and that it was unreachable are forgotten.  Orders stand. */
struct delivery_lift {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct delivery_lift *request);
    struct slice name;
    unsigned n_sites; /* of that name, with anything to forget */
    struct delivery_visit *visit;
};

/* Why does this message (each of its recipients) or this destination wait? */
struct why_view {
    uint64_t id;
    uint32_t n; /* recipient, from 0 */
    enum entry_state entry_state;
    enum why_kind kind;
    bool is_doubtful;     /* a copy may have been delivered before */
    int64_t since_utc_ms; /* -1: not known */
    int64_t until_utc_ms; /* -1: not at a time */
    int64_t last_utc_ms;  /* schedule_last_ms(); -1: nobody knows */
    char site[256];
    char about[256]; /* whom it is about, as orders name it; empty: nobody in particular */
    char reason[256];
};

struct delivery_why {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct delivery_why *request);
    uint64_t id;         /* 0: by destination */
    struct slice name;   /* domain or site */
    struct buffer views; /* array of struct why_view; the asker frees */
    struct delivery_visit *visit;
};

struct delivery_path; /* relay/schedule/path.h */

/* Who does it: delivery's functions, given to whoever serves operators.  False: busy. */
struct operations {
    void *owner;
    bool (*command)(void *owner, struct delivery_command *command);
    bool (*sending)(void *owner, struct delivery_sending *request);
    bool (*destinations)(void *owner, struct delivery_destinations *request);
    bool (*domains)(void *owner, struct delivery_domains *request);
    bool (*lift)(void *owner, struct delivery_lift *request);
    bool (*why)(void *owner, struct delivery_why *request);
    bool (*path)(void *owner, struct delivery_path *request);
};
