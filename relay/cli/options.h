/* The words of a command line, sorted: verbs, then arguments; options may stand anywhere after the
 * verb, --socket and --json also before it.  Thread: main; private to relay/cli. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_MAX = 64, ARGUMENTS_MAX = 256 };

struct option_value {
    const char *name; /* without dashes, up to name_len */
    size_t name_len;
    const char *value; /* NULL: a flag */
};

struct options {
    const char *socket_path; /* --socket, else the default */
    bool wants_json;
    struct option_value values[OPTIONS_MAX];
    size_t n_values;
    const char *arguments[ARGUMENTS_MAX];
    size_t n_arguments;
    const char *allowed; /* of the verb: "generate sender= network=" */
    int (*run)(struct options *options);
};

/* The (last) value of --name, or NULL; a flag's is "". */
const char *option(const struct options *options, const char *name);
bool option_is_set(const struct options *options, const char *name);

bool option_is_named(const struct option_value *value, const char *name);

/* Adds --name value of one word; false when the verb does not know it or a value is missing, and
 * then a sentence was printed. */
bool option_take(struct options *options, int argc, char **argv, int *at);
