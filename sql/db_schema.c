/* What makes a database of a schema: its migrations, its named queries.  Knows no SQLite. */
#include "sql/db_schema.h"

#include <errno.h>
#include <stdio.h>

#include "relay/base/log.h"

/* ---- migrations ---- */

static int migrate_one(struct db *db, const struct db_schema *schema, unsigned version)
{
    char set_version[64];
    int error = db_begin(db);

    if (error)
        return error;
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %u", version + 1);
    error = db_execute(db, schema->migrations[version]);
    if (!error)
        error = db_execute(db, set_version);
    if (error) {
        db_rollback(db);
        return error;
    }
    return db_commit(db);
}

int db_migrate(struct db *db, const struct db_schema *schema, enum db_mode mode)
{
    unsigned version = 0;
    int error = db_read_version(db, &version);

    if (error)
        return error;
    /* A newer program wrote it: guessing would lose mail. */
    if (version > schema->n_migrations)
        return FAULT(-EPROTO);
    if (mode == DB_READ)
        return version == schema->n_migrations ? 0 : FAULT(-EPROTO);
    while (!error && version < schema->n_migrations)
        error = migrate_one(db, schema, version++);
    return error;
}

/* ---- queries ---- */

static struct slice next_query(struct slice *text, struct slice *name)
{
    static const struct slice marker = SLICE_LITERAL("-- name: ");
    ptrdiff_t start = slice_search(*text, marker), end;
    struct slice rest, query;

    if (start < 0)
        return (struct slice){NULL, 0};
    rest = slice_skip(*text, (size_t)start + marker.len);
    end = slice_find(rest, '\n');
    *name = slice_trim(slice_head(rest, end < 0 ? rest.len : (size_t)end));
    rest = slice_skip(rest, end < 0 ? rest.len : (size_t)end);
    end = slice_search(rest, marker);
    query = slice_head(rest, end < 0 ? rest.len : (size_t)end);
    *text = slice_skip(rest, query.len);
    return query;
}

/* The enum value of a name, or -1. */
static int find_name(const struct db_schema *schema, struct slice name)
{
    for (unsigned i = 0; i < schema->n_names; i++)
        if (slice_equal(name, slice_of(schema->names[i])))
            return (int)i;
    return -1;
}

int db_prepare_all(struct db *db, const struct db_schema *schema)
{
    struct slice text = slice_of(schema->queries), name, query;
    unsigned n_prepared = 0;

    while ((query = next_query(&text, &name)).data) {
        int at = find_name(schema, name), error;

        if (at < 0) {
            log_debug("sql", "%s: statement %.*s is not in the list", schema->name, (int)name.len,
                      name.data);
            return FAULT(-EINVAL);
        }
        error = db_prepare_named(db, (unsigned)at, query);
        if (error)
            return error;
        n_prepared++;
    }
    return n_prepared == schema->n_names ? 0 : FAULT(-EINVAL);
}
