#include "relay/delivery/target.h"

#include <string.h>

#include "relay/base/secret.h"
#include "relay/delivery/host_memory.h"
#include "relay/delivery/kept_words.h"
#include "relay/delivery/outcome.h"
#include "relay/delivery/providers.h"
#include "relay/delivery/standing_orders.h"

static void free_hosts(struct target_host *hosts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(hosts[i].name);
    free(hosts);
}

static struct target_host *copy_hosts(const struct target_host *hosts, size_t n)
{
    struct target_host *copy = calloc(n ? n : 1, sizeof(*copy));

    for (size_t i = 0; copy && i < n; i++) {
        copy[i].preference = hosts[i].preference;
        copy[i].name = strdup(hosts[i].name);
        if (!copy[i].name) {
            free_hosts(copy, i);
            return NULL;
        }
    }
    return copy;
}

static struct target *make_target(struct delivery_shard *shard, struct site *site)
{
    struct target *target = calloc(1, sizeof(*target));

    if (!target)
        return NULL;
    target->shard = shard;
    target->site = site;
    site->owner = target;
    return target;
}

static bool are_all_dead(const struct target *target)
{
    const struct delivery_shard *shard = target->shard;

    for (size_t i = 0; i < target->n_hosts; i++)
        if (!host_memory_is_dead(&shard->hosts, slice_of(target->hosts[i].name),
                                 shard_now_ms(shard)))
            return false;
    return target->n_hosts > 0;
}

static bool limits_differ(const struct site_limits *a, const struct site_limits *b)
{
    return memcmp(a, b, sizeof(*a)) != 0;
}

struct site *target_ensure(struct delivery_shard *shard, const struct target_plan *plan)
{
    struct site *site = schedule_make_site(shard->schedule, plan->site_name, &plan->policy.limits,
                                           shard_now_ms(shard));
    bool is_new = site && !site->owner;
    struct provider *former = site ? site->provider : NULL;
    struct target_host *hosts;
    struct target *target;

    if (!site)
        return NULL;
    target = site->owner ? target_of(site) : make_target(shard, site);
    hosts = target ? copy_hosts(plan->hosts, plan->n_hosts) : NULL;
    if (!hosts)
        return NULL;
    free_hosts(target->hosts, target->n_hosts);
    target->hosts = hosts;
    target->n_hosts = plan->n_hosts;
    if (is_new)
        site->is_doubted = are_all_dead(target);
    if (target->config != plan->config || target->policy.kind != plan->policy.kind ||
        plan->provider) {
        if (limits_differ(&site->lane_limits, &plan->policy.limits))
            site_set_lane_limits(site, &plan->policy.limits);
        delivery_config_unref(target->config);
        target->config = delivery_config_ref(plan->config);
        target->policy = plan->policy;
        target->is_mixed = providers_is_mixed(plan->provider);
        providers_join(shard, site, plan->provider);
    }
    if (is_new)
        kept_words_meet_site(shard, site);
    if (is_new || site->provider != former)
        standing_orders_meet_site(shard, site);
    return site;
}

void target_free(struct target *target)
{
    if (!target)
        return;
    free_hosts(target->hosts, target->n_hosts);
    delivery_config_unref(target->config);
    free(target->last);
    free(target);
}

static const enum last_said said_by[N_VERDICTS] = {
    [VERDICT_DELIVERED] = SAID_DELIVERED,
    [VERDICT_LATER] = SAID_DEFERRED,
    [VERDICT_FAILED] = SAID_BOUNCED,
};

void target_note_reply(struct target *target, const struct judgement *judgement)
{
    enum last_said said = said_by[judgement->verdict];

    if (said == SAID_NOTHING)
        return;
    if (!target->last)
        target->last = calloc(1, sizeof(*target->last));
    if (!target->last)
        return;
    target->last->said = said;
    target->last->at_utc_ms = shard_utc_of(target->shard, shard_now_ms(target->shard));
    target->last->code = judgement->code;
    slice_copy_to(judgement->text, target->last->text, sizeof(target->last->text));
}

/* Fisher and Yates among hosts of one preference. */
static void shuffle(uint8_t *order, size_t n)
{
    uint8_t dice[TARGET_MAX_HOSTS];

    random_bytes(dice, sizeof(dice));
    for (size_t i = n; i > 1; i--) {
        size_t other = dice[i - 1] % i;
        uint8_t kept = order[i - 1];

        order[i - 1] = order[other];
        order[other] = kept;
    }
}

size_t target_order(const struct target *target, uint8_t order[TARGET_MAX_HOSTS])
{
    size_t n = target->n_hosts < TARGET_MAX_HOSTS ? target->n_hosts : TARGET_MAX_HOSTS;

    for (size_t i = 0; i < n; i++)
        order[i] = (uint8_t)i;
    for (size_t first = 0; first < n;) {
        size_t end = first + 1;

        while (end < n && target->hosts[end].preference == target->hosts[first].preference)
            end++;
        shuffle(order + first, end - first);
        first = end;
    }
    return n;
}
