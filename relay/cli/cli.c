#include "relay/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/cli/options.h"
#include "relay/cli/sink.h"
#include "relay/cli/verbs.h"

#define DEFAULT_SOCKET "/run/staffetta/control.sock"

static void print_verb(FILE *out, const struct verb *verb)
{
    fprintf(out, "  staffetta %s%s%s %s\n", verb->noun, verb->name ? " " : "",
            verb->name ? verb->name : "", verb->help);
}

/* noun NULL: all. */
static void print_help(FILE *out, const char *noun)
{
    fputs("usage: staffetta [--socket PATH] [--json] NOUN VERB …\n", out);
    if (!noun)
        fputs("  staffetta serve [--config FILE]\n"
              "  staffetta sink --listen ADDR:PORT [--tls CERT,KEY] [--dir DIR] [--count] "
              "[--script FILE]\n",
              out);
    for (size_t i = 0; i < n_verbs; i++)
        if (!noun || strcmp(noun, verbs[i].noun) == 0)
            print_verb(out, &verbs[i]);
}

static int run(const struct verb *verb, struct options *options, int argc, char **argv, int from)
{
    int exit_code;

    options->allowed = verb->options;
    if (!options_take(options, argc, argv, from))
        return EX_USAGE;
    if (options->wants_help) {
        print_verb(stdout, verb);
        return EX_OK;
    }
    if (options->n_arguments < verb->least || options->n_arguments > verb->most) {
        fputs("usage:\n", stderr);
        print_verb(stderr, verb);
        return EX_USAGE;
    }
    exit_code = verb->run(options);
    /* A full disk or a closed pipe must not look like a whole list. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && exit_code == EX_OK)
        exit_code = EX_IOERR;
    return exit_code;
}

/* Options that stand before a word; false when one lacks its value. */
static bool skip_globals(struct options *options, int argc, char **argv, int *at)
{
    int taken = 0;

    while (*at < argc && (taken = option_take_global(options, argc, argv, at)) > 0)
        ++*at;
    return taken >= 0;
}

int cli_main(int argc, char **argv)
{
    struct options options = {.socket_path = DEFAULT_SOCKET};
    const struct verb *verb;
    const char *noun;
    int at = 1;

    if (!skip_globals(&options, argc, argv, &at))
        return EX_USAGE;
    noun = at < argc ? argv[at] : "";
    if (strcmp(noun, "sink") == 0)
        return sink_main(argc - at, argv + at);
    if (strcmp(noun, "help") == 0 || strcmp(noun, "--help") == 0) {
        print_help(stdout, NULL);
        return EX_OK;
    }
    at++;
    if (!skip_globals(&options, argc, argv, &at))
        return EX_USAGE;
    verb = verb_find(noun, at < argc ? argv[at] : NULL);
    if (!verb) {
        print_help(stderr, verb_has_noun(noun) ? noun : NULL);
        return EX_USAGE;
    }
    return run(verb, &options, argc, argv, at + (verb->name ? 1 : 0));
}
