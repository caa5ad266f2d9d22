#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

#define SUPPRESSIONS "/api/v1/suppressions"

int suppression_list(struct options *options)
{
    static const struct column columns[] = {
        {"address", "ADDRESS"},
        {"user",    "USER"   },
        {"reason",  "REASON" },
        {"by",      "BY"     },
        {"since",   "SINCE"  },
        {NULL,      NULL     }
    };

    return call_list(options, SUPPRESSIONS, columns);
}

int suppression_add(struct options *options)
{
    const char *user = option(options, "user");
    const char *reason = option(options, "reason");
    json_t *body = json_pack("{s:s}", "address", options->arguments[0]);

    if (reason)
        json_object_set_new(body, "reason", json_string(reason));
    if (user)
        json_object_set_new(body, "user", json_string(user));
    return call_quietly(options, "POST", SUPPRESSIONS "%s", "", body);
}

int suppression_delete(struct options *options)
{
    const char *user = option(options, "user");
    CLEANUP(free) char *escaped = client_escape(user ? user : "");
    CLEANUP(free) char *format = NULL;

    if (asprintf(&format, "%s/%%s%s%s", SUPPRESSIONS, user ? "?user=" : "", escaped) < 0)
        return EX_OSERR;
    return call_quietly(options, "DELETE", format, options->arguments[0], NULL);
}
