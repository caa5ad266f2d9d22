#include "sql/history_schema.h"

#include "sql/embedded.h"

static const char *const migrations[] = {text_history_0001};

static const char *const names[] = {
#define HISTORY_NAME(value, name) [value] = (name),
    HISTORY_STATEMENTS(HISTORY_NAME)
#undef HISTORY_NAME
};

const struct db_schema history_schema = {
    .name = "history",
    .migrations = migrations,
    .n_migrations = sizeof(migrations) / sizeof(migrations[0]),
    .queries = text_queries_history,
    .names = names,
    .n_names = N_HISTORY_STATEMENTS,
};
