#include <stddef.h>

#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

int egress_list(struct options *options)
{
    static const struct column columns[] = {
        {"egress",         "EGRESS"  },
        {"address",        "ADDRESS" },
        {"provider",       "PROVIDER"},
        {"state",          "STATE"   },
        {"day",            "DAY"     },
        {"days",           "OF"      },
        {"used",           "USED"    },
        {"limit",          "TODAY"   },
        {"deferral_share", "PUT OFF" },
        {NULL,             NULL      }
    };

    return call_list(options, "/api/v1/egress", columns);
}
