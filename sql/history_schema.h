/* One day of what became of mail: data_dir/history/DAY.db.
 * Statements: sql/queries_history.sql.  Thread: a value, any. */
#pragma once

#include "sql/db.h"

#define HISTORY_STATEMENTS(X)                                                                      \
    X(HISTORY_ADD, "add_outcome")                                                                  \
    X(HISTORY_LAST, "last_outcome")                                                                \
    X(HISTORY_BETWEEN, "outcomes_between")                                                         \
    X(HISTORY_TO, "outcomes_to")                                                                   \
    X(HISTORY_OF, "outcomes_of")

enum history_statement {
#define HISTORY_ENUM(value, name) value,
    HISTORY_STATEMENTS(HISTORY_ENUM)
#undef HISTORY_ENUM
        N_HISTORY_STATEMENTS
};

extern const struct db_schema history_schema;
