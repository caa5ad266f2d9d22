#include "relay/schedule/provider.h"

#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/schedule/places.h"

static bool is_provider(const void *thing, const void *key)
{
    const struct provider *provider = thing;

    return slice_equal_ignoring_case(slice_of(provider->name), *(const struct slice *)key);
}

struct provider *schedule_provider(struct schedule *schedule, struct slice name)
{
    return table_find(&schedule->provider_table, table_hash_ignoring_case(name), is_provider,
                      &name);
}

struct provider *schedule_make_provider(struct schedule *schedule, struct slice name,
                                        const struct site_limits *limits)
{
    struct provider *provider = schedule_provider(schedule, name);

    if (provider)
        return provider;
    provider = calloc(1, sizeof(*provider));
    if (!provider)
        return NULL;
    provider->name = slice_to_string(name);
    provider->hash = table_hash_ignoring_case(name);
    if (!provider->name || table_add(&schedule->provider_table, provider->hash, provider) < 0) {
        free(provider->name);
        free(provider);
        return NULL;
    }
    provider->schedule = schedule;
    list_init(&provider->sites);
    list_init(&provider->idle_lanes);
    turn_init(&provider->turn, TURN_OF_PROVIDER);
    for (int each = 0; each < N_CLASSES; each++)
        for (uint32_t pool = 0; pool < POOL_MOST; pool++)
            list_init(&provider->stations[each][pool]);
    bound_init(&provider->bound, BOUND_PROVIDER, limits, limits->start_connections,
               schedule->fresh_ms);
    return provider;
}

void provider_free(struct provider *provider)
{
    for (uint32_t egress = 0; egress < EGRESS_MOST; egress++)
        if (provider->roads[egress]) {
            bound_fini(&provider->roads[egress]->bound);
            free(provider->roads[egress]);
        }
    bound_fini(&provider->bound);
    free(provider->name);
    free(provider);
}

struct road *provider_road(struct provider *provider, uint32_t egress)
{
    struct road *road = provider->roads[egress];

    if (road)
        return road;
    road = calloc(1, sizeof(*road));
    if (!road)
        return NULL;
    road->provider = provider;
    road->egress = egress;
    bound_init(&road->bound, BOUND_ROAD, &provider->road_limits,
               provider->road_limits.start_connections, provider->schedule->fresh_ms);
    provider->roads[egress] = road;
    return road;
}

void provider_set_road_limits(struct provider *provider, const struct site_limits *limits)
{
    provider->road_limits = *limits;
    for (uint32_t egress = 0; egress < EGRESS_MOST; egress++)
        if (provider->roads[egress])
            bound_set_limits(&provider->roads[egress]->bound, limits);
}

void schedule_each_provider(struct schedule *schedule,
                            void (*visit)(void *owner, struct provider *provider), void *owner)
{
    for (uint32_t i = 0; i < schedule->provider_table.n_slots; i++)
        if (schedule->provider_table.slots[i].thing)
            visit(owner, schedule->provider_table.slots[i].thing);
}

/* ---- sites in doubt ---- */

uint32_t provider_doubt_most(const struct provider *provider)
{
    uint32_t most = provider->bound.limits.connections;

    return most == 0 ? 0 : most < 8 ? 1 : most / 4;
}

void site_doubt_opens(struct site *site)
{
    if (!site->provider || !site_is_in_doubt(site))
        return;
    site->n_doubted++;
    site->provider->n_doubted++;
}

void site_doubt_closes(struct site *site, uint32_t n)
{
    if (n > site->n_doubted)
        n = site->n_doubted;
    site->n_doubted -= n;
    if (site->provider)
        site->provider->n_doubted -= n;
}

/* ---- its sites ---- */

/* What is under way counts where the site belongs. */
static void count(struct bound *bound, const struct bound *lane, int sign)
{
    uint32_t factor = (uint32_t)sign; /* modulo 2^32 */

    bound->n_open += factor * lane->n_open;
    bound->n_silent += factor * lane->n_silent;
    for (int each = 0; each < N_CLASSES; each++) {
        bound->n_busy[each] += factor * lane->n_busy[each];
        bound->n_pledged[each] += factor * lane->n_pledged[each];
    }
}

static void count_lane(struct lane *lane, int sign)
{
    if (lane->site->provider) {
        count(&lane->site->provider->bound, &lane->bound, sign);
        lane->site->provider->n_idle += (uint32_t)sign * lane->n_idle;
        list_remove(&lane->idle_link);
        if (sign > 0 && lane->n_idle)
            list_append(&lane->site->provider->idle_lanes, &lane->idle_link);
    }
    if (lane->road)
        count(&lane->road->bound, &lane->bound, sign);
}

void lane_find_road(struct lane *lane)
{
    lane->road = lane->site->provider ? provider_road(lane->site->provider, lane->egress) : NULL;
}

/* Whatever it waited in: it is touched again at once. */
static void leave_stations(struct site *site)
{
    for (int each = 0; each < N_CLASSES; each++)
        LIST_FOR_EACH(link, &site->queues[each])
    list_remove(&CONTAINER_OF(link, struct queue, link)->station);
    list_remove(&site->turn.link);
    site->turn.is_ready = false;
}

void site_set_provider(struct site *site, struct provider *provider)
{
    struct provider *former = site->provider;

    if (former == provider)
        return;
    site_doubt_closes(site, site->n_doubted);
    LIST_FOR_EACH(link, &site->lanes)
    count_lane(CONTAINER_OF(link, struct lane, link), -1);
    leave_stations(site);
    list_remove(&site->provider_link);
    site->provider = provider;
    if (provider)
        list_append(&provider->sites, &site->provider_link);
    LIST_FOR_EACH(link, &site->lanes)
    {
        lane_find_road(CONTAINER_OF(link, struct lane, link));
        count_lane(CONTAINER_OF(link, struct lane, link), 1);
    }
    schedule_touch(site->schedule, site);
    if (former) /* its other sites have the room that this one took */
        provider_touch(former);
}
