#include "relay/schedule/limits.h"

const struct site_limits site_limits_default = {
    .connections = 10,
    .start_connections = 2,
    .connections_per_minute = 100,
    .messages_per_connection = 100,
    .messages_per_second = 100,
    .recipients_per_transaction = 100,
};

const struct site_limits site_limits_route = {
    .connections = 20,
    .start_connections = 20,
    .recipients_per_transaction = 100,
    .eased_per_minute = 60,
};

static const uint32_t windows_s[N_SITE_PACES] = {60, 1, 60, 3600, 86400};

static uint32_t limit_of(const struct site_limits *limits, enum site_pace pace)
{
    const uint32_t values[N_SITE_PACES] = {
        limits->connections_per_minute, limits->messages_per_second, limits->messages_per_minute,
        limits->messages_per_hour,      limits->messages_per_day,
    };

    return values[pace];
}

/* Bulk's part of a pace.  Of messages a second it is 95 % on the average, for the next turn is
 * never far; of longer windows one at least is left. */
struct part {
    uint64_t n;
    uint32_t window_s;
};

static struct part bulk_part(enum site_pace which, uint32_t n)
{
    if (which == PACE_MESSAGES_PER_SECOND)
        return (struct part){(uint64_t)n * 95, 100};
    return (struct part){pace_bulk_share(n), windows_s[which]};
}

void paces_start(struct site_paces *paces, const struct site_limits *limits, int64_t fresh_ms)
{
    for (int which = 0; which < N_SITE_PACES; which++) {
        uint32_t n = limit_of(limits, (enum site_pace)which);
        struct part bulk = bulk_part((enum site_pace)which, n);

        pace_start(&paces->all[which], n, windows_s[which], fresh_ms);
        if (bulk.window_s == windows_s[which])
            pace_start(&paces->bulk[which], bulk.n, bulk.window_s, fresh_ms);
    }
}

static void hold_back(struct pace *pace, const struct pace *other)
{
    if (pace->turn_us < other->turn_us)
        *pace = *other;
}

void paces_hold_back(struct site_paces *paces, const struct site_limits *limits, int64_t fresh_ms)
{
    struct site_paces fresh = {0};

    paces_start(&fresh, limits, fresh_ms);
    for (int which = 0; which < N_SITE_PACES; which++) {
        hold_back(&paces->all[which], &fresh.all[which]);
        hold_back(&paces->bulk[which], &fresh.bulk[which]);
    }
}

static int64_t next_ms(const struct site_paces *paces, const struct site_limits *limits,
                       enum site_pace which, enum message_class message_class,
                       const uint32_t n_pledged[N_CLASSES])
{
    uint32_t n = limit_of(limits, which);
    uint32_t n_ahead = n_pledged[CLASS_TRANSACTIONAL] + n_pledged[CLASS_BULK];
    int64_t at_ms;

    if (n == 0)
        return 0;
    at_ms = pace_next_ms(&paces->all[which], n, windows_s[which], n_ahead);

    if (message_class == CLASS_BULK) {
        struct part bulk = bulk_part(which, n);
        int64_t bulk_ms =
            pace_next_ms(&paces->bulk[which], bulk.n, bulk.window_s, n_pledged[CLASS_BULK]);

        if (bulk_ms > at_ms)
            at_ms = bulk_ms;
    }
    return at_ms;
}

static void use(struct site_paces *paces, const struct site_limits *limits, enum site_pace which,
                enum message_class message_class, int64_t at_ms)
{
    uint32_t n = limit_of(limits, which);
    struct part bulk = bulk_part(which, n);

    if (n == 0)
        return;
    pace_use(&paces->all[which], n, windows_s[which], at_ms);
    if (message_class == CLASS_BULK)
        pace_use(&paces->bulk[which], bulk.n, bulk.window_s, at_ms);
}

int64_t paces_message_ms(const struct site_paces *paces, const struct site_limits *limits,
                         enum message_class message_class, const uint32_t n_pledged[N_CLASSES])
{
    int64_t latest_ms = 0;

    for (int which = PACE_MESSAGES_PER_SECOND; which < N_SITE_PACES; which++) {
        int64_t at_ms = next_ms(paces, limits, (enum site_pace)which, message_class, n_pledged);

        if (at_ms > latest_ms)
            latest_ms = at_ms;
    }
    return latest_ms;
}

int64_t paces_connection_ms(const struct site_paces *paces, const struct site_limits *limits,
                            enum message_class message_class)
{
    static const uint32_t none[N_CLASSES];

    return next_ms(paces, limits, PACE_CONNECTIONS_PER_MINUTE, message_class, none);
}

void paces_pledge_message(struct site_paces *paces, const struct site_limits *limits,
                          int64_t now_ms)
{
    for (int which = PACE_MESSAGES_PER_SECOND; which < N_SITE_PACES; which++) {
        if (limit_of(limits, (enum site_pace)which) == 0)
            continue;
        pace_catch_up(&paces->all[which], now_ms);
        pace_catch_up(&paces->bulk[which], now_ms);
    }
}

void paces_use_message(struct site_paces *paces, const struct site_limits *limits,
                       enum message_class message_class, int64_t at_ms)
{
    for (int which = PACE_MESSAGES_PER_SECOND; which < N_SITE_PACES; which++)
        use(paces, limits, (enum site_pace)which, message_class, at_ms);
}

void paces_use_connection(struct site_paces *paces, const struct site_limits *limits,
                          enum message_class message_class, int64_t now_ms)
{
    use(paces, limits, PACE_CONNECTIONS_PER_MINUTE, message_class, now_ms);
}

bool paces_are_past(const struct site_paces *paces, int64_t now_ms)
{
    for (int which = 0; which < N_SITE_PACES; which++)
        if (paces->all[which].turn_us > now_ms * 1000 || paces->bulk[which].turn_us > now_ms * 1000)
            return false;
    return true;
}
