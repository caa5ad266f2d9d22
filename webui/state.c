#include "webui/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/secret.h"
#include "webui/route.h"
#include "webui/routes.h"

enum { MOST_OBJECT = 254 };

static const struct {
    const char *start; /* of the route's path */
    const char *name;  /* member of the body that names what is new; NULL: name */
    json_t *(*show)(struct exchange *exchange, struct slice name);
} shows[] = {
    {API "/users",        NULL,      audit_user   },
    {API "/admins",       NULL,      audit_admin  },
    {API "/domains",      NULL,      audit_domain },
    {API "/dkim",         "domain",  audit_domain },
    {API "/networks",     "network", audit_network},
    {API "/destinations", NULL,      audit_orders },
    {API "/suspensions",  NULL,      audit_orders },
};
enum { N_SHOWS = sizeof(shows) / sizeof(shows[0]) };

static size_t find(const struct route *route)
{
    size_t i = 0;

    while (i < N_SHOWS && strncmp(route->path, shows[i].start, strlen(shows[i].start)) != 0)
        i++;
    return i;
}

struct slice state_object(const struct exchange *exchange)
{
    size_t i = find(exchange->route);
    const char *name =
        exchange_text(exchange, i < N_SHOWS && shows[i].name ? shows[i].name : "name");
    struct slice object = exchange->argument.len ? exchange->argument : slice_of(name ? name : "");

    return object.len > MOST_OBJECT ? slice_head(object, MOST_OBJECT) : object;
}

json_t *state_of(struct exchange *exchange, bool *is_known)
{
    size_t i = find(exchange->route);
    struct slice object = state_object(exchange);

    *is_known = i < N_SHOWS;
    return *is_known && object.len ? shows[i].show(exchange, object) : NULL;
}

/* ---- tags ---- */

void state_tag(json_t *state, char out[STATE_TAG_SIZE])
{
    char *text = json_dumps(state, JSON_COMPACT | JSON_SORT_KEYS);
    uint8_t digest[DIGEST_BYTES];
    char *at = out;

    plain_digest(digest, slice_of(text ? text : ""));
    *at++ = '"';
    for (unsigned i = 0; i < 16; i++)
        at += snprintf(at, 3, "%02x", digest[i]);
    *at++ = '"';
    *at = '\0';
    free(text);
}

void state_tag_answer(struct exchange *exchange, json_t *state)
{
    char tag[STATE_TAG_SIZE];

    state_tag(state, tag);
    exchange->etag = arena_copy(&exchange->arena, slice_of(tag)).data;
}

/* Another request about the same thing whose answer is still to come. */
static bool is_being_changed(const struct exchange *exchange)
{
    LIST_FOR_EACH(link, &exchange->webui->changes)
    {
        const struct exchange *other = CONTAINER_OF(link, struct exchange, change);

        if (other != exchange && !other->status &&
            shows[find(other->route)].show == shows[find(exchange->route)].show &&
            slice_equal_ignoring_case(state_object(other), state_object(exchange)))
            return true;
    }
    return false;
}

/* RFC 9110 13.1.1: a list of tags, or a star for any state at all. */
static bool is_meant(struct exchange *exchange)
{
    const char *wanted = exchange->fields.if_match;
    bool is_known;
    json_t *state = state_of(exchange, &is_known);
    char tag[STATE_TAG_SIZE] = "";
    bool is_there = state != NULL;

    if (state)
        state_tag(state, tag);
    json_decref(state);
    return is_there && (strcmp(wanted, "*") == 0 || strstr(wanted, tag) != NULL);
}

bool state_judge(struct exchange *exchange)
{
    if (exchange->method == HTTP_GET || find(exchange->route) == N_SHOWS)
        return true;
    if (!exchange->fields.if_match || (!is_being_changed(exchange) && is_meant(exchange))) {
        if (!(exchange->route->flags & ONLY_ASKS))
            list_append(&exchange->webui->changes, &exchange->change);
        return true;
    }
    exchange_problem(exchange, 412, "changed_meanwhile",
                     "It was changed since you looked at it: look again.");
    return false;
}
