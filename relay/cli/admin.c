/* Administrators of the panel, for who has the machine but not the password. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

#define ADMINS "/api/v1/admins"

int admin_list(struct options *options)
{
    static const struct column columns[] = {
        {"name",          "NAME"         },
        {"role",          "ROLE"         },
        {"enabled",       "ENABLED"      },
        {"second_factor", "SECOND FACTOR"},
        {"last_login",    "LAST LOGIN"   },
        {NULL,            NULL           }
    };

    return call_list(options, ADMINS, columns);
}

/* Prints the one member that people want, or the whole with --json. */
static int post_and_print(struct options *options, const char *path, const char *member)
{
    static const struct column none[] = {
        {NULL, NULL}
    };
    struct answer answer;
    int exit_code = client_ask(options, "POST", path, NULL, &answer);
    const char *text = json_string_value(json_object_get(answer.body, member));

    if (exit_code == EX_OK && options->wants_json)
        print_object(options, answer.body, none);
    else if (exit_code == EX_OK && text)
        puts(text);
    json_decref(answer.body);
    return exit_code;
}

int admin_setup_code(struct options *options)
{
    return post_and_print(options, "/api/v1/setup:code", "code");
}

int admin_reset(struct options *options)
{
    CLEANUP(free) char *path = call_path(ADMINS "/%s:reset", options->arguments[0]);

    return path ? post_and_print(options, path, "password") : EX_OSERR;
}
