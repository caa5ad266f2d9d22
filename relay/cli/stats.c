#include <stdlib.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

static void print_figures(const char *name, const json_t *item)
{
    json_t *failed = json_object_get(item, "failed"), *deferred = json_object_get(item, "deferred");
    json_t *all = json_deep_copy(deferred);
    const char *bounce_class;
    json_t *ignored;

    json_object_update(all, failed);
    json_object_foreach(all, bounce_class, ignored)
    {
        print_line("%-32s  %-16s  %10lld  %10lld", name, bounce_class,
                   (long long)json_integer_value(json_object_get(failed, bounce_class)),
                   (long long)json_integer_value(json_object_get(deferred, bounce_class)));
    }
    json_decref(all);
}

/* Mail to personal mailboxes today, by sending domain. */
static int stats_personal(struct options *options)
{
    static const struct column columns[] = {
        {"domain",   "DOMAIN"  },
        {"provider", "PROVIDER"},
        {"count",    "TODAY"   },
        {"of",       "OF"      },
        {"percent",  "PERCENT" },
        {"until",    "UNTIL"   },
        {NULL,       NULL      }
    };

    return call_list(options, "/api/v1/stats/personal", columns);
}

/* Recipients that failed or were put off since the start, by bounce class. */
static int stats_bounces(struct options *options, const char *by)
{
    static const struct column none[] = {
        {NULL, NULL}
    };
    CLEANUP(free) char *path = call_path("/api/v1/stats/bounces?by=%s", by);
    struct answer answer;
    int exit_code = client_ask(options, "GET", path, NULL, &answer);
    json_t *items = json_object_get(answer.body, "items"), *item;
    size_t index;

    if (exit_code == EX_OK && options->wants_json)
        print_items(options, items, none);
    else if (exit_code == EX_OK) {
        print_line("%-32s  %-16s  %10s  %10s", "NAME", "CLASS", "FAILED", "DEFERRED");
        json_array_foreach(items, index, item)
        {
            CLEANUP(free) char *name = print_member(item, "name");
            bool is_other = json_is_true(json_object_get(item, "other"));

            print_figures(is_other ? "(other)" : *name ? name : "(none)", item);
        }
    }
    json_decref(answer.body);
    return exit_code;
}

int stats(struct options *options)
{
    const char *by = option(options, "by");

    return option_is_set(options, "personal") ? stats_personal(options)
                                              : stats_bounces(options, by ? by : "user");
}
