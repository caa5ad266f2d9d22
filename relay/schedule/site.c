#include "relay/schedule/site.h"

#include <stdlib.h>

#include "relay/schedule/places.h"

uint32_t site_n_ready(const struct site *site)
{
    return site->n_ready[CLASS_TRANSACTIONAL] + site->n_ready[CLASS_BULK];
}

uint32_t site_n_entries(const struct site *site)
{
    return site_n_ready(site) + site->n_waiting + site->n_sending + site->n_held;
}

static bool lanes_are_forgettable(const struct site *site, int64_t now_ms)
{
    LIST_FOR_EACH(link, &site->lanes)
    {
        const struct bound *bound = &CONTAINER_OF(link, struct lane, link)->bound;

        if (bound_has_words(bound, now_ms) || !paces_are_past(&bound->paces, now_ms))
            return false;
    }
    return true;
}

bool site_is_unused(const struct site *site, int64_t now_ms)
{
    return site_n_entries(site) == 0 && site->n_flows == 0 && site->bound.n_open == 0 &&
           site->n_domains == 0 && !bound_has_words(&site->bound, now_ms) &&
           paces_are_past(&site->bound.paces, now_ms) && lanes_are_forgettable(site, now_ms);
}

/* ---- what operators and settings say ---- */

void site_resume(struct site *site, int64_t now_ms)
{
    bound_resume(&site->bound, BOUND_BY_ORDER, now_ms);
    site_lift(site, now_ms);
}

static bool has_trouble(const struct site *site, int64_t now_ms)
{
    bool has_words = bound_has_words(&site->bound, now_ms);

    LIST_FOR_EACH(link, &site->lanes)
    has_words |= bound_has_words(&CONTAINER_OF(link, struct lane, link)->bound, now_ms);
    return has_words || site->n_failures > 0 || site->reachable_ms > now_ms || site->trouble;
}

bool site_lift(struct site *site, int64_t now_ms)
{
    bool had_trouble = has_trouble(site, now_ms);

    bound_resume(&site->bound, BOUND_BY_RULE, now_ms);
    LIST_FOR_EACH(link, &site->lanes)
    bound_resume(&CONTAINER_OF(link, struct lane, link)->bound, BOUND_BY_RULE, now_ms);
    site_try_now(site);
    return had_trouble;
}

void site_try_now(struct site *site)
{
    bound_lift(&site->bound);
    LIST_FOR_EACH(link, &site->lanes)
    bound_lift(&CONTAINER_OF(link, struct lane, link)->bound);
    site_was_reached(site);
}

void site_was_reached(struct site *site)
{
    site->n_failures = 0;
    site->reachable_ms = 0;
    free(TAKE(site->trouble));
    schedule_touch(site->schedule, site);
}

/* What an order says of the site holds instead of its lanes' own limit. */
struct site_limits site_limits_of_lanes(const struct site *site)
{
    struct site_limits limits = site->lane_limits;
    const struct bound_words *words = site->bound.words;

    for (int field = 0; words && field < N_SITE_LIMITS; field++)
        if (limits_const_fields(&words->limits[BOUND_BY_ORDER])[field])
            limits_fields(&limits)[field] = 0;
    return limits;
}

void site_limit_lanes(struct site *site)
{
    struct site_limits limits = site_limits_of_lanes(site);

    LIST_FOR_EACH(link, &site->lanes)
    {
        struct bound *bound = &CONTAINER_OF(link, struct lane, link)->bound;

        bound_set_limits(bound, &limits);
        if (limits.connections && bound->window > limits.connections)
            bound->window = limits.connections;
    }
}

void site_set_lane_limits(struct site *site, const struct site_limits *limits)
{
    site->lane_limits = *limits;
    site_limit_lanes(site);
    schedule_touch(site->schedule, site);
}
