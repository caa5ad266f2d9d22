#include "sql/db.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

#include "relay/base/log.h"
#include "sql/db_file.h"
#include "sql/db_schema.h"

struct statement {
    sqlite3_stmt *handle;
    struct db *db;
    int bind_result; /* the first that failed since db_statement() */
};

struct db {
    sqlite3 *handle;
    const struct db_schema *schema;
    struct statement *statements; /* schema->n_names */
    uint32_t wal_pages;
};

static int error_of(sqlite3 *handle, int code)
{
    int system_error = sqlite3_system_errno(handle);

    if (code == SQLITE_CANTOPEN)
        return system_error ? -system_error : -EIO;
    /* A write that ran out of space may be reported as either of the two. */
    if (code == SQLITE_IOERR && system_error == ENOSPC)
        return -ENOSPC;
    return -EIO;
}

static int error_from(sqlite3 *handle, int result)
{
    static const struct {
        int code, error;
    } table[] = {
        {SQLITE_FULL,       -ENOSPC },
        {SQLITE_CORRUPT,    -EBADMSG},
        {SQLITE_NOTADB,     -EBADMSG},
        {SQLITE_BUSY,       -EBUSY  },
        {SQLITE_LOCKED,     -EBUSY  },
        {SQLITE_CONSTRAINT, -EEXIST },
        {SQLITE_INTERRUPT,  -EINTR  },
        {SQLITE_READONLY,   -EROFS  },
        {SQLITE_NOMEM,      -ENOMEM },
        {SQLITE_PROTOCOL,   -EIO    },
    };
    int code = result & 0xff; /* without the extension */

    if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
        return error_of(handle, code);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].code == code)
            return table[i].error;
    }
    return -EINVAL;
}

static int fault_of(struct db *db, int result, const char *what)
{
    int error = error_from(db->handle, result);

    log_debug("sql", "%s: %s: %s", db->schema->name, what, sqlite3_errmsg(db->handle));
    return error;
}

int db_execute(struct db *db, const char *sql)
{
    int result = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return result == SQLITE_OK ? 0 : fault_of(db, result, sql);
}

/* ---- opening ---- */

static int on_commit(void *owner, sqlite3 *handle, const char *schema, int n_pages)
{
    struct db *db = owner;

    (void)handle, (void)schema;
    db->wal_pages = (uint32_t)n_pages;
    return SQLITE_OK;
}

static int harden(struct db *db)
{
    static const struct {
        int option, value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE,             1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA,        0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER,        0},
        {SQLITE_DBCONFIG_ENABLE_VIEW,           0},
        {SQLITE_DBCONFIG_DQS_DML,               0},
        {SQLITE_DBCONFIG_DQS_DDL,               0},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,      1},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        int result =
            sqlite3_db_config(db->handle, options[i].option, options[i].value, (int *)NULL);
        if (result != SQLITE_OK)
            return fault_of(db, result, "db_config");
    }
    sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
    return 0;
}

static int configure(struct db *db, enum db_mode mode, const struct db_settings *settings)
{
    static const char *const journals[] = {
        [DB_SYNC_FULL] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
        [DB_SYNC_NORMAL] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
        [DB_SYNC_OFF] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;",
    };
    char cache[64];
    int error = harden(db);

    if (!error)
        error = db_execute(db, "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;");
    if (!error && mode != DB_READ)
        error = db_execute(db, journals[settings->sync]);
    if (!error && settings->is_manual)
        error = db_execute(db, "PRAGMA wal_autocheckpoint = 0;");
    if (error)
        return error;
    snprintf(cache, sizeof(cache), "PRAGMA cache_size = -%d;",
             settings->cache_kib ? settings->cache_kib : 2048);
    /* The commit hook also stands for automatic checkpoints, so it comes only without them. */
    if (settings->is_manual)
        sqlite3_wal_hook(db->handle, on_commit, db);
    return db_execute(db, cache);
}

int db_read_version(struct db *db, unsigned *version)
{
    sqlite3_stmt *read = NULL;
    int result = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &read, NULL);

    if (result == SQLITE_OK)
        result = sqlite3_step(read);
    if (result == SQLITE_ROW)
        *version = (unsigned)sqlite3_column_int(read, 0);
    sqlite3_finalize(read);
    return result == SQLITE_ROW ? 0 : fault_of(db, result, "user_version");
}

int db_prepare_named(struct db *db, unsigned name, struct slice query)
{
    struct statement *statement = &db->statements[name];
    int result;

    if (statement->handle) {
        log_debug("sql", "%s: statement %s is there twice", db->schema->name,
                  db->schema->names[name]);
        return FAULT(-EINVAL);
    }
    result = sqlite3_prepare_v3(db->handle, query.data, (int)query.len, SQLITE_PREPARE_PERSISTENT,
                                &statement->handle, NULL);
    if (result != SQLITE_OK || !statement->handle)
        return fault_of(db, result, db->schema->names[name]);
    statement->db = db;
    return 0;
}

static int bring_up(struct db *db, enum db_mode mode, const struct db_settings *settings)
{
    unsigned version = 0;
    int error = configure(db, mode, settings);

    /* A checkpoint connection that has not read the schema does nothing and says nothing. */
    if (!error && mode == DB_CHECKPOINT)
        return db_read_version(db, &version);
    if (!error)
        error = db_migrate(db, db->schema, mode);
    if (error)
        return error;
    db->statements = calloc(db->schema->n_names, sizeof(*db->statements));
    return db->statements ? db_prepare_all(db, db->schema) : FAULT(-ENOMEM);
}

static int open_handle(struct db *db, const char *path, int flags,
                       const struct db_settings *settings)
{
    int result = sqlite3_open_v2(path, &db->handle, flags, settings->vfs);

    if (result != SQLITE_OK)
        return db->handle ? fault_of(db, result, path) : -ENOMEM;
    sqlite3_busy_timeout(db->handle, settings->busy_ms ? settings->busy_ms : 5000);
    return 0;
}

static void write_through_us(void)
{
    static const char *const names[] = {"pwrite", "pwrite64"};
    sqlite3_vfs *system = sqlite3_vfs_find("unix");

    for (size_t i = 0; system && i < sizeof(names) / sizeof(names[0]); i++)
        system->xSetSystemCall(system, names[i], (sqlite3_syscall_ptr)db_write_page);
}

int db_open(struct db **out, const char *path, const struct db_schema *schema, enum db_mode mode,
            const struct db_settings *settings)
{
    static const struct db_settings defaults;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct db *db = calloc(1, sizeof(*db));
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
    int error;

    if (!db)
        return FAULT(-ENOMEM);
    pthread_once(&once, write_through_us);
    if (!settings)
        settings = &defaults;
    db->schema = schema;
    flags |= mode == DB_WRITE  ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
             : mode == DB_READ ? SQLITE_OPEN_READONLY
                               : SQLITE_OPEN_READWRITE;
    error = mode == DB_WRITE && !settings->vfs ? db_make_private(path) : 0;
    if (!error)
        error = open_handle(db, path, flags, settings);
    if (!error)
        error = bring_up(db, mode, settings);
    if (error) {
        db_close(db);
        return error;
    }
    *out = db;
    return 0;
}

struct db *db_close(struct db *db)
{
    if (!db)
        return NULL;
    for (unsigned i = 0; db->statements && i < db->schema->n_names; i++)
        sqlite3_finalize(db->statements[i].handle);
    sqlite3_close(db->handle);
    free(db->statements);
    free(db);
    return NULL;
}

/* ---- transactions ---- */

int db_begin(struct db *db)
{
    return db_execute(db, "BEGIN IMMEDIATE");
}

int db_commit(struct db *db)
{
    int error = db_execute(db, "COMMIT");

    if (error)
        db_rollback(db);
    return error;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle) && db_execute(db, "ROLLBACK") < 0)
        log_debug("sql", "%s: a transaction could not be rolled back", db->schema->name);
}

/* ---- stepping ---- */

struct statement *db_statement(struct db *db, unsigned name)
{
    struct statement *statement = &db->statements[name];

    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
    statement->bind_result = SQLITE_OK;
    return statement;
}

static void note_bind(struct statement *statement, int result)
{
    if (statement->bind_result == SQLITE_OK)
        statement->bind_result = result;
}

void bind_number(struct statement *statement, int parameter, int64_t value)
{
    note_bind(statement, sqlite3_bind_int64(statement->handle, parameter, value));
}

void bind_text(struct statement *statement, int parameter, struct slice text)
{
    note_bind(statement, text.data ? sqlite3_bind_text64(statement->handle, parameter, text.data,
                                                         text.len, SQLITE_STATIC, SQLITE_UTF8)
                                   : sqlite3_bind_null(statement->handle, parameter));
}

void bind_blob(struct statement *statement, int parameter, struct slice bytes)
{
    note_bind(statement, bytes.data ? sqlite3_bind_blob64(statement->handle, parameter, bytes.data,
                                                          bytes.len, SQLITE_STATIC)
                                    : sqlite3_bind_null(statement->handle, parameter));
}

int statement_step(struct statement *statement)
{
    int result = statement->bind_result;

    if (result == SQLITE_OK)
        result = sqlite3_step(statement->handle);
    if (result == SQLITE_ROW)
        return STATEMENT_ROW;
    /* The words are gone after the reset. */
    result = result == SQLITE_DONE
                 ? STATEMENT_DONE
                 : fault_of(statement->db, result, sqlite3_sql(statement->handle));
    sqlite3_reset(statement->handle);
    return result;
}

int statement_run(struct statement *statement)
{
    int result;

    do
        result = statement_step(statement);
    while (result == STATEMENT_ROW);
    return result;
}

void statement_reset(struct statement *statement)
{
    sqlite3_reset(statement->handle);
}

int64_t column_number(struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->handle, column);
}

struct slice column_text(struct statement *statement, int column)
{
    const void *text = sqlite3_column_text(statement->handle, column);

    return slice_from(text, (size_t)sqlite3_column_bytes(statement->handle, column));
}

struct slice column_blob(struct statement *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement->handle, column);

    return slice_from(bytes, (size_t)sqlite3_column_bytes(statement->handle, column));
}

bool column_is_null(struct statement *statement, int column)
{
    return sqlite3_column_type(statement->handle, column) == SQLITE_NULL;
}

/* ---- the rest ---- */

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_last_rowid(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

void db_interrupt(struct db *db)
{
    sqlite3_interrupt(db->handle);
}

const char *db_message(const struct db *db)
{
    return sqlite3_errmsg(db->handle);
}

uint32_t db_wal_pages(const struct db *db)
{
    return db->wal_pages;
}

int db_checkpoint(struct db *db, bool truncate)
{
    int n_logged = 0, n_copied = 0;
    int result = sqlite3_wal_checkpoint_v2(
        db->handle, NULL, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
        &n_logged, &n_copied);

    if (result != SQLITE_OK)
        return fault_of(db, result, "checkpoint");
    return 0;
}

int db_check(struct db *db)
{
    sqlite3_stmt *check = NULL;
    int result = sqlite3_prepare_v2(db->handle, "PRAGMA integrity_check(1)", -1, &check, NULL);
    bool is_sound = false;

    if (result == SQLITE_OK)
        result = sqlite3_step(check);
    if (result == SQLITE_ROW)
        is_sound =
            slice_equal(slice_of((const char *)sqlite3_column_text(check, 0)), SLICE_LITERAL("ok"));
    sqlite3_finalize(check);
    if (result == SQLITE_ROW)
        return is_sound ? 0 : FAULT(-EBADMSG);
    return fault_of(db, result, "integrity_check");
}
