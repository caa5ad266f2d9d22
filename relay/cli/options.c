#include "relay/cli/options.h"

#include <jansson.h>
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

/* --name value, or --name=value, of the verb. */
static bool take_option(struct options *options, int argc, char **argv, int *at)
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
    if (value->value && !*value->value && !option_is_named(value, "from"))
        return complain("an empty value follows", word);
    options->n_values++;
    return true;
}

int option_take_global(struct options *options, int argc, char **argv, int *at)
{
    if (strcmp(argv[*at], "--json") == 0) {
        options->wants_json = true;
        return 1;
    }
    if (strncmp(argv[*at], "--socket=", 9) == 0) {
        options->socket_path = argv[*at] + 9;
        return 1;
    }
    if (strcmp(argv[*at], "--socket") != 0)
        return 0;
    if (*at + 1 >= argc) {
        complain("a value is missing after", argv[*at]);
        return -1;
    }
    options->socket_path = argv[++*at];
    return 1;
}

static bool take_argument(struct options *options, const char *word)
{
    if (!*word)
        return complain("an argument is empty", "");
    if (options->n_arguments == ARGUMENTS_MAX)
        return complain("too many arguments; many ids can be sent on stdin, with", "-");
    options->arguments[options->n_arguments++] = word;
    return true;
}

static bool take_word(struct options *options, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    int taken = option_take_global(options, argc, argv, at);

    if (taken)
        return taken > 0;
    if (strcmp(word, "--help") == 0) {
        options->wants_help = true;
        return true;
    }
    return strncmp(word, "--", 2) == 0 ? take_option(options, argc, argv, at)
                                       : take_argument(options, word);
}

static bool is_utf8(const char *word)
{
    json_t *probe = json_string(word);

    json_decref(probe);
    return probe != NULL;
}

bool options_take(struct options *options, int argc, char **argv, int from)
{
    bool are_over = false;

    for (int at = from; at < argc; at++)
        if (!is_utf8(argv[at]))
            return complain("what is written must be UTF-8,", "unlike one of these words");
    for (int at = from; at < argc; at++) {
        if (!are_over && strcmp(argv[at], "--") == 0)
            are_over = true;
        else if (are_over ? !take_argument(options, argv[at])
                          : !take_word(options, argc, argv, &at))
            return false;
    }
    return true;
}
