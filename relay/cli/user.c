#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/base/secret.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

#define USERS "/api/v1/users"

static const struct column columns[] = {
    {"name",        "NAME"     },
    {"enabled",     "ENABLED"  },
    {"senders",     "SENDERS"  },
    {"networks",    "NETWORKS" },
    {"credentials", "PASSWORDS"},
    {"created",     "CREATED"  },
    {NULL,          NULL       }
};

static const struct column details[] = {
    {"name",              "name"             },
    {"enabled",           "enabled"          },
    {"senders",           "sends as"         },
    {"networks",          "networks"         },
    {"trace",             "trace"            },
    {"bounces",           "bounces"          },
    {"class",             "may set class"    },
    {"default_class",     "class"            },
    {"must_sign",         "must sign"        },
    {"limits",            "limits"           },
    {"quotas",            "quotas"           },
    {"used",              "used"             },
    {"refuse_over_quota", "refuse over quota"},
    {"contact",           "contact"          },
    {"brake",             "brake"            },
    {"braked",            "braked since"     },
    {"braked_reason",     "braked because"   },
    {"credentials",       "passwords"        },
    {"last_used",         "last used"        },
    {"imported_hash",     "imported hash"    },
    {"created",           "created"          },
    {NULL,                NULL               }
};

/* All values of an option that may be repeated. */
static json_t *all_of(const struct options *options, const char *name)
{
    json_t *values = json_array();

    for (size_t i = 0; i < options->n_values; i++)
        if (option_is_named(&options->values[i], name))
            json_array_append_new(values, json_string(options->values[i].value));
    return values;
}

/* Puts "generate", "password" or "hash" into body; EX_USAGE when several were asked for, or none
 * though one is needed. */
static int add_password(const struct options *options, json_t *body, bool is_needed)
{
    bool generates = option_is_set(options, "generate");
    bool reads_password = option_is_set(options, "password-stdin");
    bool reads_hash = option_is_set(options, "hash-stdin");
    int exit_code = EX_OK;
    char *line;

    if (!generates && !reads_password && !reads_hash && !is_needed)
        return EX_OK;
    if (generates + reads_password + reads_hash != 1) {
        fputs("staffetta: give one of --generate, --password-stdin, --hash-stdin\n", stderr);
        return EX_USAGE;
    }
    if (generates) {
        json_object_set_new(body, "generate", json_true());
        return EX_OK;
    }
    line = call_read_line();
    if (!line) {
        fputs("staffetta: no line of text came on stdin\n", stderr);
        return EX_DATAERR;
    }
    if (json_object_set_new(body, reads_hash ? "hash" : "password", json_string(line)) < 0) {
        fputs("staffetta: what came on stdin is not UTF-8\n", stderr);
        exit_code = EX_DATAERR;
    }
    secret_wipe(line, strlen(line));
    free(line);
    return exit_code;
}

/* A generated password goes alone on one line of stdout, so that scripts can take it. */
static void show_user(const struct options *options, json_t *user)
{
    const char *password = json_string_value(json_object_get(user, "password"));

    if (options->wants_json)
        print_object(options, user, details);
    else if (password)
        puts(password);
}

static int send_user(const struct options *options, const char *path, json_t *body)
{
    struct answer answer;
    int exit_code = client_ask(options, "POST", path, body, &answer);

    if (exit_code == EX_OK)
        show_user(options, answer.body);
    json_decref(answer.body);
    return exit_code;
}

int user_add(struct options *options)
{
    json_t *body = json_pack("{s:s, s:o, s:o}", "name", options->arguments[0], "senders",
                             all_of(options, "sender"), "networks", all_of(options, "network"));
    int exit_code = body ? add_password(options, body, false) : EX_DATAERR;

    if (exit_code == EX_OK)
        return send_user(options, USERS, body);
    json_decref(body);
    return exit_code;
}

int user_password(struct options *options)
{
    CLEANUP(free) char *path = call_path(USERS "/%s:password", options->arguments[0]);
    json_t *body = json_object();
    int exit_code = add_password(options, body, true);

    if (exit_code == EX_OK)
        return send_user(options, path, body);
    json_decref(body);
    return exit_code;
}

int user_list(struct options *options)
{
    return call_list(options, USERS, columns);
}

int user_show(struct options *options)
{
    CLEANUP(free) char *path = call_path(USERS "/%s", options->arguments[0]);

    return call_show(options, path, details);
}

int user_enable(struct options *options)
{
    return call_quietly(options, "POST", USERS "/%s:enable", options->arguments[0], NULL);
}

int user_disable(struct options *options)
{
    return call_quietly(options, "POST", USERS "/%s:disable", options->arguments[0], NULL);
}

int user_delete(struct options *options)
{
    return call_quietly(options, "DELETE", USERS "/%s", options->arguments[0], NULL);
}

/* "a=b" words as an object; NULL after a sentence. */
static json_t *values_of(const struct options *options)
{
    json_t *values = json_object();

    for (size_t i = 1; i < options->n_arguments; i++) {
        const char *word = options->arguments[i];
        const char *equals = strchr(word, '=');

        if (!equals || equals == word) {
            fprintf(stderr, "staffetta: %s is not OPTION=VALUE\n", word);
            json_decref(values);
            return NULL;
        }
        json_object_setn_new(values, word, (size_t)(equals - word), json_string(equals + 1));
    }
    return values;
}

/* NAME OPTION=VALUE… */
int user_limit(struct options *options)
{
    json_t *values = values_of(options);
    json_t *senders;
    json_t *body;

    if (!values)
        return EX_USAGE;
    if (json_object_size(values) == 0 && !option_is_set(options, "sender")) {
        fputs("staffetta: say what to change: OPTION=VALUE or --sender\n", stderr);
        json_decref(values);
        return EX_USAGE;
    }
    body = json_pack("{s:o}", "options", values);
    senders = all_of(options, "sender");
    if (json_array_size(senders))
        json_object_set(body, "senders", senders);
    json_decref(senders);
    return call_quietly(options, "POST", USERS "/%s:options", options->arguments[0], body);
}
