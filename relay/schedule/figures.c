#include "relay/schedule/figures.h"

#include "relay/schedule/provider.h"

enum { SPAN_MS = 10000, SPANS_A_MINUTE = 6 }; /* as bound_pick() counts */

uint32_t site_per_minute(const struct site *site, int64_t now_ms)
{
    const struct bound *bound = &site->bound;
    uint32_t span = (uint32_t)(now_ms / SPAN_MS);

    if (span == bound->span)
        return bound->n_before * SPANS_A_MINUTE;
    return span == bound->span + 1 ? bound->n_lately * SPANS_A_MINUTE : 0;
}

/* Several addresses may send as much each: what all of them may. */
static struct site_limits limits_of_lanes(const struct site *site)
{
    struct site_limits all = {0};
    uint32_t n_lanes = 0;

    LIST_FOR_EACH(link, &site->lanes)
    {
        const struct site_limits *one = &CONTAINER_OF(link, struct lane, link)->bound.limits;

        for (int field = 0; field < N_SITE_LIMITS; field++) {
            uint32_t *sum = &limits_fields(&all)[field], add = limits_const_fields(one)[field];

            if (n_lanes == 0)
                *sum = add;
            else
                *sum = *sum && add ? *sum + add : 0; /* one is unbounded: so are all */
        }
        n_lanes++;
    }
    return n_lanes ? all : site->lane_limits;
}

struct site_limits site_limits_together(const struct site *site)
{
    struct site_limits limits = limits_of_lanes(site);

    for (int field = 0; field < N_SITE_LIMITS; field++) {
        uint32_t *strictest = &limits_fields(&limits)[field];

        *strictest = limits_stricter(*strictest, limits_const_fields(&site->bound.limits)[field]);
        if (site->provider)
            *strictest = limits_stricter(*strictest,
                                         limits_const_fields(&site->provider->bound.limits)[field]);
    }
    return limits;
}

void site_age_note(struct site *site, uint32_t number, int64_t arrived_utc_ms)
{
    struct site_age *age = &site->age;

    if (age->look != number) {
        age->before_utc_ms = age->look + 1 == number ? age->utc_ms : 0;
        age->utc_ms = arrived_utc_ms;
        age->look = number;
    } else if (arrived_utc_ms < age->utc_ms) {
        age->utc_ms = arrived_utc_ms;
    }
}

int64_t site_age_found(const struct site *site, uint32_t whole)
{
    if (site->age.look == whole)
        return site->age.utc_ms;
    return site->age.look == whole + 1 ? site->age.before_utc_ms : 0;
}
