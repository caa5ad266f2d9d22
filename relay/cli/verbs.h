/* Every verb in one table: words, how many arguments, which options, what runs.
 * Thread: main; private to relay/cli. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct options;

struct verb {
    const char *noun, *name; /* name NULL: the noun alone */
    size_t least, most;      /* arguments */
    const char *options;     /* "flag value=" */
    int (*run)(struct options *options);
    const char *help; /* what stands behind the words */
};

extern const struct verb verbs[];
extern const size_t n_verbs;

/* name may be NULL; NULL when there is no such verb. */
const struct verb *verb_find(const char *noun, const char *name);
bool verb_has_noun(const char *noun);
