#include "relay/schedule/shaping.h"

struct site_limits shaping_of_provider(const struct provider_limits *said)
{
    return (struct site_limits){
        .connections = said->connections,
        .connections_per_minute = said->connections_per_minute,
        .messages_per_second = said->messages_per_second,
        .messages_per_minute = said->messages_per_minute,
        .messages_per_hour = said->messages_per_hour,
        .messages_per_day = said->messages_per_day,
    };
}

static void replace(uint32_t *limit, uint32_t by)
{
    if (by)
        *limit = by;
}

/* The pace of a stranger is no bound for who says more of himself; less, his own bound holds him
 * to. */
static void raise_to(uint32_t *limit, uint32_t said)
{
    if (*limit && said > *limit)
        *limit = said;
}

void shaping_of_lane(const struct provider_limits *said, struct site_limits *limits)
{
    replace(&limits->connections, said->connections);
    replace(&limits->messages_per_connection, said->connection_messages);
    replace(&limits->recipients_per_transaction, said->transaction_recipients);
    raise_to(&limits->messages_per_second, said->messages_per_second);
    raise_to(&limits->connections_per_minute, said->connections_per_minute);
    if (limits->start_connections > limits->connections)
        limits->start_connections = limits->connections;
}
