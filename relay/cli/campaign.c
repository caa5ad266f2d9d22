#include <stddef.h>

#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

int campaign_list(struct options *options)
{
    static const struct column columns[] = {
        {"name",       "CAMPAIGN"  },
        {"user",       "USER"      },
        {"messages",   "MESSAGES"  },
        {"recipients", "RECIPIENTS"},
        {"delivered",  "DELIVERED" },
        {"failed",     "FAILED"    },
        {"last",       "LAST"      },
        {NULL,         NULL        }
    };

    return call_list(options, "/api/v1/campaigns", columns);
}
