/* Many messages, one sync: what waits becomes one group, and a group goes through
 *
 *     append all bytes -> fdatasync every file concerned -> one transaction of new rows, changes,
 *     removals and moved places -> COMMIT -> receipts
 *
 * When bytes cannot be synced their file is abandoned and their senders get -EIO.  When the COMMIT
 * fails, new mail of the group is refused, verdicts stay and go first in the next group; after an
 * I/O error a new database takes the old one's place before anything else is accepted.
 * Thread: the spool thread; the flags any. */
#pragma once

#include <stdatomic.h>

#include "relay/spool/spool.h"

enum { MOVES_PER_GROUP = 64 };

struct move {
    struct stored *stored;
    uint64_t place;   /* where the copy lies */
    uint32_t segment; /* whose list it was taken from */
    uint32_t n_recipients;
};

/* What goes into one transaction. */
struct group {
    struct spool_append *appends, **last_append;
    struct spool_update *updates, **last_update;
    struct move moves[MOVES_PER_GROUP];
    uint32_t n_moves;
    bool has_unready; /* an update whose reports could not be written */
    bool is_pressing; /* somebody waits for one of them */
};

struct committer {
    struct group waiting;   /* collected for the next group; failed verdicts in front */
    struct buffer scratch;  /* one envelope, or one record to be moved */
    bool has_new_names;     /* in large/ */
    bool needs_database;    /* the current one failed */
    bool has_failed;        /* since the start: a COMMIT or a checkpoint */
    int64_t replace_at_ms;  /* monotonic: when the next attempt may be made */
    atomic_bool is_closed;  /* intake: until a sound database is there */
    atomic_bool is_blocked; /* verdicts could not be committed */
};

void committer_init(struct committer *committer);
void committer_fini(struct committer *committer);

void group_init(struct group *group);
void group_add_append(struct group *group, struct spool_append *append);
void group_add_update(struct group *group, struct spool_update *update);
void group_put_in_front(struct group *waiting, struct group *blocked); /* its updates */
void group_take(struct group *group, struct group *waiting); /* all of it; nothing waits then */

/* Commits what waits; harmless when nothing does. */
void committer_run(struct spool *spool);

/* Whether something waits that was not tried yet: it came while a group was being committed. */
bool committer_has_work(const struct spool *spool);

/* Whether verdicts wait that could not be committed. */
bool committer_has_failed(const struct spool *spool);

/* A checkpoint failed: the same as a failed COMMIT. */
void committer_note_failure(struct spool *spool, int error);

/* At the end: answers what cannot be committed with -ESHUTDOWN. */
void committer_give_up(struct spool *spool);

/* ---- group.c: the rows of a group ---- */

/* One transaction; on error nothing of it is left. */
MUST_USE int group_transact(struct spool *spool, const struct group *group);
/* After COMMIT: counts, callbacks, marks, files that are not wanted any more. */
void group_publish(struct spool *spool, struct group *group);

/* ---- writing.c: the bytes of a group ---- */

/* Writes one message; sets append->result, and state.stored when that is 0. */
void writing_append(struct spool *spool, struct spool_append *append);
/* Undoes the above for a message that does not get a row. */
void writing_drop(struct spool *spool, struct spool_append *append);
/* Syncs what the group wrote: files, segments, folders; failures show in each result. */
void writing_sync(struct spool *spool, struct group *group);

/* ---- compaction.c ---- */

/* Copies a few messages out of the emptiest segment into the group. */
void compaction_collect(struct spool *spool, struct group *group);
void compaction_put_back(struct spool *spool, struct group *group);
bool compaction_is_due(const struct spool *spool);
