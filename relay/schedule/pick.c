/* Which transaction starts next. */
#include <assert.h>

#include "relay/schedule/places.h"

enum { LOOK_AHEAD = 64 }; /* entries of a flow that are searched for more of the same message */

/* The domain of a ready entry was looked up again and leads elsewhere. */
static bool has_moved(struct schedule *schedule, struct entry *entry, struct site *site)
{
    return entry_domain(schedule, entry)->site != site;
}

/* Leaves only entries that belong here at the front; false: the flow ran dry (and may be gone). */
static struct flow *next_flow(struct schedule *schedule, struct site *site,
                              enum message_class message_class, int64_t now_ms)
{
    struct flow *flow;

    while ((flow = round_robin_turn(site, message_class)) != NULL) {
        struct entry *entry = CONTAINER_OF(flow->ready.next, struct entry, link);

        if (!has_moved(schedule, entry, site))
            return flow;
        place_none(schedule, entry);
        place_ready(schedule, entry, false, now_ms);
    }
    return NULL;
}

static void take_entries(struct schedule *schedule, struct flow *flow, struct pick *out)
{
    uint32_t most = lane_recipients_per_transaction(out->lane);
    uint32_t n_passed = 0;

    if (most == 0 || most > SCHEDULE_MAX_TRANSACTION)
        most = SCHEDULE_MAX_TRANSACTION;
    if (out->message->flags & MESSAGE_RENDERED_EACH)
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

enum outcome { PICKED, NOTHING, NO_PERMIT, BLOCKED };

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

/* why: of a flow that is BLOCKED. */
static enum outcome pick(struct schedule *schedule, struct site *site,
                         enum message_class message_class, int64_t now_ms, struct pick *out,
                         struct why *why)
{
    struct flow *flow = next_flow(schedule, site, message_class, now_ms);
    struct lane *lane = NULL;
    enum outcome outcome;

    if (!flow)
        return NOTHING;
    do {
        *why = site_decide(site, message_class, flow->share->pool, now_ms, &lane);
        outcome = why->kind == WHY_NEXT ? ask_owner(schedule, lane) : BLOCKED;
    } while (outcome == BLOCKED && why->kind == WHY_NEXT);
    if (outcome != PICKED)
        return outcome;
    out->lane = lane;
    out->needs_connection = lane->n_idle == 0;
    out->site = site;
    out->message_class = message_class;
    out->message = CONTAINER_OF(flow->ready.next, struct entry, link)->message;
    out->n_entries = 0;
    lane_pick(lane, message_class, out->needs_connection, now_ms);
    site->last_used_ms = now_ms;
    take_entries(schedule, flow, out);
    return PICKED;
}

/* Nothing to do now: it waits for a time, or for whatever touches it next. */
static void park(struct schedule *schedule, struct site *site, int64_t until_ms)
{
    if (until_ms < 0 || heap_set(&schedule->waking_sites, &site->wake, until_ms) == 0)
        return;
    list_append(&schedule->ready_sites, &site->ready_link); /* no memory: asked again and again */
}

/* True: out is filled.  The site is in no list here. */
static bool try_site(struct schedule *schedule, struct site *site, int64_t now_ms, struct pick *out)
{
    int64_t until_ms = -1;

    for (int each = 0; each < N_CLASSES; each++) {
        enum message_class message_class = (enum message_class)each;
        enum outcome outcome;
        struct why why;

        if (site->n_ready[message_class] == 0)
            continue;
        outcome = pick(schedule, site, message_class, now_ms, out, &why);
        if (outcome == PICKED) {
            schedule_touch(schedule, site);
            return true;
        }
        if (outcome == NO_PERMIT) {
            list_append(&schedule->permit_waiters, &site->ready_link);
            return false;
        }
        if (outcome == BLOCKED && why.until_ms >= 0 && (until_ms < 0 || why.until_ms < until_ms))
            until_ms = why.until_ms;
    }
    park(schedule, site, until_ms);
    return false;
}

bool schedule_next(struct schedule *schedule, int64_t now_ms, struct pick *out)
{
    struct list *link;

    while ((link = list_take_first(&schedule->ready_sites)) != NULL) {
        struct site *site = CONTAINER_OF(link, struct site, ready_link);

        if (try_site(schedule, site, now_ms, out))
            return true;
    }
    return false;
}
