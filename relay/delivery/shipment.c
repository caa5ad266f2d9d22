#include "relay/delivery/shipment.h"

#include <string.h>

#include "relay/delivery/standing_orders.h"

enum { CRATE = 1024 }; /* recipients of one message between loops */

struct shipment {
    struct task task;
    struct delivery_shard *to;
    struct target_plan plan;
    struct arena arena;
    struct slice domain;
    int64_t fresh_ms; /* from now on */
    uint32_t n_entries;
    struct new_entry entries[];
};

static bool copy_plan(struct shipment *shipment, const struct target_plan *plan)
{
    struct arena *arena = &shipment->arena;
    struct target_host *hosts = arena_alloc(arena, (plan->n_hosts + 1) * sizeof(*hosts));

    shipment->plan = *plan;
    shipment->plan.site_name = arena_copy(arena, plan->site_name);
    shipment->plan.config = delivery_config_ref(plan->config);
    shipment->plan.hosts = hosts;
    if (!hosts || !shipment->plan.site_name.data)
        return false;
    for (size_t i = 0; i < plan->n_hosts; i++) {
        struct slice name = arena_copy(arena, slice_of(plan->hosts[i].name));

        if (!name.data)
            return false;
        hosts[i] = (struct target_host){plan->hosts[i].preference, (char *)name.data};
    }
    return true;
}

static void free_shipment(struct shipment *shipment)
{
    delivery_config_unref(shipment->plan.config);
    arena_reset(&shipment->arena);
    free(shipment);
}

static struct shipment *make_shipment(struct delivery_shard *to, struct slice domain,
                                      const struct target_plan *plan, int64_t fresh_ms,
                                      uint32_t n_entries)
{
    struct shipment *shipment =
        calloc(1, sizeof(*shipment) + n_entries * sizeof(shipment->entries[0]));

    if (!shipment)
        return NULL;
    arena_init(&shipment->arena, 0);
    shipment->to = to;
    shipment->fresh_ms = fresh_ms;
    shipment->domain = arena_copy(&shipment->arena, domain);
    if (copy_plan(shipment, plan) && shipment->domain.data)
        return shipment;
    free_shipment(shipment);
    return NULL;
}

/* A way of other settings than this loop's is not followed: the domain is routed anew, here. */
static struct site *site_of(const struct shipment *shipment, uint8_t *way)
{
    if (shipment->plan.config != shipment->to->config)
        return NULL;
    return target_ensure(shipment->to, &shipment->plan, way);
}

static void unpack(struct task *task)
{
    struct shipment *shipment = CONTAINER_OF(task, struct shipment, task);
    struct delivery_shard *shard = shipment->to;
    uint8_t way = 0;
    struct site *site = site_of(shipment, &way);
    struct domain *domain;

    for (uint32_t i = 0; i < shipment->n_entries; i++)
        delivery_shard_admit(shard, &shipment->entries[i]);
    domain = schedule_domain(shard->schedule, shipment->domain);
    /* With other settings than we have by now: we route it ourselves. */
    if (domain && site) {
        list_remove(&domain->owner_link);
        domain->way = way;
        standing_orders_route(shard, domain, site, shard_now_ms(shard) + shipment->fresh_ms);
    }
    free_shipment(shipment);
    delivery_shard_touch(shard);
}

static void pack(struct delivery_shard *from, struct shipment *shipment, struct entry *entry)
{
    shipment->entries[shipment->n_entries++] = (struct new_entry){
        .message = stored_ref(entry->message),
        .domain = shipment->domain,
        .n = entry->n,
        .to_hash = entry->to_hash,
        .campaign = entry->flow, /* it is unbound */
        .pool = entry->pool,
        .attempts = entry->attempts,
        .flags = entry->flags,
        .needs_attempt = entry->clock_epoch != from->schedule->clock_epoch,
    };
    schedule_finish(from->schedule, entry);
}

void shipment_send(struct delivery_shard *from, struct delivery_shard *to, struct domain *domain,
                   const struct target_plan *plan, int64_t fresh_ms)
{
    uint32_t n_left = domain->n_unrouted;
    CLEANUP(free) char *name = strdup(domain->name);

    while (name && n_left > 0) {
        uint32_t n_now = n_left < CRATE ? n_left : CRATE;
        struct shipment *shipment = make_shipment(to, slice_of(name), plan, fresh_ms, n_now);

        if (!shipment)
            return;
        n_left -= n_now;
        /* The last one takes the domain with it: the counts say when to stop. */
        while (shipment->n_entries < n_now)
            pack(from, shipment, schedule_take_unrouted(from->schedule, domain));
        shipment->task.run = unpack;
        mailbox_answer(loop_mailbox(to->loop), &shipment->task);
    }
}
