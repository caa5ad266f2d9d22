#include "sql/queue_schema.h"

#include "sql/embedded.h"

static const char *const migrations[] = {text_queue_0001, text_queue_0002, text_queue_0003};

static const char *const names[] = {
#define QUEUE_NAME(value, name) [value] = (name),
    QUEUE_STATEMENTS(QUEUE_NAME)
#undef QUEUE_NAME
};

const struct db_schema queue_schema = {
    .name = "queue",
    .migrations = migrations,
    .n_migrations = sizeof(migrations) / sizeof(migrations[0]),
    .queries = text_queries_queue,
    .names = names,
    .n_names = N_QUEUE_STATEMENTS,
};
