/* Which addresses of ours there are: set, and forgotten. */
#include <string.h>

#include "relay/schedule/places.h"

void schedule_set_egress(struct schedule *schedule, const struct egress_plan *plan)
{
    schedule->egress = *plan;
    schedule_touch_all(schedule);
}

static void renew(struct bound *bound, const struct site_limits *limits, uint32_t start_window,
                  int64_t fresh_ms)
{
    struct bound fresh;

    bound_init(&fresh, (enum bound_kind)bound->kind, limits, start_window, fresh_ms);
    fresh.n_open = bound->n_open;
    fresh.n_silent = bound->n_silent;
    memcpy(fresh.n_busy, bound->n_busy, sizeof(fresh.n_busy));
    memcpy(fresh.n_pledged, bound->n_pledged, sizeof(fresh.n_pledged));
    bound_fini(bound);
    *bound = fresh;
}

static void renew_lanes(void *owner, struct site *site)
{
    struct site_limits limits = site_limits_of_lanes(site);

    LIST_FOR_EACH(link, &site->lanes)
    {
        struct lane *lane = CONTAINER_OF(link, struct lane, link);

        if (*(const uint32_t *)owner >> lane->egress & 1)
            renew(&lane->bound, &limits, lane_start_window(site), site->schedule->fresh_ms);
    }
}

static void renew_roads(void *owner, struct provider *provider)
{
    for (uint32_t egress = 0; egress < EGRESS_MOST; egress++) {
        struct road *road = provider->roads[egress];

        if (road && *(const uint32_t *)owner >> egress & 1)
            renew(&road->bound, &provider->road_limits, provider->road_limits.start_connections,
                  provider->schedule->fresh_ms);
    }
}

void schedule_forget_egress(struct schedule *schedule, uint32_t numbers)
{
    if (!numbers)
        return;
    schedule_each_site(schedule, renew_lanes, &numbers);
    schedule_each_provider(schedule, renew_roads, &numbers);
    schedule_touch_all(schedule);
}
