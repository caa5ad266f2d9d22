/* Between db.c, the one file that talks to SQLite, and what makes a database of a schema.  Nobody
 * else includes this.  Thread: the connection's. */
#pragma once

#include "sql/db.h"

/* ---- db_schema.c ---- */

MUST_USE int db_migrate(struct db *db, const struct db_schema *schema, enum db_mode mode);
MUST_USE int db_prepare_all(struct db *db, const struct db_schema *schema);

/* ---- db.c ---- */

MUST_USE int db_execute(struct db *db, const char *sql);
MUST_USE int db_read_version(struct db *db, unsigned *version);
MUST_USE int db_prepare_named(struct db *db, unsigned name, struct slice query);
