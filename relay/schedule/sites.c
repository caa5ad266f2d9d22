/* The sites of a schedule: found, made, forgotten; and which of them may act or wait for a time. */
#include <string.h>

#include "relay/base/secret.h"
#include "relay/schedule/places.h"

static bool is_site(const void *thing, const void *key)
{
    const struct site *site = thing;

    return slice_equal_ignoring_case(slice_of(site->name), *(const struct slice *)key);
}

struct site *schedule_site(struct schedule *schedule, struct slice name)
{
    return table_find(&schedule->site_table, table_hash_ignoring_case(name), is_site, &name);
}

static const struct site_limits no_limits;

struct site *schedule_make_site(struct schedule *schedule, struct slice name,
                                const struct site_limits *limits, int64_t now_ms)
{
    struct site *site = schedule_site(schedule, name);

    if (site)
        return site;
    site = calloc(1, sizeof(*site));
    if (!site)
        return NULL;
    site->name = slice_to_string(name);
    site->hash = table_hash_ignoring_case(name);
    if (!site->name || table_add(&schedule->site_table, site->hash, site) < 0) {
        free(site->name);
        free(site);
        return NULL;
    }
    for (int message_class = 0; message_class < N_CLASSES; message_class++)
        list_init(&site->shares[message_class]);
    list_init(&site->ready_link);
    site->schedule = schedule;
    site->lane_limits = *limits;
    list_init(&site->lanes);
    list_init(&site->provider_link);
    bound_init(&site->bound, BOUND_SITE, &no_limits, 0, schedule->fresh_ms);
    site->last_used_ms = now_ms;
    return site;
}

void site_forget(struct schedule *schedule, struct site *site)
{
    if (schedule->hooks.on_site_unused)
        schedule->hooks.on_site_unused(schedule->hooks.owner, site);
    list_remove(&site->ready_link);
    heap_remove(&schedule->waking_sites, &site->wake);
    table_remove(&schedule->site_table, site->hash, site);
    free(site->trouble);
    list_remove(&site->provider_link);
    LIST_FOR_EACH(link, &site->lanes)
    lane_free(CONTAINER_OF(link, struct lane, link));
    bound_fini(&site->bound);
    free(site->name);
    free(site);
}

/* To the ring: the next schedule_next() decides what it may do. */
void schedule_touch(struct schedule *schedule, struct site *site)
{
    if (site_n_ready(site) == 0)
        return;
    heap_remove(&schedule->waking_sites, &site->wake);
    list_remove(&site->ready_link);
    list_append(&schedule->ready_sites, &site->ready_link);
}

void schedule_permits_came(struct schedule *schedule)
{
    while (!list_is_empty(&schedule->permit_waiters))
        list_append(&schedule->ready_sites, list_take_first(&schedule->permit_waiters));
}

void schedule_put_permit(struct schedule *schedule)
{
    if (schedule->hooks.put_permit)
        schedule->hooks.put_permit(schedule->hooks.owner);
    schedule_permits_came(schedule);
}

bool schedule_wants_permits(const struct schedule *schedule)
{
    return !list_is_empty(&schedule->permit_waiters);
}

static void touch_site(void *owner, struct site *site)
{
    schedule_touch(owner, site);
}

void schedule_touch_all(struct schedule *schedule)
{
    schedule_each_site(schedule, touch_site, schedule);
}

static void touch_sites_of(struct provider *provider)
{
    LIST_FOR_EACH(link, &provider->sites)
    schedule_touch(provider->schedule, CONTAINER_OF(link, struct site, provider_link));
}

void bound_touch(struct bound *bound)
{
    struct site *site;

    switch ((enum bound_kind)bound->kind) {
    case BOUND_SITE:
        site = CONTAINER_OF(bound, struct site, bound);
        site_limit_lanes(site);
        schedule_touch(site->schedule, site);
        break;
    case BOUND_LANE:
        site = CONTAINER_OF(bound, struct lane, bound)->site;
        schedule_touch(site->schedule, site);
        break;
    case BOUND_PROVIDER:
        touch_sites_of(CONTAINER_OF(bound, struct provider, bound));
        break;
    case BOUND_ROAD:
        touch_sites_of(CONTAINER_OF(bound, struct road, bound)->provider);
        break;
    case N_BOUND_KINDS:
        break;
    }
}

uint64_t bound_hash(const struct bound *bound)
{
    switch ((enum bound_kind)bound->kind) {
    case BOUND_SITE:
        return CONTAINER_OF(bound, struct site, bound)->hash;
    case BOUND_LANE:
        return CONTAINER_OF(bound, struct lane, bound)->site->hash +
               CONTAINER_OF(bound, struct lane, bound)->egress;
    case BOUND_PROVIDER:
        return CONTAINER_OF(bound, struct provider, bound)->hash;
    case BOUND_ROAD:
        return CONTAINER_OF(bound, struct road, bound)->provider->hash +
               CONTAINER_OF(bound, struct road, bound)->egress;
    case N_BOUND_KINDS:
        break;
    }
    return 0;
}

void schedule_pause(struct schedule *schedule, bool is_paused)
{
    bool resumes = schedule->is_paused && !is_paused;

    schedule->is_paused = is_paused;
    if (resumes)
        schedule_touch_all(schedule);
}

static void set_signed_aside(struct schedule *schedule)
{
    for (uint32_t i = 0; i < schedule->flow_table.n_slots; i++) {
        struct flow *flow = schedule->flow_table.slots[i].thing;

        if (flow && flow->is_signed)
            flow_set_aside(flow);
    }
}

void schedule_signer(struct schedule *schedule, bool answers)
{
    struct list *link;

    if (schedule->has_no_signer == !answers)
        return;
    schedule->has_no_signer = !answers;
    if (!answers) {
        set_signed_aside(schedule);
        return;
    }
    while ((link = list_take_first(&schedule->unsigned_flows)) != NULL) {
        struct flow *flow = CONTAINER_OF(link, struct flow, link);

        flow_take_back(flow);
        schedule_touch(schedule, flow->share->site);
    }
}

void schedule_each_site(struct schedule *schedule, void (*visit)(void *owner, struct site *site),
                        void *owner)
{
    for (uint32_t i = 0; i < schedule->site_table.n_slots; i++)
        if (schedule->site_table.slots[i].thing)
            visit(owner, schedule->site_table.slots[i].thing);
}
