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

static int compare_hosts(const void *a, const void *b)
{
    const struct target_host *left = a, *right = b;

    if (left->preference != right->preference)
        return left->preference < right->preference ? -1 : 1;
    return strcasecmp(left->name, right->name);
}

/* What DNS says in another order, or with other numbers, is the same way. */
static void count_preferences(struct target_way *way)
{
    uint16_t former = 0, rank = 0;

    qsort(way->hosts, way->n_hosts, sizeof(*way->hosts), compare_hosts);
    for (size_t i = 0; i < way->n_hosts; i++) {
        rank = (uint16_t)(rank + (i > 0 && way->hosts[i].preference != former));
        former = way->hosts[i].preference;
        way->hosts[i].preference = rank;
    }
}

static bool copy_way(struct target_way *out, const struct target_host *hosts, size_t n)
{
    *out = (struct target_way){calloc(n ? n : 1, sizeof(*hosts)), n};
    for (size_t i = 0; out->hosts && i < n; i++) {
        out->hosts[i].preference = hosts[i].preference;
        out->hosts[i].name = strdup(hosts[i].name);
        if (!out->hosts[i].name) {
            free_hosts(out->hosts, i);
            return false;
        }
    }
    if (out->hosts && n)
        count_preferences(out);
    return out->hosts != NULL;
}

static bool is_same_way(const struct target_way *a, const struct target_way *b)
{
    bool is_same = a->n_hosts == b->n_hosts;

    for (size_t i = 0; is_same && i < a->n_hosts; i++)
        is_same = compare_hosts(&a->hosts[i], &b->hosts[i]) == 0;
    return is_same;
}

/* False without memory. */
static bool find_way(struct target *target, const struct target_plan *plan, uint8_t *out)
{
    struct target_way way;

    if (!copy_way(&way, plan->hosts, plan->n_hosts))
        return false;
    for (uint8_t i = 0; i < target->n_ways; i++)
        if (is_same_way(&target->ways[i], &way)) {
            free_hosts(way.hosts, way.n_hosts);
            *out = i;
            return true;
        }
    *out = target->next_way;
    free_hosts(target->ways[*out].hosts, target->ways[*out].n_hosts);
    target->ways[*out] = way;
    if (target->n_ways < TARGET_MOST_WAYS)
        target->n_ways++;
    target->next_way = (uint8_t)((target->next_way + 1) % TARGET_MOST_WAYS);
    return true;
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

/* None has greeted since it could not be reached. */
static bool are_all_silent(const struct target *target, uint8_t way)
{
    const struct target_way *hosts = &target->ways[way];

    for (size_t i = 0; i < hosts->n_hosts; i++)
        if (!host_memory_is_silent(&target->shard->hosts, slice_of(hosts->hosts[i].name)))
            return false;
    return hosts->n_hosts > 0;
}

static bool limits_differ(const struct site_limits *a, const struct site_limits *b)
{
    return memcmp(a, b, sizeof(*a)) != 0;
}

struct site *target_ensure(struct delivery_shard *shard, const struct target_plan *plan,
                           uint8_t *way)
{
    struct site *site = schedule_make_site(shard->schedule, plan->site_name, &plan->policy.limits,
                                           shard_now_ms(shard));
    bool is_new = site && !site->owner;
    struct provider *former = site ? site->provider : NULL;
    struct target *target;

    if (!site)
        return NULL;
    target = site->owner ? target_of(site) : make_target(shard, site);
    if (!target || !find_way(target, plan, way))
        return NULL;
    if (is_new)
        site->is_doubted = are_all_silent(target, *way);
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
    for (uint8_t i = 0; i < target->n_ways; i++)
        free_hosts(target->ways[i].hosts, target->ways[i].n_hosts);
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

size_t target_order(const struct target_host *hosts, size_t n_hosts,
                    uint8_t order[TARGET_MAX_HOSTS])
{
    size_t n = n_hosts < TARGET_MAX_HOSTS ? n_hosts : TARGET_MAX_HOSTS;

    for (size_t i = 0; i < n; i++)
        order[i] = (uint8_t)i;
    for (size_t first = 0; first < n;) {
        size_t end = first + 1;

        while (end < n && hosts[end].preference == hosts[first].preference)
            end++;
        shuffle(order + first, end - first);
        first = end;
    }
    return n;
}
