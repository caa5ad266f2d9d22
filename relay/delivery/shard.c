#include "relay/delivery/shard_private.h"

#include "relay/base/clock.h"
#include "relay/base/log.h"
#include "relay/base/secret.h"
#include "relay/delivery/connection.h"
#include "relay/delivery/dispatch.h"
#include "relay/delivery/egress_warm_up.h"
#include "relay/delivery/foresight.h"
#include "relay/delivery/kept_words.h"
#include "relay/delivery/outcome.h"
#include "relay/delivery/providers.h"
#include "relay/delivery/router.h"
#include "relay/delivery/sender_turns.h"
#include "relay/delivery/standing_orders.h"
#include "relay/delivery/standing_ways.h"
#include "relay/delivery/user_weights.h"

enum {
    REST_MS = 8000,    /* between two ticks of a shard that has nothing to do */
    PICKS_A_TURN = 64, /* so that a turn stays short */
    STEPS_A_TURN = 2000,
    CLOCK_JUMP_MS = 60000,
};

struct delivery_shard *delivery_owner_of(struct delivery *delivery, struct slice name)
{
    return &delivery->shards[table_hash_ignoring_case(name) % delivery->n_shards];
}

int64_t shard_utc_of(const struct delivery_shard *shard, int64_t monotonic_ms)
{
    return clock_utc_ms() + monotonic_ms - shard_now_ms(shard);
}

void delivery_shard_touch(struct delivery_shard *shard)
{
    later_set(&shard->pump);
    if (shard->is_resting)
        timer_set(&shard->tick, SHARD_TICK_MS);
    shard->is_resting = false;
}

void delivery_shard_admit(struct delivery_shard *shard, const struct new_entry *entry)
{
    hold_note(shard, entry);
    if (schedule_admit(shard->schedule, entry, shard_now_ms(shard)) == 0)
        return;
    /* Its row stays; the next start finds it. */
    log_debug("delivery", "no memory for a recipient");
    if (entry->flags & ENTRY_ANNOUNCED)
        warmth_begun(&shard->delivery->warmth, table_hash_ignoring_case(entry->domain));
    stored_unref(entry->message);
}

/* ---- what may start ---- */

static bool can_sign(const struct delivery_shard *shard)
{
    return (shard->directory && shard->directory->n_domains == 0) ||
           signer_client_is_up(shard->signer);
}

static bool may_start(const struct delivery_shard *shard)
{
    return shard->is_ready && !shard->is_draining && shard->directory &&
           shard->n_outcomes < SHARD_MOST_IN_DOUBT && spool_may_deliver(shard->delivery->spool);
}

static void answer_drain(struct delivery_shard *shard)
{
    struct delivery_drain *drain = shard->drain;

    if (!drain || shard->n_dispatches > 0 || shard->n_outcomes > 0 || shard->digests.n_drafts > 0)
        return;
    shard->drain = NULL;
    egress_warm_up_settle(shard);
    tally_flush(&shard->tally);
    if (atomic_fetch_sub(&drain->n_left, 1) == 1)
        mailbox_answer(drain->answer_to, &drain->task);
}

/* True: there is more to start at once. */
static bool start_some(struct delivery_shard *shard)
{
    int64_t now_ms = shard_now_ms(shard);
    static _Thread_local struct pick pick;

    for (int i = 0; i < PICKS_A_TURN; i++) {
        if (!schedule_next(shard->schedule, now_ms, &pick))
            return false;
        dispatch_start(shard, &pick);
    }
    return true;
}

void shard_pump(struct later *later)
{
    struct delivery_shard *shard = CONTAINER_OF(later, struct delivery_shard, pump);
    int64_t now_ms = shard_now_ms(shard), wake_ms;
    bool has_more = false;

    standing_orders_tick(shard); /* an order that has ended leads nobody any more */
    schedule_pause(shard->schedule, !may_start(shard));
    schedule_signer(shard->schedule, can_sign(shard));
    if (shard->is_ready && shard->directory && !shard->is_draining) {
        router_run(shard); /* first: what it leads to a site may start at once */
        has_more = schedule_advance(shard->schedule, now_ms, STEPS_A_TURN);
        outcome_for_expired(shard);
        outcome_for_delayed(shard);
        has_more |= standing_ways_run(shard);
    }
    if (!shard->schedule->is_paused)
        has_more |= start_some(shard);
    if (schedule_wants_permits(shard->schedule))
        connection_end_oldest_idle(shard);
    answer_drain(shard);
    wake_ms = schedule_wake_ms(shard->schedule);
    if (has_more)
        later_set(&shard->pump);
    else if (wake_ms != INT64_MAX && !shard->schedule->is_paused)
        timer_set(&shard->wake, wake_ms > now_ms ? wake_ms - now_ms : 1);
}

void shard_on_wake(struct timer *timer)
{
    delivery_shard_touch(CONTAINER_OF(timer, struct delivery_shard, wake));
}

static void watch_clock(struct delivery_shard *shard)
{
    int64_t utc_ms = clock_utc_ms(), now_ms = shard_now_ms(shard);
    int64_t moved_ms = utc_ms - now_ms - shard->utc_offset_ms;

    if (moved_ms < CLOCK_JUMP_MS && moved_ms > -CLOCK_JUMP_MS)
        return;
    shard->utc_offset_ms = utc_ms - now_ms;
    schedule_clock_jumped(shard->schedule, now_ms, utc_ms);
    egress_warm_up_clock_jumped(shard);
    if (shard->index == 0)
        EVENT(EVENT_CLOCK_JUMPED, field_seconds("by", moved_ms));
}

/* Nothing that a tick looks after: an idle service shall not wake for nothing. */
static bool may_rest(const struct delivery_shard *shard)
{
    uint64_t n_entries = 0;

    for (unsigned i = 0; i < N_ENTRY_STATES; i++)
        n_entries += shard->schedule->n_states[i];
    return shard->is_ready && n_entries == 0 && list_is_empty(&shard->connections) &&
           tally_is_empty(&shard->tally) && shard->n_dispatches == 0 && shard->n_outcomes == 0 &&
           shard->purse.n_idle == 0 && sender_turns_rest(shard) &&
           !heap_first(&shard->digests.by_age) && shard->digests.n_drafts == 0;
}

void shard_on_tick(struct timer *timer)
{
    struct delivery_shard *shard = CONTAINER_OF(timer, struct delivery_shard, tick);

    if (shard->delivery->policy)
        permit_purse_tick(&shard->purse, shard_now_ms(shard));
    if (shard->index == 0)
        egress_tick_all(shard->delivery->egress);
    watch_clock(shard);
    standing_orders_tick(shard);
    digest_run(shard);
    hold_run(shard);
    egress_warm_up_tick(shard);
    sender_turns_tick(shard);
    tally_flush(&shard->tally);
    delivery_shard_touch(shard);
    shard->is_resting = may_rest(shard);
    timer_set(&shard->tick, shard->is_resting ? REST_MS : SHARD_TICK_MS);
}

/* ---- what comes from outside ---- */

void shard_on_signer(void *owner, bool is_up)
{
    struct delivery_shard *shard = owner;

    delivery_shard_touch(shard);
    if (shard->delivery->on_signer)
        shard->delivery->on_signer(shard->delivery->owner, is_up);
}

void shard_on_directory(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct delivery_shard *shard = CONTAINER_OF(subscriber, struct delivery_shard, subscriber);
    struct directory *former = shard->directory;

    hold_directory(shard, directory);
    shard->directory = directory;
    standing_orders_apply(shard, former);
    user_weights_apply(shard, former);
    if (!former)
        kept_words_meet_mail(shard);
    directory_unref(former);
    delivery_shard_touch(shard);
}

/* A connection leaves from the address that it was bound to: none of a number that now means
 * another one, or greets with another name, is used again. */
static void use_addresses(struct delivery_shard *shard, const struct delivery_config *config)
{
    const struct egress_table *former = shard->config ? &shard->config->egress : &config->egress;

    connection_end_of_egress(shard, egress_table_changed(former, &config->egress));
    schedule_forget_egress(shard->schedule, egress_table_moved(former, &config->egress));
}

void delivery_shard_apply(struct delivery_shard *shard, struct delivery_config *config)
{
    use_addresses(shard, config);
    delivery_config_unref(shard->config);
    shard->config = delivery_config_ref(config);
    shard->schedule->retry = config->settings.retry;
    shard->schedule->delay_ms = config->settings.delay_report_ms;
    if (shard->index == 0)
        egress_apply_all(shard->delivery->egress, shard->resolver, config);
    standing_ways_apply(shard);
    egress_warm_up_apply(shard);
    router_forget(shard);
    providers_apply(shard);
    delivery_shard_touch(shard);
}

void delivery_shard_drain(struct delivery_shard *shard, struct delivery_drain *drain)
{
    shard->is_draining = true;
    shard->drain = drain;
    foresight_clear(shard);
    connection_end_idle(shard);
    connection_end_opening(shard);
    delivery_shard_touch(shard);
}
