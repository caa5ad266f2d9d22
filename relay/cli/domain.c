#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

#define DOMAINS "/api/v1/domains"

int domain_add(struct options *options)
{
    return call_quietly(options, "POST", DOMAINS "%s", "",
                        json_pack("{s:s, s:b}", "name", options->arguments[0], "requires_signing",
                                  option_is_set(options, "require-signing")));
}

int domain_list(struct options *options)
{
    static const struct column columns[] = {
        {"name",             "NAME"            },
        {"requires_signing", "REQUIRES SIGNING"},
        {"created",          "CREATED"         },
        {NULL,               NULL              }
    };

    return call_list(options, DOMAINS, columns);
}

/* EX_OK only when every key is published as we hold it. */
int domain_check(struct options *options)
{
    static const struct column columns[] = {
        {"record_name", "RECORD"},
        {"type",        "TYPE"  },
        {"finding",     "FOUND" },
        {"why",         "WHY"   },
        {NULL,          NULL    }
    };
    CLEANUP(free) char *path = call_path(DOMAINS "/%s:check", options->arguments[0]);
    struct answer answer;
    int exit_code = client_ask(options, "POST", path, NULL, &answer);

    if (exit_code == EX_OK) {
        print_items(options, json_object_get(answer.body, "items"), columns);
        if (!json_is_true(json_object_get(answer.body, "ok")))
            exit_code = EX_DATAERR;
    }
    json_decref(answer.body);
    return exit_code;
}

int domain_delete(struct options *options)
{
    return call_quietly(options, "DELETE", DOMAINS "/%s", options->arguments[0], NULL);
}
