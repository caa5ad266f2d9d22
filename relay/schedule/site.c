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

/* ---- may something start? ---- */

/* What stops everything, whichever lane. */
static struct why decide_stop(const struct site *site, int64_t now_ms)
{
    struct why why;

    if (site->schedule->is_paused)
        return WHY_SIMPLY(WHY_PAUSED);
    why = bound_rests(&site->bound, now_ms);
    if (why.kind == WHY_NEXT && site->provider)
        why = bound_rests(&site->provider->bound, now_ms);
    if (why.kind != WHY_NEXT)
        return why;
    if (site->reachable_ms > now_ms)
        return (struct why){.kind = WHY_UNREACHABLE,
                            .until_ms = site->reachable_ms,
                            .since_ms = site->failed_ms,
                            .reason = site->trouble};
    if (site->n_failures > 0 && bound_n_busy(&site->bound) > 0)
        return (struct why){.kind = WHY_PROBED,
                            .until_ms = -1,
                            .since_ms = site->failed_ms,
                            .reason = site->trouble};
    return WHY_SIMPLY(WHY_NEXT);
}

static struct why decide_lane(const struct lane *lane, enum message_class message_class,
                              int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);
    struct why why = WHY_SIMPLY(WHY_NEXT);

    for (unsigned i = 0; i < n && why.kind == WHY_NEXT; i++)
        why = bound_rests(bounds[i], now_ms);
    for (unsigned i = 0; i < n && why.kind == WHY_NEXT; i++)
        why = bound_decide(bounds[i], message_class, lane->n_idle == 0, now_ms);
    return why;
}

/* Of two that may go: the one with an idle connection, else the one that has had less. */
static bool is_better(const struct lane *lane, const struct lane *than)
{
    if (!than)
        return true;
    if ((lane->n_idle > 0) != (than->n_idle > 0))
        return lane->n_idle > 0;
    return lane->service < than->service;
}

/* Of two reasons to wait: the one that ends first. */
static bool ends_sooner(struct why why, struct why than)
{
    if (than.kind == WHY_NO_ADDRESS)
        return true;
    return why.until_ms >= 0 && (than.until_ms < 0 || why.until_ms < than.until_ms);
}

static void settle(struct site *site, int64_t now_ms)
{
    bound_settle(&site->bound, now_ms);
    if (site->provider)
        bound_settle(&site->provider->bound, now_ms);
}

static void settle_lane(struct lane *lane, int64_t now_ms)
{
    bound_settle(&lane->bound, now_ms);
    if (lane->road)
        bound_settle(&lane->road->bound, now_ms);
}

struct why site_decide(struct site *site, enum message_class message_class, uint32_t pool,
                       int64_t now_ms, struct lane **out)
{
    uint32_t addresses = site->schedule->egress.pools[pool];
    struct why best = WHY_SIMPLY(WHY_NO_ADDRESS), why;

    *out = NULL;
    settle(site, now_ms);
    why = decide_stop(site, now_ms);
    if (why.kind != WHY_NEXT)
        return why;
    for (uint32_t egress = 0; egress < EGRESS_MOST; egress++) {
        struct lane *lane = addresses & 1U << egress ? site_lane(site, egress) : NULL;

        if (!lane)
            continue;
        settle_lane(lane, now_ms);
        why = decide_lane(lane, message_class, now_ms);
        if (why.kind == WHY_NEXT && is_better(lane, *out))
            *out = lane;
        else if (why.kind != WHY_NEXT && ends_sooner(why, best))
            best = why;
    }
    return *out ? WHY_SIMPLY(WHY_NEXT) : best;
}

/* ---- what operators and settings say ---- */

void site_resume(struct site *site, int64_t now_ms)
{
    bound_resume(&site->bound, BOUND_BY_ORDER, now_ms);
    site_try_now(site);
}

void site_try_now(struct site *site)
{
    site->n_failures = 0;
    site->reachable_ms = 0;
    free(TAKE(site->trouble));
    schedule_touch(site->schedule, site);
}

/* What an order says of the site holds instead of its lanes' own limit. */
static struct site_limits lane_limits(const struct site *site)
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
    struct site_limits limits = lane_limits(site);

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
