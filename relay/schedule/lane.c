#include "relay/schedule/lane.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "relay/schedule/places.h"

enum { MOST_IN_ROW = 50 };

static struct lane *find_lane(const struct site *site, uint32_t egress)
{
    LIST_FOR_EACH(link, &site->lanes)
    {
        struct lane *lane = CONTAINER_OF(link, struct lane, link);

        if (lane->egress == egress)
            return lane;
    }
    return NULL;
}

struct lane *site_lane(struct site *site, uint32_t egress)
{
    struct lane *lane = find_lane(site, egress);
    struct site_limits limits;

    if (lane)
        return lane;
    limits = site_limits_of_lanes(site);
    lane = calloc(1, sizeof(*lane));
    if (!lane)
        return NULL;
    lane->site = site;
    lane->egress = egress;
    lane_find_road(lane);
    if (site->provider && !lane->road) {
        free(lane);
        return NULL;
    }
    list_init(&lane->idle);
    list_init(&lane->idle_link);
    bound_init(&lane->bound, BOUND_LANE, &limits, lane_start_window(site),
               site->schedule->fresh_ms);
    list_append(&site->lanes, &lane->link);
    return lane;
}

void lane_free(struct lane *lane)
{
    list_remove(&lane->link);
    list_remove(&lane->idle_link);
    bound_fini(&lane->bound);
    free(lane);
}

unsigned lane_bounds(const struct lane *lane, struct bound *out[N_BOUND_KINDS])
{
    unsigned n = 0;

    out[n++] = (struct bound *)&lane->bound;
    out[n++] = &lane->site->bound;
    if (lane->road)
        out[n++] = &lane->road->bound;
    if (lane->site->provider)
        out[n++] = &lane->site->provider->bound;
    return n;
}

struct bound *lane_road(struct lane *lane)
{
    return lane->road ? &lane->road->bound : &lane->bound;
}

/* The strictest of a limit, named by where it stands in struct site_limits. */
static uint32_t strictest(const struct lane *lane, size_t offset)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);
    uint32_t most = 0;

    for (unsigned i = 0; i < n; i++)
        most = limits_stricter(most,
                               limits_const_fields(&bounds[i]->limits)[offset / sizeof(uint32_t)]);
    return most;
}

uint32_t lane_messages_per_connection(const struct lane *lane)
{
    return strictest(lane, offsetof(struct site_limits, messages_per_connection));
}

uint32_t lane_recipients_per_transaction(const struct lane *lane)
{
    return strictest(lane, offsetof(struct site_limits, recipients_per_transaction));
}

/* ---- what became of a pick ---- */

static uint64_t *place_of_service(struct lane *lane)
{
    return lane->road ? &lane->road->service : &lane->service;
}

uint64_t lane_service(const struct lane *lane)
{
    return lane->road ? lane->road->service : lane->service;
}

uint64_t lane_service_step(const struct lane *lane)
{
    uint32_t weight = lane->site->schedule->egress.weights[lane->egress];

    return (1U << 20) / (weight ? weight : 1);
}

void lane_serve(struct lane *lane, uint64_t least_service)
{
    uint64_t *service = place_of_service(lane);

    if (*service < least_service)
        *service = least_service;
    *service += lane_service_step(lane);
}

static void use_idle(struct lane *lane)
{
    struct provider *provider = lane->site->provider;

    assert(lane->n_idle > 0);
    lane->n_idle--;
    if (!provider)
        return;
    provider->n_idle--;
    if (lane->n_idle == 0)
        list_remove(&lane->idle_link);
}

void lane_pick(struct lane *lane, enum message_class message_class, bool needs_connection,
               int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++)
        bound_pick(bounds[i], message_class, needs_connection, now_ms);
    if (!needs_connection) {
        use_idle(lane);
    } else {
        lane->n_in_row = 0;
        site_doubt_opens(lane->site);
    }
}

int64_t lane_turn_ms(const struct lane *lane, enum message_class message_class, int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);
    int64_t at_ms = now_ms;

    for (unsigned i = 0; i < n; i++)
        at_ms = bound_turn_ms(bounds[i], message_class, at_ms);
    return at_ms;
}

void lane_use_turn(struct lane *lane, enum message_class message_class, int64_t at_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++)
        bound_use_turn(bounds[i], message_class, at_ms);
}

int64_t lane_take_turn(struct lane *lane, enum message_class message_class, int64_t now_ms)
{
    int64_t at_ms = lane_turn_ms(lane, message_class, now_ms);

    lane_use_turn(lane, message_class, at_ms);
    return at_ms;
}

bool lane_is_suspended(const struct lane *lane, int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++)
        if (bound_is_suspended(bounds[i], BOUND_BY_RULE, now_ms) ||
            bound_is_suspended(bounds[i], BOUND_BY_ORDER, now_ms))
            return true;
    return false;
}

void lane_drop_turn(struct lane *lane, enum message_class message_class)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++)
        bound_drop_turn(bounds[i], message_class);
    schedule_touch(lane->site->schedule, lane->site);
}

static void touch(struct lane *lane)
{
    schedule_touch(lane->site->schedule, lane->site);
    if (lane->site->provider)
        provider_touch(lane->site->provider);
}

/* A connection that is kept serves its own site next, but not for ever: the provider's other sites
 * may be waiting for one. */
static void come_next(struct lane *lane)
{
    struct provider *provider = lane->site->provider;

    if (++lane->n_in_row >= MOST_IN_ROW)
        return;
    for (int each = 0; each < N_CLASSES; each++)
        LIST_FOR_EACH(link, &lane->site->queues[each])
        {
            struct queue *queue = CONTAINER_OF(link, struct queue, link);

            list_remove(&queue->station);
            list_prepend(&provider->stations[each][queue->pool], &queue->station);
        }
}

static void keep(struct lane *lane)
{
    struct provider *provider = lane->site->provider;

    lane->n_idle++;
    if (!provider)
        return;
    provider->n_idle++;
    list_remove(&lane->idle_link);
    list_append(&provider->idle_lanes, &lane->idle_link);
    come_next(lane);
}

void lane_falls_silent(struct lane *lane)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++)
        bounds[i]->n_silent++;
    touch(lane);
}

void lane_speaks_again(struct lane *lane)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++) {
        assert(bounds[i]->n_silent > 0);
        bounds[i]->n_silent--;
    }
}

void lane_transaction_ended(struct lane *lane, enum message_class message_class, bool is_kept)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++) {
        assert(bounds[i]->n_busy[message_class] > 0);
        bounds[i]->n_busy[message_class]--;
    }
    if (is_kept)
        keep(lane);
    touch(lane);
}

void lane_went_well(struct lane *lane, int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++)
        bound_went_well(bounds[i], now_ms);
}

void lane_slow_down(struct lane *lane, const char *reason, int64_t begun_ms, int64_t now_ms)
{
    bound_slow_down(&lane->bound, reason, begun_ms, now_ms);
}

/* ---- what became of connections ---- */

void lane_greeted(struct lane *lane, int64_t now_ms)
{
    struct site *site = lane->site;

    (void)now_ms;
    lane->n_greeted++;
    site->n_greeted++;
    site->is_doubted = false;
    site_doubt_closes(site, site->n_doubted);
    site_was_reached(site);
}

void lane_idle_ends(struct lane *lane)
{
    use_idle(lane);
    touch(lane); /* what would have used it may open another one */
}

void lane_closed(struct lane *lane, bool was_greeted, int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++) {
        assert(bounds[i]->n_open > 0);
        bounds[i]->n_open--;
    }
    if (was_greeted) {
        lane->n_greeted--;
        lane->site->n_greeted--;
    } else {
        site_doubt_closes(lane->site, 1);
    }
    lane->site->last_used_ms = now_ms;
    schedule_put_permit(lane->site->schedule);
    touch(lane);
}

int64_t lane_next_host(struct lane *lane, enum message_class message_class, int64_t now_ms,
                       int64_t latest_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);
    int64_t at_ms = now_ms;

    for (unsigned i = 0; i < n; i++) {
        int64_t turn_ms = paces_connection_ms(&bounds[i]->paces, &bounds[i]->limits, message_class);

        at_ms = turn_ms > at_ms ? turn_ms : at_ms;
    }
    for (unsigned i = 0; i < n && at_ms <= latest_ms; i++)
        paces_use_connection(&bounds[i]->paces, &bounds[i]->limits, message_class, at_ms);
    return at_ms;
}

void lane_unreachable(struct lane *lane, const char *why, const struct retry *retry, uint32_t dice,
                      int64_t now_ms)
{
    struct site *site = lane->site;

    bound_shrink(&lane->bound);
    /* What was tried together fails together: that is one failure. */
    if (site->n_greeted > 0 || site->reachable_ms > now_ms)
        return;
    if (site->n_failures++ == 0)
        site->failed_ms = now_ms;
    site->reachable_ms = now_ms + retry_site_wait_ms(retry, site->n_failures, dice);
    free(site->trouble);
    site->trouble = why ? strdup(why) : NULL;
    schedule_touch(site->schedule, site);
}
