#include "relay/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/cli/nouns.h"
#include "relay/cli/options.h"
#include "relay/cli/sink.h"

#define DEFAULT_SOCKET "/run/staffetta/control.sock"

struct verb {
    const char *noun, *verb; /* verb NULL: the noun alone */
    size_t least, most;      /* arguments */
    const char *options;     /* "flag value=" */
    int (*run)(struct options *options);
    const char *help;
};

#define SELECTION "dest= user= from= all dry-run reason="

static const struct verb verbs[] = {
    {"config",      "check",    0, 1,             "config=",                                             config_check_main,   "[FILE]"                             },
    {"config",      "show",     0, 0,             "changed explain",                                     config_show_main,    "[--changed] [--explain]"            },
    {"user",        "add",      1, 1,             "generate password-stdin hash-stdin sender= network=", user_add,
     "NAME [--generate | --password-stdin | --hash-stdin] [--sender ADDRESS|DOMAIN|'*']… "
     "[--network CIDR]…"                                                                                                                                         },
    {"user",        "list",     0, 0,             "",                                                    user_list,           ""                                   },
    {"user",        "show",     1, 1,             "",                                                    user_show,           "NAME"                               },
    {"user",        "password", 1, 1,             "generate password-stdin hash-stdin",                  user_password,
     "NAME --generate | --password-stdin | --hash-stdin"                                                                                                           },
    {"user",        "enable",   1, 1,             "",                                                    user_enable,         "NAME"                               },
    {"user",        "disable",  1, 1,             "",                                                    user_disable,        "NAME"                               },
    {"user",        "delete",   1, 1,             "",                                                    user_delete,         "NAME"                               },
    {"user",        "limit",    1, ARGUMENTS_MAX, "sender=",                                             user_limit,
     "NAME OPTION=VALUE… [--sender …]   options: sessions, recipients, message_size, trace, "
     "bounces, "
     "class, must_sign, refuse_over_quota"                                                                                                                         },
    {"network",     "add",      1, 1,             "user=",                                               network_add,         "CIDR --user NAME"                   },
    {"network",     "list",     0, 0,             "",                                                    network_list,        ""                                   },
    {"network",     "delete",   1, 1,             "",                                                    network_delete,      "CIDR"                               },
    {"domain",      "add",      1, 1,             "require-signing",                                     domain_add,          "DOMAIN [--require-signing]"         },
    {"domain",      "list",     0, 0,             "",                                                    domain_list,         ""                                   },
    {"domain",      "check",    1, 1,             "",                                                    domain_check,        "DOMAIN"                             },
    {"domain",      "delete",   1, 1,             "",                                                    domain_delete,       "DOMAIN"                             },
    {"dkim",        "new",      1, 1,             "selector= type= import=",                             dkim_new,
     "DOMAIN [--selector S] [--type rsa2048|ed25519|both] [--import PEM-FILE]"                                                                                     },
    {"dkim",        "dns",      1, 1,             "selector=",                                           dkim_dns,            "DOMAIN [--selector S]"              },
    {"dkim",        "list",     0, 0,             "",                                                    dkim_list,           ""                                   },
    {"queue",       "list",     0, 0,             "dest= user= state= from= limit=",                     queue_list,
     "[--dest D] [--user U] [--state S] [--from A] [--limit N]"                                                                                                    },
    {"queue",       "summary",  0, 0,             "",                                                    queue_summary,       ""                                   },
    {"queue",       "why",      1, 1,             "",                                                    queue_why,           "ID|DOMAIN"                          },
    {"queue",       "rebuild",  0, 0,             "config=",                                             queue_rebuild,       "[--config FILE]   (service stopped)"},
    {"queue",       "show",     1, ARGUMENTS_MAX, "",                                                    queue_show,          "ID…"                              },
    {"queue",       "retry",    0, ARGUMENTS_MAX, SELECTION,                                             queue_retry,
     "ID… | - | --dest D | --user U | --from S | --all"                                                                                                          },
    {"queue",       "hold",     0, ARGUMENTS_MAX, SELECTION,                                             queue_hold,          "as retry"                           },
    {"queue",       "release",  0, ARGUMENTS_MAX, SELECTION,                                             queue_release,       "as retry"                           },
    {"queue",       "requeue",  0, ARGUMENTS_MAX, SELECTION,                                             queue_requeue,       "as retry"                           },
    {"queue",       "bounce",   0, ARGUMENTS_MAX, SELECTION,                                             queue_bounce,        "as retry"                           },
    {"queue",       "delete",   0, ARGUMENTS_MAX, SELECTION,                                             queue_delete,        "as retry"                           },
    {"destination", "list",     0, 0,             "",                                                    destination_list,    ""                                   },
    {"destination", "show",     1, 1,             "",                                                    destination_show,    "NAME"                               },
    {"destination", "suspend",  1, 1,             "reason= for=",                                        destination_suspend,
     "NAME --reason R [--for 2h]"                                                                                                                                  },
    {"destination", "resume",   1, 1,             "",                                                    destination_resume,  "NAME"                               },
    {"suppression", "list",     0, 0,             "",                                                    suppression_list,    ""                                   },
    {"suppression", "add",      1, 1,             "user= reason=",                                       suppression_add,
     "ADDRESS|DOMAIN [--user U] [--reason R]"                                                                                                                      },
    {"suppression", "delete",   1, 1,             "user=",                                               suppression_delete,  "ADDRESS|DOMAIN [--user U]"          },
    {"health",      NULL,       0, 0,             "",                                                    health,              ""                                   },
    {"version",     NULL,       0, 0,             "",                                                    version,             ""                                   },
};

enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static void print_help(FILE *out, const char *noun)
{
    if (!noun)
        fputs("usage: staffetta [--socket PATH] [--json] NOUN VERB …\n"
              "  serve [--config FILE]\n"
              "  sink --listen ADDR:PORT [--tls CERT,KEY] [--dir DIR] [--count] [--script FILE]\n",
              out);
    for (size_t i = 0; i < N_VERBS; i++)
        if (!noun || strcmp(noun, verbs[i].noun) == 0)
            fprintf(out, "  %s%s%s %s\n", verbs[i].noun, verbs[i].verb ? " " : "",
                    verbs[i].verb ? verbs[i].verb : "", verbs[i].help);
}

static const struct verb *find_verb(const char *noun, const char *verb)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(verbs[i].noun, noun) == 0 &&
            (!verbs[i].verb || (verb && strcmp(verbs[i].verb, verb) == 0)))
            return &verbs[i];
    return NULL;
}

/* Options that may stand before the verb; true when the word was one of them. */
static bool take_global(struct options *options, int argc, char **argv, int *at)
{
    if (strcmp(argv[*at], "--json") == 0) {
        options->wants_json = true;
    } else if (strcmp(argv[*at], "--socket") == 0 && *at + 1 < argc) {
        options->socket_path = argv[++*at];
    } else if (strncmp(argv[*at], "--socket=", 9) == 0) {
        options->socket_path = argv[*at] + 9;
    } else {
        return false;
    }
    return true;
}

static bool take_words(struct options *options, int argc, char **argv, int from)
{
    for (int at = from; at < argc; at++) {
        if (take_global(options, argc, argv, &at))
            continue;
        if (strncmp(argv[at], "--", 2) == 0 && argv[at][2]) {
            if (!option_take(options, argc, argv, &at))
                return false;
        } else if (options->n_arguments < ARGUMENTS_MAX) {
            options->arguments[options->n_arguments++] = argv[at];
        } else {
            fputs("staffetta: too many arguments; send ids on stdin with -\n", stderr);
            return false;
        }
    }
    return true;
}

static int run(const struct verb *verb, struct options *options, int argc, char **argv, int from)
{
    options->allowed = verb->options;
    if (!take_words(options, argc, argv, from))
        return EX_USAGE;
    if (options->n_arguments < verb->least || options->n_arguments > verb->most) {
        fprintf(stderr, "usage: staffetta %s %s %s\n", verb->noun, verb->verb ? verb->verb : "",
                verb->help);
        return EX_USAGE;
    }
    return verb->run(options);
}

int cli_main(int argc, char **argv)
{
    struct options options = {.socket_path = DEFAULT_SOCKET};
    const struct verb *verb;
    int at = 1;

    while (at < argc && take_global(&options, argc, argv, &at))
        at++;
    if (at < argc && strcmp(argv[at], "sink") == 0)
        return sink_main(argc - at, argv + at);
    if (at < argc && (strcmp(argv[at], "help") == 0 || strcmp(argv[at], "--help") == 0)) {
        print_help(stdout, NULL);
        return EX_OK;
    }
    verb = at < argc ? find_verb(argv[at], at + 1 < argc ? argv[at + 1] : NULL) : NULL;
    if (!verb) {
        print_help(stderr, at < argc && find_verb(argv[at], NULL) ? argv[at] : NULL);
        return EX_USAGE;
    }
    return run(verb, &options, argc, argv, at + (verb->verb ? 2 : 1));
}
