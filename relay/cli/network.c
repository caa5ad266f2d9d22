#include <stdio.h>
#include <sysexits.h>

#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

#define NETWORKS "/api/v1/networks"

int network_add(struct options *options)
{
    const char *user = option(options, "user");

    if (!user) {
        fputs("staffetta: a network belongs to a user: --user NAME\n", stderr);
        return EX_USAGE;
    }
    return call_quietly(options, "POST", NETWORKS "%s", "",
                        json_pack("{s:s, s:s}", "network", options->arguments[0], "user", user));
}

int network_list(struct options *options)
{
    static const struct column columns[] = {
        {"network", "NETWORK"},
        {"user",    "USER"   },
        {NULL,      NULL     }
    };

    return call_list(options, NETWORKS, columns);
}

int network_delete(struct options *options)
{
    return call_quietly(options, "DELETE", NETWORKS "/%s", options->arguments[0], NULL);
}
