/* The rows: the only writer of the queue's database, and which file that is.  `queue.current`
 * names it; without that file it is queue.db.  When a COMMIT or a checkpoint fails, a database
 * that has never failed takes its place (store_rewrite()).
 * Thread: the spool thread.  Errors: sql/db.h. */
#pragma once

#include "relay/spool/io.h"
#include "relay/spool/spool.h"
#include "sql/db.h"

enum { STORE_NAME_SIZE = 32 };

struct store {
    const struct io *io;
    const char *dir; /* path; the settings' */
    int dir_fd;      /* the spool's folder; the spool's */
    const char *vfs;
    struct db *db;              /* NULL: could not be opened again after a failure */
    char name[STORE_NAME_SIZE]; /* of the file, inside dir */
};

/* Opens the database that is current, making it when there is none.  *is_new: it does not hold all
 * rows yet, they must come from the segments (store_set_complete()).  -EBADMSG: damaged. */
MUST_USE int store_open(struct store *store, const struct io *io, const char *dir, int dir_fd,
                        const char *vfs, bool *is_new);
void store_close(struct store *store);

MUST_USE int store_begin(struct store *store);
MUST_USE int store_commit(struct store *store);
void store_rollback(struct store *store);

/* A new message with the recipients of its envelope; mail that is restored starts over. */
MUST_USE int store_add(struct store *store, const struct stored *stored,
                       const struct envelope *envelope);

/* One recipient of the above, for a rebuild that knows which are finished. */
MUST_USE int store_add_recipient(struct store *store, uint64_t id, const struct recipient_row *row);
MUST_USE int store_add_message(struct store *store, const struct stored *stored,
                               const struct envelope *envelope);

/* The changes of update; *n_finished counts the rows that went. */
MUST_USE int store_change(struct store *store, const struct spool_update *update,
                          uint32_t *n_finished);
MUST_USE int store_remove(struct store *store, uint64_t id);
MUST_USE int store_move(struct store *store, uint64_t id, uint64_t place);

/* ---- store_failures.c: failed recipients that wait for a digest ---- */

MUST_USE int store_add_failure(struct store *store, const struct failure *failure);
MUST_USE int store_remove_failures(struct store *store, const struct failures_told *told);
MUST_USE int store_collect(struct store *store, struct spool_collect *collect);
typedef void store_waiting_callback(void *owner, const struct failures_waiting *waiting);
MUST_USE int store_scan_failures(struct store *store, store_waiting_callback *on_waiting,
                                 void *owner);

/* For each message, oldest first, with its rows (also when it has none).  Slices are good during
 * the call; a result other than 0 ends the scan and is returned. */
typedef int store_row_callback(void *owner, struct stored *stored, struct recipient_row *rows,
                               uint32_t n_rows);
MUST_USE int store_scan(struct store *store, store_row_callback *on_message, void *owner);

/* Stores what became of a row's doubt at a start (spool_callbacks.settle_doubt). */
MUST_USE int store_settle(struct store *store, uint64_t id, const struct recipient_row *row);

/* Reads every failure without looking at it; -EBADMSG when a page is damaged. */
MUST_USE int store_walk_failures(struct store *store);

/* Copies every live row into a new file, syncs it, and makes it the current one.  On error the old
 * one stays current. */
MUST_USE int store_rewrite(struct store *store);

/* Single facts that outlive a restart; -ENOENT when never remembered. */
MUST_USE int store_recall(struct store *store, const char *fact, int64_t *value);
MUST_USE int store_remember(struct store *store, const char *fact, int64_t value);
MUST_USE int store_set_complete(struct store *store);

/* Copies what can be read of the failures: they are in no segment.  Best effort, for a rebuild. */
void store_save_failures(struct store *from, struct store *to);

/* Starts an empty database under a new name; store_switch() makes it current.  For a rebuild. */
MUST_USE int store_create_next(const struct store *store, struct store *next);
MUST_USE int store_switch(struct store *store, struct store *next, bool keeps_old);

/* Removes databases that are not current: a switch was cut short. */
void store_remove_leftovers(const struct store *store);

/* The path of the current database file, for other connections. */
MUST_USE int store_current_name(const char *dir, char out[STORE_NAME_SIZE]);
