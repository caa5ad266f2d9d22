/* Which transaction starts next. */
#include <assert.h>

#include "relay/schedule/fetch.h"
#include "relay/schedule/halts.h"
#include "relay/schedule/places.h"

enum {
    LOOK_AHEAD = 16,      /* entries of a flow that are searched for more of the same message */
    URGENT_IN_A_ROW = 19, /* then bulk may go once */
    MOST_PASSED = 16,     /* queues of a station that stay in line though others pass them */
    PASSED_WAIT_MS = 100, /* then the next ones are looked at */
};

/* The domain of a ready entry was looked up again and leads elsewhere. */
static bool has_moved(struct schedule *schedule, struct entry *entry, struct site *site)
{
    return entry_domain(schedule, entry)->site != site;
}

/* Leaves only entries that belong here at the front; NULL: the queue ran dry (and may be gone). */
static struct flow *next_flow(struct schedule *schedule, struct queue *queue, int64_t now_ms)
{
    struct site *site = queue->site;

    while (!list_is_empty(&queue->shares)) {
        struct flow *flow = round_robin_turn(queue);
        struct entry *entry = CONTAINER_OF(flow->ready.next, struct entry, link);
        bool is_last = flow->n_entries == 1 && flow->share->n_flows == 1 && queue->n_shares == 1;

        if (!has_moved(schedule, entry, site)) {
            if (!halts_set_aside(schedule, flow, now_ms))
                return flow;
            continue;
        }
        place_none(schedule, entry);
        place_ready(schedule, entry, false, now_ms);
        if (is_last)
            return NULL;
    }
    return NULL;
}

static void take_entries(struct schedule *schedule, struct flow *flow, struct pick *out)
{
    uint32_t most = lane_recipients_per_transaction(out->lane);
    uint32_t n_passed = 0;

    if (most == 0 || most > SCHEDULE_MAX_TRANSACTION)
        most = SCHEDULE_MAX_TRANSACTION;
    /* The others' entries are looked at only where there may be more: with many sites in turn each
     * of them has long left the cache. */
    if (out->message->flags & MESSAGE_RENDERED_EACH || out->message->is_single)
        most = 1;
    LIST_FOR_EACH(link, &flow->ready)
    {
        struct entry *entry = CONTAINER_OF(link, struct entry, link);

        if (out->n_entries == most)
            break;
        if (entry->message == out->message && !has_moved(schedule, entry, out->site))
            out->entries[out->n_entries++] = entry;
        else if (++n_passed > LOOK_AHEAD)
            break;
    }
    round_robin_spend(flow, out->n_entries);
    for (uint32_t i = 0; i < out->n_entries; i++)
        schedule_take(schedule, out->entries[i]);
}

enum outcome { PICKED, NOTHING, NO_PERMIT, BLOCKED, BLOCKED_PARTLY, BLOCKED_BEYOND };

/* What a turn is made of. */
struct attempt {
    struct schedule *schedule;
    int64_t now_ms;
    struct pick *out;
    int64_t until_ms; /* when the next of what was blocked may go; -1: no time is known */
};

static void note_until(struct attempt *attempt, int64_t until_ms)
{
    if (until_ms >= 0 && (attempt->until_ms < 0 || until_ms < attempt->until_ms))
        attempt->until_ms = until_ms;
}

/* May its lane be used, and is there a permit when it needs a connection? */
static enum outcome ask_owner(struct schedule *schedule, struct lane *lane)
{
    const struct schedule_hooks *hooks = &schedule->hooks;

    if (hooks->may_use && !hooks->may_use(hooks->owner, lane))
        return BLOCKED;
    if (lane->n_idle == 0 && hooks->take_permit && !hooks->take_permit(hooks->owner))
        return NO_PERMIT;
    return PICKED;
}

static void make_room(struct schedule *schedule, struct site *site, const struct lane *wanted)
{
    struct lane *lane = site_idle_elsewhere(site, wanted);

    if (lane && schedule->hooks.end_idle)
        schedule->hooks.end_idle(schedule->hooks.owner, lane);
}

static enum outcome find_lane(struct attempt *attempt, struct queue *queue, struct lane **lane,
                              uint64_t *least_service)
{
    struct decision decision;
    enum outcome outcome;

    do {
        decision = site_decide(queue->site, queue->message_class, queue->pool, attempt->now_ms);
        *lane = decision.lane;
        *least_service = decision.least_service;
        outcome = decision.why.kind == WHY_NEXT ? ask_owner(attempt->schedule, *lane) : BLOCKED;
    } while (outcome == BLOCKED && decision.why.kind == WHY_NEXT);
    if (outcome != BLOCKED)
        return outcome;
    note_until(attempt, decision.wake_ms);
    if (decision.wants_idle_closed)
        make_room(attempt->schedule, queue->site, decision.lane);
    if (decision.is_beyond_site)
        return BLOCKED_BEYOND;
    return decision.is_partly_beyond ? BLOCKED_PARTLY : BLOCKED;
}

static enum outcome pick(struct attempt *attempt, struct queue *queue)
{
    struct schedule *schedule = attempt->schedule;
    struct flow *flow = next_flow(schedule, queue, attempt->now_ms);
    struct pick *out = attempt->out;
    uint64_t least_service;
    enum outcome outcome;
    struct lane *lane;

    if (!flow)
        return NOTHING;
    outcome = find_lane(attempt, queue, &lane, &least_service);
    if (outcome != PICKED)
        return outcome;
    out->lane = lane;
    out->needs_connection = lane->n_idle == 0;
    out->site = queue->site;
    out->message_class = queue->message_class;
    out->message = CONTAINER_OF(flow->ready.next, struct entry, link)->message;
    out->n_entries = 0;
    lane_pick(lane, out->message_class, out->needs_connection, attempt->now_ms);
    lane_serve(lane, least_service);
    halts_pick(schedule, flow, attempt->now_ms);
    queue->site->last_used_ms = attempt->now_ms;
    take_entries(schedule, flow, out);
    return PICKED;
}

/* Nothing to do now: it waits for a time, or for whatever touches it next. */
static void park(struct schedule *schedule, struct turn *turn, int64_t until_ms)
{
    if (until_ms < 0 || heap_set(&schedule->waking, &turn->wake, until_ms) == 0)
        return;
    list_remove(&turn->link);
    list_append(&schedule->ready, &turn->link); /* no memory: asked again and again */
    turn->is_ready = true;
}

static void wait_for_permit(struct schedule *schedule, struct turn *turn)
{
    list_remove(&turn->link); /* ending an idle connection may have touched it */
    turn->is_ready = false;
    list_append(&schedule->permit_waiters, &turn->link);
}

/* Urgent mail first, but bulk has one transaction in twenty. */
static enum message_class class_at(const struct turn *turn, int each)
{
    bool is_bulk_first = turn->n_urgent >= URGENT_IN_A_ROW;

    return (each == 0) == is_bulk_first ? CLASS_BULK : CLASS_TRANSACTIONAL;
}

static void note_class(struct turn *turn, enum message_class message_class)
{
    turn->n_urgent = message_class == CLASS_BULK ? 0 : turn->n_urgent + 1;
}

/* ---- a site of its own ---- */

/* Each of its queues of that class, in turn, until one may go. */
static enum outcome try_queues(struct attempt *attempt, struct site *site,
                               enum message_class message_class)
{
    struct list *queues = &site->queues[message_class];
    struct list *last = queues->previous;
    enum outcome outcome = NOTHING;

    while (!list_is_empty(queues)) {
        struct list *link = queues->next;
        bool is_last = link == last;

        list_remove(link);
        list_append(queues, link);
        outcome = pick(attempt, CONTAINER_OF(link, struct queue, link));
        if (outcome == PICKED || outcome == NO_PERMIT || is_last)
            break;
    }
    return outcome;
}

static bool try_site(struct attempt *attempt, struct site *site)
{
    struct schedule *schedule = attempt->schedule;

    for (int each = 0; each < N_CLASSES; each++) {
        enum message_class message_class = class_at(&site->turn, each);
        enum outcome outcome = try_queues(attempt, site, message_class);

        if (outcome == PICKED) {
            note_class(&site->turn, message_class);
            schedule_touch(schedule, site);
            return true;
        }
        if (outcome == NO_PERMIT) {
            wait_for_permit(schedule, &site->turn);
            return false;
        }
    }
    park(schedule, &site->turn, attempt->until_ms);
    return false;
}

/* ---- the sites of a provider ---- */

/* Kept back by its site's own bounds: that waits, and the provider's others go on. */
static void set_aside(struct attempt *attempt, struct queue *queue, int64_t until_ms)
{
    struct turn *turn = &queue->site->turn;

    list_remove(&queue->station);
    if (until_ms < 0 || (turn->wake.place != HEAP_NOWHERE && turn->wake.key <= until_ms))
        return;
    if (heap_set(&attempt->schedule->waking, &turn->wake, until_ms) < 0)
        list_append(&queue->site->provider->stations[queue->message_class][queue->pool],
                    &queue->station); /* no memory: asked again and again */
}

static void move_back(struct list *station, struct queue *queue)
{
    list_remove(&queue->station);
    list_append(station, &queue->station);
}

/* Those of a station that stay in line though others pass them: some of their lanes wait for what
 * all sites of the provider share. */
struct passed {
    const struct list *first;
    uint32_t n;
};

/* False: all were passed, or enough of them for now. */
static bool pass(struct attempt *attempt, struct list *station, struct queue *queue,
                 struct passed *passed)
{
    move_back(station, queue);
    if (station->next == passed->first || station->next == &queue->station)
        return false;
    if (!passed->first)
        passed->first = &queue->station;
    if (++passed->n < MOST_PASSED)
        return true;
    note_until(attempt, attempt->now_ms + PASSED_WAIT_MS);
    return false;
}

static enum outcome try_station(struct attempt *attempt, struct list *station)
{
    struct passed passed = {NULL, 0};

    while (!list_is_empty(station)) {
        struct queue *queue = CONTAINER_OF(station->next, struct queue, station);
        struct attempt one = {attempt->schedule, attempt->now_ms, attempt->out, -1};
        enum outcome outcome = pick(&one, queue);

        switch (outcome) {
        case PICKED:
            if (!list_is_empty(&queue->station)) /* it has more, but others come next */
                move_back(station, queue);
            return outcome;
        case NO_PERMIT:
        case BLOCKED_BEYOND:
            note_until(attempt, one.until_ms);
            return outcome;
        case BLOCKED_PARTLY:
            note_until(attempt, one.until_ms);
            if (!pass(attempt, station, queue, &passed))
                return outcome;
            break;
        case BLOCKED:
            set_aside(attempt, queue, one.until_ms);
            break;
        case NOTHING: /* it left the station, and is gone perhaps */
            break;
        }
    }
    return NOTHING;
}

/* While the pace makes the first in line wait, the connection that it will need can end. */
static void prepare_room(struct schedule *schedule, struct provider *provider, struct list *station)
{
    struct site *site = CONTAINER_OF(station->next, struct queue, station)->site;
    uint32_t most = provider->bound.limits.connections;

    if (most && provider->bound.n_open >= most && !site_has_idle(site))
        make_room(schedule, site, NULL);
}

static enum outcome try_stations(struct attempt *attempt, struct provider *provider,
                                 enum message_class message_class)
{
    for (uint32_t i = 0; i < POOL_MOST; i++) {
        uint32_t pool = (provider->pool_at + i) % POOL_MOST;
        struct list *station = &provider->stations[message_class][pool];
        enum outcome outcome;
        struct why why;

        if (list_is_empty(station))
            continue;
        why = provider_decide(provider, message_class, pool, attempt->now_ms);
        if (why.kind != WHY_NEXT) {
            note_until(attempt, why.until_ms);
            prepare_room(attempt->schedule, provider, station);
            continue;
        }
        outcome = try_station(attempt, station);
        if (outcome == PICKED)
            provider->pool_at = (pool + 1) % POOL_MOST;
        if (outcome == PICKED || outcome == NO_PERMIT)
            return outcome;
    }
    return NOTHING;
}

static bool try_provider(struct attempt *attempt, struct provider *provider)
{
    struct schedule *schedule = attempt->schedule;

    if (schedule->is_paused)
        return false;
    for (int each = 0; each < N_CLASSES; each++) {
        enum message_class message_class = class_at(&provider->turn, each);
        enum outcome outcome = try_stations(attempt, provider, message_class);

        if (outcome == PICKED) {
            note_class(&provider->turn, message_class);
            provider_touch(provider);
            return true;
        }
        if (outcome == NO_PERMIT) {
            wait_for_permit(schedule, &provider->turn);
            return false;
        }
    }
    park(schedule, &provider->turn, attempt->until_ms);
    return false;
}

bool schedule_next(struct schedule *schedule, int64_t now_ms, struct pick *out)
{
    struct list *link;

    while ((link = list_take_first(&schedule->ready)) != NULL) {
        struct turn *turn = CONTAINER_OF(link, struct turn, link);
        struct attempt attempt = {schedule, now_ms, out, -1};

        turn->is_ready = false;
        fetch_next_turns(schedule);
        if (turn->kind == TURN_OF_SITE
                ? try_site(&attempt, CONTAINER_OF(turn, struct site, turn))
                : try_provider(&attempt, CONTAINER_OF(turn, struct provider, turn)))
            return true;
    }
    return false;
}
