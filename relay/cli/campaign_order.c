/* Orders on a campaign: hold (what is still to come, too), release, stop. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"
#include "relay/cli/queue.h"

/* "USER/NAME", with a star for all users; malloc()ed.  NULL after a complaint. */
static char *subject_of(const struct options *options)
{
    const char *user = option(options, "user");
    char *subject = NULL;

    if ((user != NULL) == option_is_set(options, "all-users")) {
        print_complaint("say whose campaign: --user U, or --all-users");
        return NULL;
    }
    if (asprintf(&subject, "%s/%s", user ? user : "*", options->arguments[0]) < 0)
        return NULL;
    return subject;
}

int campaign_hold(struct options *options)
{
    const char *reason = option(options, "reason");
    CLEANUP(free) char *subject = subject_of(options);
    json_t *body = subject ? call_order(options, reason ? reason : "held by the operator") : NULL;

    if (!body)
        return EX_USAGE;
    return call_quietly(options, "POST", "/api/v1/destinations/campaign:%s:suspend", subject, body);
}

int campaign_release(struct options *options)
{
    CLEANUP(free) char *subject = subject_of(options);

    if (!subject)
        return EX_USAGE;
    return call_quietly(options, "POST", "/api/v1/destinations/campaign:%s:resume", subject,
                        json_pack("{s:s}", "order", "suspend"));
}

/* What waits of it ends, with reports to the senders or without. */
int campaign_stop(struct options *options)
{
    static const struct column columns[] = {
        {"selected", "recipients"         },
        {"busy",     "being sent just now"},
        {NULL,       NULL                 }
    };
    bool bounces = option_is_set(options, "bounce"), deletes = option_is_set(options, "delete");
    const char *reason = option(options, "reason"), *user = option(options, "user");
    struct answer answer;
    json_t *body;
    int exit_code;

    if (bounces == deletes) {
        print_complaint("say what becomes of the rest: --bounce, or --delete");
        return EX_USAGE;
    }
    if ((user != NULL) == option_is_set(options, "all-users")) {
        print_complaint("say whose campaign: --user U, or --all-users");
        return EX_USAGE;
    }
    body = json_pack("{s:s, s:b, s:b}", "campaign", options->arguments[0], "dry_run",
                     option_is_set(options, "dry-run"), "all", !user);
    if (user)
        json_object_set_new(body, "user", json_string(user));
    if (reason)
        json_object_set_new(body, "reason", json_string(reason));
    exit_code =
        client_ask(options, "POST", bounces ? QUEUE ":bounce" : QUEUE ":delete", body, &answer);
    if (exit_code == EX_OK)
        print_object(options, answer.body, columns);
    json_decref(answer.body);
    return exit_code;
}
