/* "Why is it waiting?", answered by the functions that decide. */
#include "relay/schedule/halts.h"
#include "relay/schedule/places.h"

static bool waits_for_permit(const struct schedule *schedule, const struct site *site)
{
    LIST_FOR_EACH(link, &schedule->permit_waiters)
    {
        if (link == (site->provider ? &site->provider->turn.link : &site->turn.link))
            return true;
    }
    return false;
}

/* The provider's sites take turns, and the first of them waits. */
static bool is_behind_others(const struct queue *queue)
{
    const struct provider *provider = queue->site->provider;

    return provider && !list_is_empty(&queue->station) &&
           provider->stations[queue->message_class][queue->pool].next != &queue->station;
}

struct why schedule_why_queue(const struct schedule *schedule, const struct queue *queue,
                              int64_t now_ms)
{
    struct site *site = queue->site;
    struct decision decision = site_decide(site, queue->message_class, queue->pool, now_ms);

    if (decision.why.kind == WHY_NEXT && decision.lane->n_idle == 0 &&
        waits_for_permit(schedule, site))
        return WHY_SIMPLY(WHY_PERMITS);
    if (decision.why.kind == WHY_NEXT && is_behind_others(queue))
        return WHY_SIMPLY(WHY_BEHIND);
    return decision.why;
}

/* Of what is first in its queues, the urgent before the rest. */
static struct why decide_site(const struct schedule *schedule, struct site *site, int64_t now_ms)
{
    int each = site->n_ready[CLASS_TRANSACTIONAL] ? CLASS_TRANSACTIONAL : CLASS_BULK;

    if (list_is_empty(&site->queues[each]))
        return site_decide(site, (enum message_class)each, 0, now_ms).why;
    return schedule_why_queue(schedule, CONTAINER_OF(site->queues[each].next, struct queue, link),
                              now_ms);
}

struct why schedule_why_site(struct schedule *schedule, struct site *site, int64_t now_ms)
{
    struct why why = decide_site(schedule, site, now_ms);

    if (why_stands_without_mail(why.kind) || site_n_ready(site) > 0)
        return why;
    if (site->n_sending > 0)
        return WHY_SIMPLY(WHY_SENDING);
    if (site->n_waiting > 0)
        return WHY_SIMPLY(WHY_RETRY);
    return WHY_SIMPLY(site->n_held ? WHY_HELD : WHY_NOTHING);
}

static struct why why_ready(struct schedule *schedule, const struct entry *entry, int64_t now_ms)
{
    struct flow *flow = entry_flow(schedule, entry);
    struct why why = schedule_why_queue(schedule, flow->share->queue, now_ms);

    if (flow->is_signed && schedule->has_no_signer)
        return WHY_SIMPLY(WHY_SIGNER);
    if (why.kind == WHY_NEXT)
        why = halts_why(schedule, flow, now_ms);
    if (why.kind == WHY_NEXT && flow->ready.next != &entry->link)
        why.kind = WHY_BEHIND;
    return why;
}

static struct why why_held(const struct schedule *schedule, const struct entry *entry)
{
    struct why why = WHY_SIMPLY(entry->is_by_rule ? WHY_HELD : WHY_QUOTA);

    if (entry->due_s == ENTRY_UNTIL_RELEASED)
        return WHY_SIMPLY(WHY_HELD);
    if (entry->due_s == ENTRY_UNTIL_UNBRAKED)
        return WHY_SIMPLY(WHY_BRAKED);
    why.until_ms = schedule->start_ms + (int64_t)entry->due_s * 1000;
    return why;
}

struct why schedule_why_entry(struct schedule *schedule, const struct entry *entry, int64_t now_ms)
{
    struct why why = WHY_SIMPLY(WHY_NOTHING);

    switch ((enum entry_state)entry->state) {
    case ENTRY_READY:
        return why_ready(schedule, entry, now_ms);
    case ENTRY_WAITING:
        why.kind = WHY_RETRY;
        why.until_ms = schedule->start_ms + (int64_t)entry->due_s * 1000;
        break;
    case ENTRY_SENDING:
        why.kind = WHY_SENDING;
        break;
    case ENTRY_HELD:
        why = why_held(schedule, entry);
        break;
    case ENTRY_UNROUTED:
        why.kind = WHY_RESOLVING;
        break;
    case ENTRY_FREE:
    case N_ENTRY_STATES:
        break;
    }
    return why;
}

const char *entry_state_name(enum entry_state state)
{
    static const char *const names[N_ENTRY_STATES] = {
        [ENTRY_FREE] = "free",        [ENTRY_UNROUTED] = "queued", [ENTRY_READY] = "queued",
        [ENTRY_WAITING] = "deferred", [ENTRY_SENDING] = "sending", [ENTRY_HELD] = "held",
    };

    return names[state];
}
