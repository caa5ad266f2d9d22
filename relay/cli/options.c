#include "relay/cli/options.h"

#include <stdio.h>
#include <string.h>

bool option_is_named(const struct option_value *value, const char *name)
{
    return strlen(name) == value->name_len && memcmp(value->name, name, value->name_len) == 0;
}

const char *option(const struct options *options, const char *name)
{
    for (size_t i = options->n_values; i > 0; i--)
        if (option_is_named(&options->values[i - 1], name))
            return options->values[i - 1].value ? options->values[i - 1].value : "";
    return NULL;
}

bool option_is_set(const struct options *options, const char *name)
{
    return option(options, name) != NULL;
}

enum known { UNKNOWN, FLAG, VALUED };

/* allowed is "flag value= ...". */
static enum known is_known(const char *allowed, const char *name, size_t len)
{
    const char *word = allowed;

    while (word && *word) {
        size_t word_len = strcspn(word, " ");
        bool has_value = word_len && word[word_len - 1] == '=';

        if (word_len - has_value == len && strncmp(word, name, len) == 0)
            return has_value ? VALUED : FLAG;
        word += word_len + strspn(word + word_len, " ");
    }
    return UNKNOWN;
}

static bool complain(const char *what, const char *word)
{
    fprintf(stderr, "staffetta: %s %s\n", what, word);
    return false;
}

bool option_take(struct options *options, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    enum known known = is_known(options->allowed, name, len);
    struct option_value *value = &options->values[options->n_values];

    if (known == UNKNOWN)
        return complain("unknown option", word);
    if (options->n_values == OPTIONS_MAX)
        return complain("too many options at", word);
    if (known == FLAG && equals)
        return complain("no value belongs to", word);
    if (known == VALUED && !equals && *at + 1 >= argc)
        return complain("a value is missing after", word);
    *value = (struct option_value){.name = name, .name_len = len};
    if (known == VALUED)
        value->value = equals ? equals + 1 : argv[++*at];
    options->n_values++;
    return true;
}
