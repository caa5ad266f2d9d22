/* The words of a command line, sorted: verbs, then arguments; options may stand anywhere after the
 * verb, --socket and --json also before it.  `--` ends the options.
 * Thread: main; private to relay/cli. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_MAX = 1024, ARGUMENTS_MAX = 4096 };

struct option_value {
    const char *name; /* without dashes, up to name_len */
    size_t name_len;
    const char *value; /* NULL: a flag */
};

struct options {
    const char *socket_path; /* --socket, else the default */
    bool wants_json, wants_help;
    struct option_value values[OPTIONS_MAX];
    size_t n_values;
    const char *arguments[ARGUMENTS_MAX];
    size_t n_arguments;
    const char *allowed; /* of the verb: "generate sender= network=" */
};

/* The (last) value of --name, or NULL; a flag's is "". */
const char *option(const struct options *options, const char *name);
bool option_is_set(const struct options *options, const char *name);

bool option_is_named(const struct option_value *value, const char *name);

/* The words from argv[from] on.  False when one is unknown, lacks its value, is empty or no UTF-8
 * (what cannot be sent must not be left out of an order), or there are too many; a sentence was
 * printed. */
bool options_take(struct options *options, int argc, char **argv, int from);

/* --json or --socket at argv[*at]: 1 when it was one (*at is then its last word), 0 when not, -1
 * when its value is missing, and a sentence was printed. */
int option_take_global(struct options *options, int argc, char **argv, int *at);
