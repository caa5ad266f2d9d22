/* A statement with its parameters in one line: registry_run(registry, STAFFETTA_…, N(1), T(name)).
 * Thread: the settings thread. */
#pragma once

#include "policy/registry_internal.h"

struct parameter {
    enum { PARAMETER_NUMBER, PARAMETER_TEXT, PARAMETER_BLOB } type;
    int64_t number;
    struct slice bytes;
};
#define N(value) ((struct parameter){.type = PARAMETER_NUMBER, .number = (int64_t)(value)})
#define T(value) ((struct parameter){.type = PARAMETER_TEXT, .bytes = (value)})
#define B(value) ((struct parameter){.type = PARAMETER_BLOB, .bytes = (value)})

static inline struct statement *registry_bind(struct registry *registry,
                                              enum staffetta_statement name,
                                              const struct parameter *parameters, int n)
{
    struct statement *statement = db_statement(registry->db, name);

    for (int i = 0; i < n; i++) {
        if (parameters[i].type == PARAMETER_NUMBER)
            bind_number(statement, i + 1, parameters[i].number);
        else if (parameters[i].type == PARAMETER_TEXT)
            bind_text(statement, i + 1, parameters[i].bytes);
        else
            bind_blob(statement, i + 1, parameters[i].bytes);
    }
    return statement;
}

#define registry_statement(registry, name, ...)                                                    \
    registry_bind(                                                                                 \
        (registry), (name), (const struct parameter[]){__VA_ARGS__},                               \
        (int)(sizeof((const struct parameter[]){__VA_ARGS__}) / sizeof(struct parameter)))

/* 0 or -errno. */
#define registry_run(registry, name, ...)                                                          \
    statement_run(registry_statement((registry), (name), __VA_ARGS__))
