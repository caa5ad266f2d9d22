#include "relay/schedule/places.h"

#include <assert.h>

enum { NO_MEMORY_WAIT_MS = 1000 };

struct flow *entry_flow(const struct schedule *schedule, const struct entry *entry)
{
    return entry->flags & ENTRY_UNBOUND ? NULL : pool_at(&schedule->flows, entry->flow);
}

struct domain *entry_domain(const struct schedule *schedule, const struct entry *entry)
{
    return pool_at(&schedule->domains, entry->domain);
}

/* Where the site counts its entries of a state; NULL: it does not. */
static uint32_t *site_count(const struct flow *flow, enum entry_state state)
{
    struct site *site = flow->share->site;

    if (state == ENTRY_READY)
        return &site->n_ready[flow->share->message_class];
    if (state == ENTRY_WAITING)
        return &site->n_waiting;
    if (state == ENTRY_SENDING)
        return &site->n_sending;
    return state == ENTRY_HELD ? &site->n_held : NULL;
}

static void set_state(struct schedule *schedule, struct entry *entry, enum entry_state state)
{
    struct flow *flow = entry_flow(schedule, entry);

    entry->state = state;
    schedule->n_states[state]++;
    if (flow && site_count(flow, state))
        ++*site_count(flow, state);
}

void place_none(struct schedule *schedule, struct entry *entry)
{
    enum entry_state state = (enum entry_state)entry->state;
    struct flow *flow = entry_flow(schedule, entry);

    if (state == ENTRY_READY)
        flow_drop(flow, entry);
    else if (state == ENTRY_WAITING)
        wheel_remove(&schedule->wheel, &entry->link);
    else
        list_remove(&entry->link);
    if (state == ENTRY_UNROUTED && --entry_domain(schedule, entry)->n_unrouted == 0)
        list_remove(&entry_domain(schedule, entry)->routing_link);
    schedule->n_states[state]--;
    if (flow && site_count(flow, state))
        --*site_count(flow, state);
}

static void unbind(struct schedule *schedule, struct entry *entry)
{
    struct flow *flow = entry_flow(schedule, entry);

    if (!flow)
        return;
    entry->flow = flow->campaign;
    entry->flags |= ENTRY_UNBOUND;
    flow_release(schedule, flow);
}

static bool bind(struct schedule *schedule, struct entry *entry, struct site *site)
{
    struct flow *flow = entry_flow(schedule, entry);

    if (flow && flow->share->site == site &&
        flow->share->queue->pool == entry_pool(schedule, entry))
        return true;
    unbind(schedule, entry);
    flow = flow_find(schedule, site, entry);
    if (!flow)
        return false;
    flow->n_entries++;
    entry->flow = pool_number(&schedule->flows, flow);
    entry->flags &= (uint8_t)~ENTRY_UNBOUND;
    return true;
}

static void place_unrouted(struct schedule *schedule, struct entry *entry, struct domain *domain)
{
    unbind(schedule, entry);
    list_append(&domain->unrouted, &entry->link);
    domain->n_unrouted++;
    set_state(schedule, entry, ENTRY_UNROUTED);
    domain_want(schedule, domain);
}

void place_ready(struct schedule *schedule, struct entry *entry, bool at_front, int64_t now_ms)
{
    struct domain *domain = entry_domain(schedule, entry);

    if (!domain->site) {
        place_unrouted(schedule, entry, domain);
        return;
    }
    if (domain->fresh_until_ms <= now_ms)
        domain_want(schedule, domain);
    if (!bind(schedule, entry, domain->site)) {
        place_waiting(schedule, entry, now_ms + NO_MEMORY_WAIT_MS);
        return;
    }
    flow_push(entry_flow(schedule, entry), entry, at_front);
    set_state(schedule, entry, ENTRY_READY);
    schedule_touch(schedule, domain->site);
}

void schedule_repool(struct schedule *schedule, struct entry *entry, int64_t now_ms)
{
    struct flow *flow = entry_flow(schedule, entry);

    if (entry->state != ENTRY_READY || flow->share->queue->pool == entry_pool(schedule, entry))
        return;
    place_none(schedule, entry);
    place_ready(schedule, entry, false, now_ms);
}

void place_waiting(struct schedule *schedule, struct entry *entry, int64_t due_ms)
{
    int64_t due_s = (due_ms - schedule->start_ms + 999) / 1000;

    if (due_s < 0)
        due_s = 0;
    entry->due_s = due_s < UINT32_MAX ? (uint32_t)due_s : UINT32_MAX - 1;
    wheel_add(&schedule->wheel, &entry->link, entry->due_s);
    set_state(schedule, entry, ENTRY_WAITING);
}

void place_apart(struct schedule *schedule, struct entry *entry, enum entry_state state)
{
    assert(state == ENTRY_SENDING || state == ENTRY_HELD);
    list_init(&entry->link);
    set_state(schedule, entry, state);
}

void place_free(struct schedule *schedule, struct entry *entry)
{
    struct stored *message = entry->message;

    place_none(schedule, entry);
    unbind(schedule, entry);
    domain_release(schedule, entry_domain(schedule, entry));
    pool_give(&schedule->entries, entry);
    stored_unref(message);
}
