/* How fast and how wide a site may be used.  Bulk mail may use 95 % of a pace (relay/base/pace.h)
 * and of the connections, and at least one is left for what is urgent. Pure: the clock is an
 * argument (milliseconds, monotonic).  Thread: the owner's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/pace.h"
#include "relay/spool/envelope.h"

enum { N_CLASSES = CLASS_BULK + 1 };

struct site_limits { /* 0: no such limit; every field is a count */
    uint32_t connections;
    uint32_t start_connections; /* how many before anything was delivered */
    uint32_t connections_per_minute;
    uint32_t messages_per_connection;
    uint32_t messages_per_second, messages_per_minute, messages_per_hour, messages_per_day;
    uint32_t recipients_per_transaction;
    uint32_t eased_per_minute; /* replies that say slower lead to no lower pace; 0: 6 */
};

enum { N_SITE_LIMITS = sizeof(struct site_limits) / sizeof(uint32_t) };

/* The fields as an array, for what is done to each of them. */
static inline uint32_t *limits_fields(struct site_limits *limits)
{
    return &limits->connections;
}
static inline const uint32_t *limits_const_fields(const struct site_limits *limits)
{
    return &limits->connections;
}

/* The stricter of two, 0 being none. */
static inline uint32_t limits_stricter(uint32_t a, uint32_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* For sites nobody said anything about. */
extern const struct site_limits site_limits_default;

/* For a fixed route: the operator's own next hop sets its pace itself. */
extern const struct site_limits site_limits_route;

enum site_pace {
    PACE_CONNECTIONS_PER_MINUTE,
    PACE_MESSAGES_PER_SECOND,
    PACE_MESSAGES_PER_MINUTE,
    PACE_MESSAGES_PER_HOUR,
    PACE_MESSAGES_PER_DAY, /* a steady row, too: a day's messages do not go in its first hour */
    N_SITE_PACES
};

/* Each pace counts twice: everything together, and bulk alone against its smaller share. */
struct site_paces {
    struct pace all[N_SITE_PACES], bulk[N_SITE_PACES];
};

void paces_start(struct site_paces *paces, const struct site_limits *limits, int64_t fresh_ms);

/* No sooner than if these limits had just been used up at fresh_ms. */
void paces_hold_back(struct site_paces *paces, const struct site_limits *limits, int64_t fresh_ms);

/* When a message (a connection) of this class may go; up to now_ms: at once.  n_pledged: messages
 * of each class that were picked and have not used their turn. */
int64_t paces_message_ms(const struct site_paces *paces, const struct site_limits *limits,
                         enum message_class message_class, const uint32_t n_pledged[N_CLASSES]);
int64_t paces_connection_ms(const struct site_paces *paces, const struct site_limits *limits,
                            enum message_class message_class);
/* Picked: what it did not use until now is not saved up. */
void paces_pledge_message(struct site_paces *paces, const struct site_limits *limits,
                          int64_t now_ms);
void paces_use_message(struct site_paces *paces, const struct site_limits *limits,
                       enum message_class message_class, int64_t at_ms);
void paces_use_connection(struct site_paces *paces, const struct site_limits *limits,
                          enum message_class message_class, int64_t now_ms);

/* Nothing in them that a new one would not have as well. */
bool paces_are_past(const struct site_paces *paces, int64_t now_ms);
