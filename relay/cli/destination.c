#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"
#include "relay/control/config.h"

#define DESTINATIONS "/api/v1/destinations"

static const struct column columns[] = {
    {"name",        "NAME"       },
    {"ready",       "READY"      },
    {"waiting",     "WAITING"    },
    {"sending",     "SENDING"    },
    {"held",        "HELD"       },
    {"connections", "CONNECTIONS"},
    {"state",       "STATE"      },
    {"until",       "UNTIL"      },
    {"reason",      "REASON"     },
    {NULL,          NULL         }
};

int destination_list(struct options *options)
{
    return call_list(options, DESTINATIONS, columns);
}

int destination_show(struct options *options)
{
    CLEANUP(free) char *path = call_path(DESTINATIONS "?name=%s", options->arguments[0]);
    struct answer answer;
    int exit_code = client_ask(options, "GET", path, NULL, &answer);
    json_t *items = json_object_get(answer.body, "items");

    if (exit_code == EX_OK && json_array_size(items) == 0) {
        print_complaint("no mail waits for it, and it is not suspended");
        exit_code = EX_NOUSER;
    }
    if (exit_code == EX_OK)
        print_items(options, items, columns);
    json_decref(answer.body);
    return exit_code;
}

int destination_suspend(struct options *options)
{
    const char *reason = option(options, "reason");
    const char *span = option(options, "for");
    int64_t ms = 0;
    json_t *body;

    if (!reason || (span && (!config_parse_span(span, &ms) || ms < 1000))) {
        print_complaint(reason ? "--for is a duration such as 30m or 2h" : "say why: --reason R");
        return EX_USAGE;
    }
    body = json_pack("{s:s}", "reason", reason);
    if (span)
        json_object_set_new(body, "for_seconds", json_integer(ms / 1000));
    return call_quietly(options, "POST", DESTINATIONS "/%s:suspend", options->arguments[0], body);
}

int destination_resume(struct options *options)
{
    return call_quietly(options, "POST", DESTINATIONS "/%s:resume", options->arguments[0], NULL);
}
