#include "sql/counters_schema.h"

#include "sql/embedded.h"

static const char *const migrations[] = {text_counters_0001};

static const char *const names[] = {
#define COUNTERS_NAME(value, name) [value] = (name),
    COUNTERS_STATEMENTS(COUNTERS_NAME)
#undef COUNTERS_NAME
};

const struct db_schema counters_schema = {
    .name = "counters",
    .migrations = migrations,
    .n_migrations = sizeof(migrations) / sizeof(migrations[0]),
    .queries = text_queries_counters,
    .names = names,
    .n_names = N_COUNTERS_STATEMENTS,
};
