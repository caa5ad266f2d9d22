#include "relay/delivery/providers.h"

#include "policy/receiver_book.h"
#include "relay/delivery/kept_words.h"
#include "relay/schedule/provider.h"
#include "relay/schedule/shaping.h"

const struct provider_entry *providers_find(const struct delivery_config *config,
                                            struct slice domain, const struct target_host *hosts,
                                            size_t n_hosts)
{
    struct slice names[MX_MAX_HOSTS];
    size_t n = n_hosts < MX_MAX_HOSTS ? n_hosts : MX_MAX_HOSTS;

    if (!config->book)
        return NULL;
    for (size_t i = 0; i < n; i++)
        names[i] = slice_of(hosts[i].name);
    return provider_table_match(&config->book->providers, domain, names, n);
}

bool providers_is_mixed(const struct provider_entry *entry)
{
    return entry && slice_equal(entry->name, SLICE_LITERAL("mixed"));
}

static bool is_one(const struct provider_entry *entry)
{
    return entry && !providers_is_mixed(entry);
}

struct slice providers_owner_name(const struct target_plan *plan)
{
    return is_one(plan->provider) ? plan->provider->name : plan->site_name;
}

void providers_shape(const struct provider_entry *entry, struct target_policy *policy)
{
    const struct provider_limits *said;

    if (!entry)
        return;
    said = &entry->limits;
    shaping_of_lane(said, &policy->limits);
    if (said->tls_required && policy->tls == DELIVERY_TLS_MAY)
        policy->tls = DELIVERY_TLS_MUST;
    policy->idle_ms = said->idle_ms;
    policy->dot_timeout_ms = said->dot_timeout_ms;
}

static void set_limits(struct provider *provider, const struct site_limits *limits,
                       uint32_t address_connections)
{
    struct site_limits road = {.connections = address_connections};

    bound_set_limits(&provider->bound, limits);
    provider_set_road_limits(provider, &road);
}

void providers_join(struct delivery_shard *shard, struct site *site,
                    const struct provider_entry *entry)
{
    struct site_limits limits;
    struct provider *provider;

    if (!is_one(entry)) {
        site_set_provider(site, NULL);
        return;
    }
    limits = shaping_of_provider(&entry->limits);
    provider = schedule_provider(shard->schedule, entry->name);
    if (!provider) {
        provider = schedule_make_provider(shard->schedule, entry->name, &limits);
        if (provider) {
            set_limits(provider, &limits, entry->limits.address_connections);
            kept_words_meet_provider(shard, provider);
        }
    }
    site_set_provider(site, provider);
}

static void apply_to_provider(void *owner, struct provider *provider)
{
    struct delivery_shard *shard = owner;
    const struct receiver_book *book = shard->config->book;
    const struct provider_entry *entry =
        book ? provider_table_named(&book->providers, slice_of(provider->name)) : NULL;
    struct site_limits limits = {0};

    if (entry)
        limits = shaping_of_provider(&entry->limits);
    set_limits(provider, &limits, entry ? entry->limits.address_connections : 0);
}

static void apply_to_site(void *owner, struct site *site)
{
    struct delivery_shard *shard = owner;
    const struct receiver_book *book = shard->config->book;
    struct target_policy policy = shard->config->mx_policy;

    if (!site->owner || target_of(site)->policy.kind != TARGET_MX)
        return;
    if (book && target_of(site)->is_mixed)
        providers_shape(book->providers.mixed, &policy);
    else if (book && site->provider)
        providers_shape(provider_table_named(&book->providers, slice_of(site->provider->name)),
                        &policy);
    site_set_lane_limits(site, &policy.limits);
}

void providers_apply(struct delivery_shard *shard)
{
    schedule_each_provider(shard->schedule, apply_to_provider, shard);
    schedule_each_site(shard->schedule, apply_to_site, shard);
}
