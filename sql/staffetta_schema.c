#include "sql/staffetta_schema.h"

#include "sql/embedded.h"

static const char *const migrations[] = {
    text_staffetta_0001, text_staffetta_0002, text_staffetta_0003, text_staffetta_0004,
    text_staffetta_0005, text_staffetta_0006, text_staffetta_0007, text_staffetta_0008};

static const char *const names[] = {
#define STAFFETTA_NAME(value, name) [value] = (name),
    STAFFETTA_STATEMENTS(STAFFETTA_NAME)
#undef STAFFETTA_NAME
};

const struct db_schema staffetta_schema = {
    .name = "staffetta",
    .migrations = migrations,
    .n_migrations = sizeof(migrations) / sizeof(migrations[0]),
    .queries = text_queries_staffetta,
    .names = names,
    .n_names = N_STAFFETTA_STATEMENTS,
};
