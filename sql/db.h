/* SQLite behind one door: db.c is the only file that includes sqlite3.h.  A database is described
 * by a struct db_schema (its migrations and named statements, all embedded from *.sql files); to
 * open one is to bring it up to date and to prepare every statement, so a typo fails at start.
 * Thread: a struct db and its statements belong to one thread; several may be open on one file.
 * Errors: -EIO (the disk failed), -ENOSPC (full), -EBADMSG (the file is damaged), -EBUSY, -EEXIST
 * (a constraint refused the row), -EINTR (db_interrupt), -EROFS, -ENOMEM; -EINVAL is a bug of ours.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"

struct db;
struct statement; /* belongs to its db; never freed by its user */

/* One kind of database.  Each lives in sql/NAME_schema.[hc]; see sql/README.md. */
struct db_schema {
    const char *name;
    const char *const *migrations; /* migrations[i] leads from version i to i + 1; append only */
    unsigned n_migrations;
    const char *queries;      /* text: "-- name: find_user" lines, each followed by one statement */
    const char *const *names; /* names[i] is the statement of enum value i; all, and no others */
    unsigned n_names;
};

enum db_mode {
    DB_WRITE,      /* created when absent, migrated */
    DB_READ,       /* read only; -ENOENT when absent, -EPROTO when its version is not ours */
    DB_CHECKPOINT, /* prepares nothing; only db_checkpoint() */
};

/* What survives a power cut: all that was committed; a sound file without the last moments; or,
 * where it is cheap to lose, perhaps no sound file.  A killed process loses nothing with any. */
enum db_sync { DB_SYNC_FULL, DB_SYNC_NORMAL, DB_SYNC_OFF };

struct db_settings {
    int cache_kib;   /* 0: 2 MiB */
    const char *vfs; /* NULL: the system's; a test's shim otherwise */
    bool is_manual;  /* no automatic checkpoints: the owner calls db_checkpoint() */
    enum db_sync sync;
    int busy_ms; /* how long to wait for another connection's lock; 0: 5000 */
};

/* settings may be NULL. */
MUST_USE int db_open(struct db **out, const char *path, const struct db_schema *schema,
                     enum db_mode mode, const struct db_settings *settings);
struct db *db_close(struct db *db); /* accepts NULL, returns NULL; rolls back what is open */

MUST_USE int db_begin(struct db *db);  /* takes the write lock at once */
MUST_USE int db_commit(struct db *db); /* on error the transaction is rolled back */
void db_rollback(struct db *db);       /* harmless outside a transaction */

/* The statement of that enum value, reset and with every parameter NULL. */
struct statement *db_statement(struct db *db, unsigned name);

/* Parameters count from 1, columns from 0.  The bytes bound must stay until the statement is done.
 * A slice whose data is NULL binds NULL; bind_text() wants UTF-8 or ASCII, bind_blob() anything. */
void bind_number(struct statement *statement, int parameter, int64_t value);
void bind_text(struct statement *statement, int parameter, struct slice text);
void bind_blob(struct statement *statement, int parameter, struct slice bytes);

enum { STATEMENT_DONE = 0, STATEMENT_ROW = 1 };

/* STATEMENT_ROW, STATEMENT_DONE (and reset), or -errno (and reset). */
MUST_USE int statement_step(struct statement *statement);

/* For statements without rows: steps to the end; 0 or -errno. */
MUST_USE int statement_run(struct statement *statement);

/* Ends a read early; harmless always.  A reader must not stay between rows: it holds a snapshot. */
void statement_reset(struct statement *statement);

int64_t column_number(struct statement *statement, int column);    /* 0 for NULL */
struct slice column_text(struct statement *statement, int column); /* until the next step */
struct slice column_blob(struct statement *statement, int column); /* data NULL for NULL */
bool column_is_null(struct statement *statement, int column);

int64_t db_changes(const struct db *db);     /* rows the last statement changed */
int64_t db_last_rowid(const struct db *db);  /* of the last INSERT */
void db_interrupt(struct db *db);            /* any thread: the running step answers -EINTR */
const char *db_message(const struct db *db); /* the library's words about the last error */

uint32_t db_wal_pages(const struct db *db); /* in the write-ahead log after the last commit */

/* Copies the log into the database file without waiting for anybody; with truncate also empties
 * the log, waiting for readers up to busy_ms.  -EBUSY: somebody else is at it, or a reader stays.
 */
MUST_USE int db_checkpoint(struct db *db, bool truncate);

/* Reads the whole file for damage; 0 or -EBADMSG. */
MUST_USE int db_check(struct db *db);
