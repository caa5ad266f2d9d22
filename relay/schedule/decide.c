/* May something start, and why not? */
#include "relay/schedule/places.h"

enum { DOUBT_MS = 15000 };

/* Too many of its provider's that did not let us in are being tried already.  By time, not by turn:
 * the provider's line is for those that answer. */
static bool waits_in_doubt(const struct site *site)
{
    const struct provider *provider = site->provider;

    return provider && site_is_in_doubt(site) && provider_doubt_most(provider) &&
           provider->n_doubted >= provider_doubt_most(provider);
}

/* What stops all of a site's mail, whichever lane it takes. */
static struct decision decide_stop(const struct site *site, int64_t now_ms)
{
    struct decision decision = {.why = bound_rests(&site->bound, now_ms)};

    if (site->schedule->is_paused) {
        decision.why = WHY_SIMPLY(WHY_PAUSED);
    } else if (decision.why.kind == WHY_NEXT && site->reachable_ms > now_ms) {
        decision.why = (struct why){.kind = WHY_UNREACHABLE,
                                    .until_ms = site->reachable_ms,
                                    .since_ms = site->failed_ms,
                                    .reason = site->trouble};
    } else if (decision.why.kind == WHY_NEXT && site->n_failures > 0 &&
               bound_n_busy(&site->bound) > 0) {
        decision.why = (struct why){.kind = WHY_PROBED,
                                    .until_ms = -1,
                                    .since_ms = site->failed_ms,
                                    .reason = site->trouble};
    } else if (decision.why.kind == WHY_NEXT && waits_in_doubt(site)) {
        decision.why = (struct why){.kind = WHY_UNREACHABLE,
                                    .until_ms = now_ms + DOUBT_MS,
                                    .since_ms = site->failed_ms,
                                    .reason = site->trouble};
    } else if (decision.why.kind == WHY_NEXT && site->provider) {
        decision.why = bound_rests(&site->provider->bound, now_ms);
        decision.is_beyond_site = true;
    }
    return decision;
}

static bool is_connections(enum why_kind kind)
{
    return kind == WHY_CONNECTIONS || kind == WHY_PROVIDER_CONNECTIONS;
}

static bool is_shared(const struct bound *bound)
{
    return bound->kind == BOUND_PROVIDER || bound->kind == BOUND_ROAD;
}

static struct decision decide_bound(const struct bound *bound, enum message_class message_class,
                                    enum connection_need need, int64_t now_ms)
{
    struct decision decision = {
        .why = bound_decide(bound, message_class, need, now_ms),
        .is_beyond_site = is_shared(bound),
    };

    if (need == NEEDS_NEW && is_connections(decision.why.kind))
        decision.wants_idle_closed =
            bound_decide(bound, message_class, NEEDS_NONE, now_ms).kind == WHY_NEXT;
    return decision;
}

static struct decision decide_lane(struct lane *lane, enum message_class message_class,
                                   int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);
    enum connection_need need = lane->n_idle ? NEEDS_NONE : NEEDS_NEW;
    struct decision decision = {.why = WHY_SIMPLY(WHY_NEXT)};

    for (unsigned i = 0; i < n && decision.why.kind == WHY_NEXT; i++) {
        decision.why = bound_rests(bounds[i], now_ms);
        decision.is_beyond_site = is_shared(bounds[i]);
    }
    for (unsigned i = 0; i < n && decision.why.kind == WHY_NEXT; i++)
        decision = decide_bound(bounds[i], message_class, need, now_ms);
    decision.lane = lane;
    return decision;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Not always the same first, where each site has little mail. */
static uint64_t dice_of(const struct lane *lane)
{
    return (lane->site->hash ^ (lane->egress * UINT64_C(0x9e3779b97f4a7c15))) *
           UINT64_C(0xff51afd7ed558ccd);
}

/* Of two that may go: the one with an idle connection, unless it is far ahead of its share, else
 * the one that would have had less. */
static bool goes_rather(const struct lane *lane, const struct lane *than)
{
    uint64_t step = lane_service_step(lane), other_step = lane_service_step(than);
    uint64_t mine = lane_service(lane) + step, other = lane_service(than) + other_step;
    uint64_t grace = LANE_MOST_AHEAD * larger(step, other_step);

    if (lane->n_idle > 0 && than->n_idle == 0)
        other += grace;
    else if (lane->n_idle == 0 && than->n_idle > 0)
        mine += grace;
    return mine != other ? mine < other : dice_of(lane) < dice_of(than);
}

/* Those of a site that may go: what they were given at most, and the lightest's transaction. */
struct served {
    uint64_t most, step;
};

static void note_served(struct served *served, const struct lane *lane)
{
    served->most = larger(served->most, lane_service(lane));
    served->step = larger(served->step, lane_service_step(lane));
}

static uint64_t least_of(const struct served *served)
{
    uint64_t behind = LANE_MOST_BEHIND * served->step;

    return served->most > behind ? served->most - behind : 0;
}

static bool ends_sooner(int64_t until_ms, int64_t than_ms)
{
    return until_ms >= 0 && (than_ms < 0 || until_ms < than_ms);
}

/* Of two reasons to wait: what may end at any moment, then what ends first, then what ends when
 * somebody says so. */
static int rank(const struct why *why)
{
    if (why->until_ms >= 0)
        return 1;
    return why_stands_without_mail(why->kind) ? 2 : 0;
}

static bool explains_rather(const struct why *why, const struct why *than)
{
    if (rank(why) != rank(than))
        return rank(why) < rank(than);
    return ends_sooner(why->until_ms, than->until_ms);
}

static bool is_better(const struct decision *decision, const struct decision *than)
{
    bool goes = decision->why.kind == WHY_NEXT, other_goes = than->why.kind == WHY_NEXT;

    if (!than->lane || goes != other_goes)
        return !than->lane || goes;
    return goes ? goes_rather(decision->lane, than->lane)
                : explains_rather(&decision->why, &than->why);
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

struct decision site_decide(struct site *site, enum message_class message_class, uint32_t pool,
                            int64_t now_ms)
{
    uint32_t addresses = site->schedule->egress.pools[pool];
    struct decision best = {.why = WHY_SIMPLY(WHY_NO_ADDRESS)}, decision;
    bool is_beyond_site = true, is_partly_beyond = false;
    struct served served = {0, 0};
    int64_t wake_ms = -1;

    settle(site, now_ms);
    decision = decide_stop(site, now_ms);
    decision.wake_ms = decision.why.until_ms;
    if (decision.why.kind != WHY_NEXT)
        return decision;
    for (uint32_t egress = 0; addresses >> egress; egress++) {
        struct lane *lane = addresses >> egress & 1 ? site_lane(site, egress) : NULL;

        if (!lane)
            continue;
        settle_lane(lane, now_ms);
        decision = decide_lane(lane, message_class, now_ms);
        is_beyond_site &= decision.is_beyond_site;
        is_partly_beyond |= decision.is_beyond_site;
        if (ends_sooner(decision.why.until_ms, wake_ms))
            wake_ms = decision.why.until_ms;
        if (decision.why.kind == WHY_NEXT)
            note_served(&served, lane);
        if (is_better(&decision, &best))
            best = decision;
    }
    best.is_beyond_site = best.lane && is_beyond_site;
    best.is_partly_beyond = is_partly_beyond;
    best.wake_ms = wake_ms;
    best.least_service = least_of(&served);
    return best;
}

static struct why decide_road(struct road *road, enum message_class message_class, int64_t now_ms)
{
    struct why why;

    bound_settle(&road->bound, now_ms);
    why = bound_rests(&road->bound, now_ms);
    return why.kind == WHY_NEXT ? bound_decide(&road->bound, message_class, NEEDS_ANY, now_ms)
                                : why;
}

struct why provider_decide(struct provider *provider, enum message_class message_class,
                           uint32_t pool, int64_t now_ms)
{
    uint32_t addresses = provider->schedule->egress.pools[pool];
    struct why best = WHY_SIMPLY(WHY_NEXT), why;

    bound_settle(&provider->bound, now_ms);
    why = bound_rests(&provider->bound, now_ms);
    if (why.kind == WHY_NEXT)
        why = bound_decide(&provider->bound, message_class, NEEDS_ANY, now_ms);
    if (why.kind != WHY_NEXT)
        return why;
    for (uint32_t egress = 0; addresses >> egress; egress++) {
        struct road *road = addresses >> egress & 1 ? provider_road(provider, egress) : NULL;

        if (!road)
            continue;
        why = decide_road(road, message_class, now_ms);
        if (why.kind == WHY_NEXT)
            return why;
        if (best.kind == WHY_NEXT || ends_sooner(why.until_ms, best.until_ms))
            best = why;
    }
    return best;
}

/* ---- idle connections in the way ---- */

static uint32_t count_idle(const struct site *site, struct lane **out)
{
    uint32_t n = 0;

    LIST_FOR_EACH(link, &site->lanes)
    {
        struct lane *lane = CONTAINER_OF(link, struct lane, link);

        n += lane->n_idle;
        if (lane->n_idle)
            *out = lane;
    }
    return n;
}

bool site_has_idle(const struct site *site)
{
    struct lane *ignored;

    return count_idle(site, &ignored) > 0;
}

static bool is_full(const struct bound *bound)
{
    return bound->limits.connections && bound->n_open >= bound->limits.connections;
}

/* Neither busy nor idle: one is ending, which will be the room that is wanted. */
static bool one_ends(const struct bound *bound, uint32_t n_idle)
{
    return bound->n_open > bound_n_busy(bound) + n_idle;
}

static struct lane *idle_on_road(const struct road *road, const struct provider *provider)
{
    struct lane *found = NULL;
    uint32_t n_idle = 0;

    LIST_FOR_EACH(link, &provider->idle_lanes)
    {
        struct lane *lane = CONTAINER_OF(link, struct lane, idle_link);

        if (lane->road != road)
            continue;
        n_idle += lane->n_idle;
        found = found ? found : lane;
    }
    return one_ends(&road->bound, n_idle) ? NULL : found;
}

struct lane *site_idle_elsewhere(struct site *site, const struct lane *wanted)
{
    struct provider *provider = site->provider;
    struct lane *lane = NULL;
    uint32_t n_idle;

    if (wanted && wanted->road && is_full(&wanted->road->bound))
        return idle_on_road(wanted->road, provider);
    if (provider && is_full(&provider->bound)) {
        if (list_is_empty(&provider->idle_lanes) || one_ends(&provider->bound, provider->n_idle))
            return NULL;
        return CONTAINER_OF(provider->idle_lanes.next, struct lane, idle_link);
    }
    n_idle = count_idle(site, &lane);
    return one_ends(&site->bound, n_idle) ? NULL : lane;
}
