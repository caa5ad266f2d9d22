#include "relay/schedule/why.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name, *sentence, *action;
} whys[N_WHYS] = {
    [WHY_NOTHING] = {"nothing_queued",       "nothing is queued for it",                             NULL                },
    [WHY_NEXT] = {"next_in_line",         "it is the next in line",                               NULL                },
    [WHY_BEHIND] = {"behind_others",        "other messages for the same destination go before it", NULL                },
    [WHY_SENDING] = {"sending",              "it is being delivered now",                            NULL                },
    [WHY_RETRY] = {"retry_time",           "the last attempt was put off by the receiver",         "queue retry"       },
    [WHY_HELD] = {"held",                 "it is held",                                           "queue release"     },
    [WHY_RESOLVING] = {"resolving",            "the destination is being looked up in DNS",            NULL                },
    [WHY_SUSPENDED] = {"suspended",            "the destination is suspended",                         "destination resume"},
    [WHY_UNREACHABLE] = {"unreachable",          "the destination could not be reached",                 "queue retry"       },
    [WHY_CONNECTIONS] = {"connection_limit",     "all connections to the destination are busy",          NULL                },
    [WHY_CONNECTION_PACE] = {"connection_rate",      "new connections are limited in number by time",
                     NULL                                                                                                },
    [WHY_MESSAGE_PACE] = {"message_rate",         "messages are limited in number by time",               NULL                },
    [WHY_PERMITS] = {"outgoing_connections", "all outgoing connections are in use",                  NULL                },
    [WHY_SIGNER] = {"no_signer",            "the process that signs does not answer",               NULL                },
    [WHY_PAUSED] = {"paused",               "no new delivery is started at the moment",             NULL                },
};

const char *why_name(enum why_kind kind)
{
    assert(kind < N_WHYS);
    return whys[kind].name;
}

const char *why_sentence(enum why_kind kind)
{
    assert(kind < N_WHYS);
    return whys[kind].sentence;
}

const char *why_action(enum why_kind kind)
{
    assert(kind < N_WHYS);
    return whys[kind].action;
}
