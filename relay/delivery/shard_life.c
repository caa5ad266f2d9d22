/* A shard's parts, made and taken apart, and what its schedule asks of it. */
#include "relay/delivery/shard_private.h"

#include "relay/base/clock.h"
#include "relay/delivery/connection.h"
#include "relay/delivery/doubt.h"
#include "relay/delivery/egress_warm_up.h"
#include "relay/delivery/foresight.h"
#include "relay/delivery/host_memory.h"
#include "relay/delivery/outcome.h"
#include "relay/delivery/reply_memory.h"
#include "relay/delivery/router.h"
#include "relay/delivery/sender_turns.h"
#include "relay/delivery/signature_memory.h"
#include "relay/delivery/standing_orders.h"
#include "relay/delivery/standing_ways.h"
#include "relay/delivery/user_weights.h"

enum { PERMITS_AT_ONCE = 16 };

/* ---- the schedule's hooks ---- */

static void on_domain_wanted(void *owner, struct domain *domain)
{
    router_want(owner, domain);
}

static void on_expired(void *owner, struct entry *entry)
{
    struct delivery_shard *shard = owner;

    list_append(&shard->expired, &entry->link);
    delivery_shard_touch(shard);
}

static void on_delayed(void *owner, struct entry *entry)
{
    struct delivery_shard *shard = owner;
    struct delayed_entry row = {stored_ref(entry->message), entry->n};

    buffer_append(&shard->delayed, slice_from(&row, sizeof(row)));
    if (buffer_error(&shard->delayed) < 0)
        stored_unref(row.stored);
    delivery_shard_touch(shard);
}

static bool take_permit(void *owner)
{
    struct delivery_shard *shard = owner;

    if (!shard->delivery->policy)
        return true;
    if (shard->purse.n_idle == 0) /* several will be wanted, in one message */
        permit_purse_want(&shard->purse, PERMITS_AT_ONCE);
    return permit_purse_take(&shard->purse, shard_now_ms(shard));
}

static void put_permit(void *owner)
{
    struct delivery_shard *shard = owner;

    if (shard->delivery->policy)
        permit_purse_put(&shard->purse);
}

static void on_permits(struct permit_purse *purse)
{
    struct delivery_shard *shard = CONTAINER_OF(purse, struct delivery_shard, purse);

    schedule_permits_came(shard->schedule);
    delivery_shard_touch(shard);
}

static void on_site_unused(void *owner, struct site *site)
{
    (void)owner;
    target_free(TAKE(site->owner));
}

static bool may_use(void *owner, struct lane *lane)
{
    return standing_orders_may_use(owner, lane) && egress_warm_up_allows(owner, lane);
}

/* ---- life ---- */

static int make_parts(struct delivery_shard *shard, const struct resolver_settings *resolver)
{
    struct schedule_hooks hooks = {
        .owner = shard,
        .on_domain_wanted = on_domain_wanted,
        .on_expired = on_expired,
        .on_delayed = on_delayed,
        .take_permit = take_permit,
        .put_permit = put_permit,
        .may_use = may_use,
        .pool_of = standing_ways_pool,
        .end_idle = connection_end_idle_of,
        .weight_of = user_weights_of,
        .on_site_unused = on_site_unused,
    };
    char why[TLS_WHY_SIZE];
    int error = schedule_new(&shard->schedule, &hooks, clock_monotonic_ms(), clock_utc_ms());

    if (error == 0)
        error = resolver_new(&shard->resolver, shard->loop, resolver);
    if (error == 0)
        error = signer_client_new(&shard->signer, shard->loop, shard_on_signer, shard);
    if (error == 0)
        error = tls_client_new(&shard->tls_may, TLS_CLIENT_MAY, (struct slice){NULL, 0}, why);
    return error;
}

int delivery_shard_init(struct delivery_shard *shard, struct delivery *delivery, struct loop *loop,
                        unsigned index, const struct resolver_settings *resolver)
{
    *shard = (struct delivery_shard){.delivery = delivery, .loop = loop, .index = index};
    list_init(&shard->connections);
    list_init(&shard->idle);
    list_init(&shard->expired);
    list_init(&shard->found);
    list_init(&shard->warm_leases);
    list_init(&shard->sender_turns);
    digest_desk_init(&shard->digests);
    hold_desk_init(shard);
    shard->tally.policy = delivery->policy;
    router_init(shard);
    host_memory_init(&shard->hosts);
    signature_memory_init(&shard->signatures);
    foresight_init(&shard->foresight, loop);
    reply_memory_init(&shard->replies);
    sample_init(&shard->sample);
    reply_rule_engine_init(&shard->rules);
    later_init(&shard->pump, loop, shard_pump);
    timer_init(&shard->wake, loop, shard_on_wake);
    timer_init(&shard->tick, loop, shard_on_tick);
    if (index == 0)
        egress_init_all(delivery->egress, loop);
    shard->utc_offset_ms = clock_utc_ms() - clock_monotonic_ms();
    shard->subscriber =
        (struct directory_subscriber){.mailbox = loop_mailbox(loop), .receive = shard_on_directory};
    if (delivery->policy)
        permit_purse_init(&shard->purse, delivery->policy, loop_mailbox(loop),
                          (struct permit_key){.scope = PERMIT_OUTBOUND}, on_permits);
    timer_set(&shard->tick, SHARD_TICK_MS);
    return make_parts(shard, resolver);
}

void delivery_shard_fini(struct delivery_shard *shard)
{
    timer_fini(&shard->tick);
    timer_fini(&shard->wake);
    foresight_clear(shard);
    connection_free_all(shard);
    router_cancel(shard);
    if (shard->index == 0)
        egress_fini_all(shard->delivery->egress);
    later_cancel(&shard->pump);
    shard->schedule = schedule_free(shard->schedule);
    later_cancel(&shard->pump);
    shard->resolver = resolver_free(shard->resolver);
    if (shard->signer)
        signer_client_disconnect(shard->signer);
    shard->signer = signer_client_free(shard->signer);
    shard->tls_may = tls_client_free(shard->tls_may);
    shard->tls_verify = tls_client_free(shard->tls_verify);
    memo_fini(&shard->routes);
    memo_fini(&shard->hosts);
    memo_fini(&shard->signatures);
    memo_fini(&shard->replies);
    sample_fini(&shard->sample);
    reply_rule_engine_fini(&shard->rules);
    buffer_fini(&shard->delayed);
    buffer_fini(&shard->ways);
    doubt_forget_delivered(shard);
    digest_desk_fini(shard);
    hold_desk_fini(shard);
    tally_fini(&shard->tally);
    egress_warm_up_fini(shard);
    sender_turns_fini(shard);
    directory_unref(shard->directory);
    delivery_config_unref(shard->config);
}
