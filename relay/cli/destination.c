#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

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

/* ---- orders ---- */

static const char *const scopes[] = {"provider", "user", "campaign", "address"};
enum { N_SCOPES = sizeof(scopes) / sizeof(scopes[0]) };

/* Whom an order is about, as the API names it: NAME, or "provider:NAME" of --provider NAME.
 * malloc()ed; NULL after a complaint. */
static char *subject_of(const struct options *options)
{
    const char *name = options->n_arguments ? options->arguments[0] : NULL;
    const char *scope = NULL;
    char *subject = NULL;
    unsigned n_named = name != NULL;

    for (size_t i = 0; i < N_SCOPES; i++)
        if (option_is_set(options, scopes[i])) {
            scope = scopes[i];
            name = option(options, scope);
            n_named++;
        }
    if (n_named != 1) {
        print_complaint("say for whom, once: NAME of a domain or destination, --provider P, "
                        "--user U, --campaign C, or --address A");
        return NULL;
    }
    if (asprintf(&subject, "%s%s%s", scope ? scope : "", scope ? ":" : "", name) < 0)
        return NULL;
    return subject;
}

/* {reason, for_seconds}; NULL after a complaint. */
static json_t *body_of(const struct options *options)
{
    const char *reason = option(options, "reason");

    if (!reason) {
        print_complaint("say why: --reason R");
        return NULL;
    }
    return call_order(options, reason);
}

/* body is taken; NULL: somebody complained. */
static int order(const struct options *options, const char *format, json_t *body)
{
    CLEANUP(free) char *subject = body ? subject_of(options) : NULL;

    if (subject)
        return call_quietly(options, "POST", format, subject, body);
    json_decref(body);
    return EX_USAGE;
}

int destination_suspend(struct options *options)
{
    return order(options, DESTINATIONS "/%s:suspend", body_of(options));
}

static bool add_limits(const struct options *options, json_t *body)
{
    static const struct {
        const char *option, *member;
    } rows[] = {
        {"connections", "connections"        },
        {"per-second",  "messages_per_second"},
        {"per-minute",  "messages_per_minute"},
        {"per-hour",    "messages_per_hour"  },
        {"per-day",     "messages_per_day"   },
    };
    bool has_one = false;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = option(options, rows[i].option);
        uint64_t figure;

        if (!text)
            continue;
        if (!slice_to_number(slice_of(text), 1000000000, &figure) || figure == 0)
            return false;
        json_object_set_new(body, rows[i].member, json_integer((json_int_t)figure));
        has_one = true;
    }
    return has_one;
}

int destination_throttle(struct options *options)
{
    json_t *body = body_of(options);

    if (body && !add_limits(options, body)) {
        print_complaint("say how slow, in numbers: --connections N, --per-second N, "
                        "--per-minute N, --per-hour N, --per-day N");
        json_decref(body);
        return EX_USAGE;
    }
    return order(options, DESTINATIONS "/%s:throttle", body);
}

int destination_reroute(struct options *options)
{
    const char *via = option(options, "via");
    json_t *body = body_of(options);

    if (body && !via) {
        print_complaint("say where to: --via HOST[:PORT], or --via pool:NAME");
        json_decref(body);
        return EX_USAGE;
    }
    if (body)
        json_object_set_new(body, "via", json_string(via));
    return order(options, DESTINATIONS "/%s:reroute", body);
}

int destination_resume(struct options *options)
{
    const char *which = option(options, "order");

    return order(options, DESTINATIONS "/%s:resume",
                 which ? json_pack("{s:s}", "order", which) : json_object());
}

int destination_orders(struct options *options)
{
    static const struct column order_columns[] = {
        {"name",   "NAME"  },
        {"order",  "ORDER" },
        {"limits", "LIMITS"},
        {"via",    "VIA"   },
        {"since",  "SINCE" },
        {"until",  "UNTIL" },
        {"by",     "BY"    },
        {"reason", "REASON"},
        {NULL,     NULL    }
    };

    return call_list(options, "/api/v1/suspensions", order_columns);
}
