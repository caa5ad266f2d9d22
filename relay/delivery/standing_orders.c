#include "relay/delivery/standing_orders.h"

#include "relay/base/clock.h"
#include "relay/delivery/target.h"

const struct order *shard_order(const struct delivery_shard *shard, enum order_scope scope,
                                enum order_action action, struct slice name)
{
    if (!shard->directory || !shard->directory->n_orders)
        return NULL;
    return directory_order(shard->directory, scope, action, name, clock_utc_ms());
}

/* A domain's order is obeyed where it is routed. */
static void apply_to_destination(struct delivery_shard *shard, struct slice name)
{
    struct site *site = schedule_site(shard->schedule, name);
    struct domain *domain = schedule_domain(shard->schedule, name);

    if (site)
        target_apply_suspension(shard, site);
    if (domain)
        schedule_reconsider(shard->schedule, domain);
}

static void apply(struct delivery_shard *shard, const struct order *order)
{
    switch (order->scope) {
    case ORDER_OF_DESTINATION:
        apply_to_destination(shard, order->name);
        break;
    case ORDER_OF_PROVIDER:
    case ORDER_OF_USER:
    case ORDER_OF_CAMPAIGN:
    case ORDER_OF_ADDRESS:
    case N_ORDER_SCOPES:
        break;
    }
}

static void note_next_end(struct delivery_shard *shard)
{
    const struct directory *directory = shard->directory;
    int64_t now_utc_ms = clock_utc_ms();

    shard->next_end_utc_ms = INT64_MAX;
    for (uint32_t i = 0; i < directory->n_orders; i++) {
        int64_t end_ms = directory->orders[i].until_utc_ms;

        if (end_ms > now_utc_ms && end_ms < shard->next_end_utc_ms)
            shard->next_end_utc_ms = end_ms;
    }
}

void standing_orders_apply(struct delivery_shard *shard, const struct directory *former)
{
    for (uint32_t i = 0; former && i < former->n_orders; i++)
        apply(shard, &former->orders[i]);
    for (uint32_t i = 0; i < shard->directory->n_orders; i++)
        apply(shard, &shard->directory->orders[i]);
    note_next_end(shard);
}

void standing_orders_tick(struct delivery_shard *shard)
{
    if (shard->directory && shard->next_end_utc_ms <= clock_utc_ms())
        standing_orders_apply(shard, NULL);
}
