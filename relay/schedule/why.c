#include "relay/schedule/why.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name, *sentence, *action;
} whys[N_WHYS] = {
    [WHY_NOTHING] = {"nothing_queued",            "nothing is queued for it",                                   NULL                },
    [WHY_NEXT] = {"next_in_line",              "it is the next in line",                                     NULL                },
    [WHY_BEHIND] = {"behind_others",             "other messages for the same destination go before it",       NULL                },
    [WHY_SENDING] = {"sending",                   "it is being delivered now",                                  NULL                },
    [WHY_RETRY] = {"retry_time",                "the last attempt was put off by the receiver",               "queue retry"       },
    [WHY_HELD] = {"held",                      "it is held",                                                 "queue release"     },
    [WHY_RESOLVING] = {"resolving",                 "the destination is being looked up in DNS",                  NULL                },
    [WHY_SUSPENDED] = {"suspended",                 "the destination is suspended",                               "destination resume"},
    [WHY_UNREACHABLE] = {"unreachable",               "the destination could not be reached",                       "queue retry"       },
    [WHY_CONNECTIONS] = {"connection_limit",          "all connections to the destination are busy",                NULL                },
    [WHY_CONNECTION_PACE] = {"connection_rate",           "new connections are limited in number by time",
                     NULL                                                                                                           },
    [WHY_MESSAGE_PACE] = {"message_rate",              "messages are limited in number by time",                     NULL                },
    [WHY_PERMITS] = {"outgoing_connections",      "all outgoing connections are in use",                        NULL                },
    [WHY_SIGNER] = {"no_signer",                 "the process that signs does not answer",                     NULL                },
    [WHY_RESTS] = {"resting",                   "a reply of the destination made it rest",                    "destination resume"},
    [WHY_PROBED] = {"probe",                     "one message shows whether the destination takes mail again", NULL                },
    [WHY_SLOWED] = {"slowed_down",               "replies of the destination asked for a lower pace",          NULL                },
    [WHY_PROVIDER_SUSPENDED] = {"provider_suspended",        "the provider is suspended",
                     "destination resume"                                                                                           },
    [WHY_PROVIDER_RESTS] = {"provider_resting",          "a reply of the provider made it rest",
                     "destination resume"                                                                                           },
    [WHY_PROVIDER_CONNECTIONS] = {"provider_connection_limit",
                     "all connections to the provider are busy",                                                NULL                },
    [WHY_PROVIDER_CONNECTION_PACE] =
        {"provider_connection_rate",
                     "new connections to the provider are limited in number by time",                           NULL                },
    [WHY_PROVIDER_PACE] = {"provider_message_rate",
                     "messages to the provider are limited in number by time",                                  NULL                },
    [WHY_ADDRESS_SUSPENDED] = {"address_suspended",         "the address it leaves from is suspended",
                     "destination resume"                                                                                           },
    [WHY_ADDRESS_RESTS] = {"address_resting",           "a reply made the address it leaves from rest",
                     "destination resume"                                                                                           },
    [WHY_WARM_UP] = {"warm_up",                   "the address it leaves from has sent what it may today",      NULL                },
    [WHY_NO_ADDRESS] = {"no_address",                "no address is in the pool it leaves from",                   NULL                },
    [WHY_QUOTA] = {"quota",                     "its user is over a quota",                                   "queue release"     },
    [WHY_BRAKED] = {"braked",                    "all mail of its user is held: the password may be stolen",
                     "user enable"                                                                                                  },
    [WHY_USER_SUSPENDED] = {"user_suspended",            "the mail of its user is suspended",
                     "destination resume"                                                                                           },
    [WHY_USER_PACE] = {"user_message_rate",         "an operator slowed the mail of its user down",
                     "destination resume"                                                                                           },
    [WHY_CAMPAIGN_SUSPENDED] = {"campaign_suspended",        "its campaign is held",                                       "campaign release"  },
    [WHY_CAMPAIGN_PACE] = {"campaign_message_rate",     "an operator slowed its campaign down",
                     "destination resume"                                                                                           },
    [WHY_PAUSED] = {"paused",                    "no new delivery is started at the moment",                   NULL                },
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

bool why_stands_without_mail(enum why_kind kind)
{
    static const bool stands[N_WHYS] = {
        [WHY_SUSPENDED] = true,      [WHY_UNREACHABLE] = true,
        [WHY_RESTS] = true,          [WHY_PROVIDER_SUSPENDED] = true,
        [WHY_PROVIDER_RESTS] = true, [WHY_ADDRESS_SUSPENDED] = true,
        [WHY_ADDRESS_RESTS] = true,  [WHY_WARM_UP] = true,
    };

    return stands[kind];
}
