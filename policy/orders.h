/* What an operator orders of mail under way, until he ends it or its time is over: stand still, go
 * slower, take another way.  It wins over rules and settings.  Kept in staffetta.db, told to all by
 * the snapshot (policy/directory.h).
 * Thread: any; values. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/slice.h"

enum order_scope {
    ORDER_OF_DESTINATION, /* a domain, or a site as `destination list` names it */
    ORDER_OF_PROVIDER,
    ORDER_OF_USER,
    ORDER_OF_CAMPAIGN,
    ORDER_OF_ADDRESS, /* one of ours */
    N_ORDER_SCOPES,
};

enum order_action {
    ORDER_SUSPEND,
    ORDER_THROTTLE,
    ORDER_REROUTE,
    N_ORDER_ACTIONS,
};

struct order_limits { /* of a throttle; 0: nothing said */
    uint32_t connections;
    uint32_t messages_per_second, messages_per_minute, messages_per_hour, messages_per_day;
};

struct order {
    enum order_scope scope;
    enum order_action action;
    struct slice name; /* in its one form: lower case, A-labels, ip_print() */
    uint32_t user_id;  /* ORDER_OF_USER, ORDER_OF_CAMPAIGN; 0: all of them, or none is left */
    struct order_limits limits;
    struct slice via; /* of a reroute: the next hop, or "pool:NAME" of our addresses */
    struct slice reason, by;
    int64_t since_utc_ms;
    int64_t until_utc_ms; /* 0: until ended */
};

static inline bool order_is_in_force(const struct order *order, int64_t utc_ms)
{
    return !order->until_utc_ms || order->until_utc_ms > utc_ms;
}

const char *order_scope_name(enum order_scope scope);    /* "destination", "provider", … */
const char *order_action_name(enum order_action action); /* "suspend", "throttle", "reroute" */
bool order_scope_parse(struct slice name, enum order_scope *out);
bool order_action_parse(struct slice name, enum order_action *out);

/* A campaign's name is "USER/NAME", where a star stands for all users: splits it; no user's name
 * has a slash.  False: there is none, and it is a name alone. */
bool order_campaign_split(struct slice full, struct slice *user, struct slice *name);

/* "provider:google", "user:shop", "campaign:shop/spring", "address:192.0.2.10"; anything else, also
 * "destination:…", is a destination. */
enum order_scope order_subject_parse(struct slice text, struct slice *name);

enum { ORDER_SUBJECT_SIZE = 540 };
/* The reverse, cut to fit; returns out. */
const char *order_subject_print(enum order_scope scope, struct slice name,
                                char out[ORDER_SUBJECT_SIZE]);
