/* Orders on all that filter words select: counted first, then done, with how far they are and an
 * end before their end.  What is deleted is held for a minute in which it can be undone, its reason
 * in the queue; what was counted is what is done, ended and released, recipient by recipient; if
 * the service stops within that minute, it stays held, and nothing is lost. Thread: the panel's. */
#pragma once

#include "webui/job_list.h"
#include "webui/queue_desk.h"
#include "webui/queue_words.h"

enum {
    JOBS_KEPT = 64,
    JOBS_AT_ONCE = 8,
    JOB_UNDO_MS = 60000,
    JOB_SHARE_SLOTS = 2048,     /* half as many users and destinations are told apart */
    JOB_MOST_BYTES = 128 << 20, /* of struct chosen: eight million recipients */
};

enum job_phase {
    JOB_FINDING,  /* by rows, what only rows can tell */
    JOB_COUNTING, /* who is concerned */
    JOB_WORKING,
    JOB_IN_BIN, /* held; to be ended, or undone */
    JOB_ENDING, /* what lay in the bin is ended */
    JOB_UNDOING,
    JOB_OVER,
};

/* What is known of each recipient that an order concerns: bits of struct chosen. */
enum job_bits {
    JOB_BINNED = 1 << 0, /* lies in the bin, or was held before: to be ended with it */
    JOB_OURS = 1 << 1,   /* this order held it: undone, it is released, or held as it was before */
    JOB_TOLD = 1 << 2,   /* counted in n_done of the undoing */
};

/* A verb that leads to the bin does `work` first, and `end` when the minute is over. */
struct job_verb {
    const char *name;
    enum delivery_verb work, end;
    bool has_bin;
};

/* How many recipients of one user, or to one destination. */
struct job_share {
    char *name; /* NULL: a user's, by id */
    uint32_t user_id;
    uint64_t n;
};

struct job {
    struct list link;
    struct webui *webui;
    uint64_t number;
    const struct job_verb *verb;
    enum job_phase phase;
    struct exchange *exchange; /* of a dry run: waits for the count */
    struct queue_words words;
    uint64_t cursor; /* of the finding */
    struct arena arena;
    struct queue_job read;
    struct delivery_command command;
    char *reason, *by;
    char *bin_reason; /* the reply of what lies in the bin: a code that the panel puts into words */
    bool is_failed, is_undone, is_busy; /* busy: a request of ours is under way */
    bool is_unreadable;                 /* the rows: the reader's, until it answers */
    _Atomic bool is_cancelled;
    _Atomic bool is_stopped; /* the service stops: the end of what no cancel ends, too */
    _Atomic uint64_t n_done; /* recipients, of the phase that runs */
    uint64_t n_total, n_messages;
    int64_t undo_ms;             /* monotonic: until when; or when to try again to end or to undo */
    int64_t again_ms;            /* how long was waited for that; 0: not yet */
    struct buffer chosen;        /* whom it concerns; sorted, each once, when all are known */
    struct job_share *shares[2]; /* of users, of destinations */
    size_t n_shares[2], capacity[2];
    uint16_t share_index[2][JOB_SHARE_SLOTS]; /* 1 + place in shares, by hash; 0: none */
};

void jobs_init(struct jobs *jobs, struct webui *webui);
void jobs_fini(struct jobs *jobs);
int jobs_timeout_ms(const struct jobs *jobs);
void jobs_turn(struct jobs *jobs);
void jobs_stop(struct jobs *jobs); /* walks under way end where they are, nothing new begins */

struct job *job_new(struct jobs *jobs); /* NULL: no memory, or too many are being done */
void job_forget(struct job *job);
/* exchange: only counts, and answers it; NULL: does it. */
void job_begin(struct job *job, struct exchange *exchange);

struct job *jobs_find(const struct jobs *jobs, struct slice id);
bool job_cancel(struct job *job); /* false: it is over */
bool job_undo(struct job *job);   /* false: there is nothing to undo any more */
json_t *job_json(const struct job *job);
