/* health and version. */
#include <stdio.h>
#include <sysexits.h>

#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

/* 0 only when every listener accepts, and mail too; before that 69. */
int health(struct options *options)
{
    static const struct column columns[] = {
        {"status",    "status"        },
        {"listeners", "listeners"     },
        {"signer",    "signer answers"},
        {"queue",     "queue healthy" },
        {"disk_full", "disk full"     },
        {"started",   "started"       },
        {"notes",     "notes"         },
        {NULL,        NULL            }
    };
    struct answer answer;
    int exit_code = client_ask(options, "GET", "/api/v1/health", NULL, &answer);

    if (answer.body)
        print_object(options, answer.body, columns);
    json_decref(answer.body);
    return exit_code;
}

int version(struct options *options)
{
    if (options->wants_json)
        print_line("{\"name\":\"staffetta\",\"version\":\"%s\"}", STAFFETTA_VERSION);
    else
        print_line("staffetta %s", STAFFETTA_VERSION);
    return EX_OK;
}
