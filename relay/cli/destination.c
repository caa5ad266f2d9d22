#include <stdio.h>
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

    return call_list(options, path, columns);
}

int destination_suspend(struct options *options)
{
    const char *reason = option(options, "reason");
    const char *span = option(options, "for");
    int64_t ms = 0;

    if (!reason || (span && !config_parse_span(span, &ms))) {
        fputs(reason ? "staffetta: --for is a duration such as 30m or 2h\n"
                     : "staffetta: say why: --reason R\n",
              stderr);
        return EX_USAGE;
    }
    return call_quietly(
        options, "POST", DESTINATIONS "/%s:suspend", options->arguments[0],
        json_pack("{s:s, s:I}", "reason", reason, "for_seconds", (json_int_t)(ms / 1000)));
}

int destination_resume(struct options *options)
{
    return call_quietly(options, "POST", DESTINATIONS "/%s:resume", options->arguments[0], NULL);
}
