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
    site->limits = *limits;
    site->window = limits->start_connections ? limits->start_connections : 1;
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
    free(site->suspended_because);
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

void schedule_pause(struct schedule *schedule, bool is_paused)
{
    bool resumes = schedule->is_paused && !is_paused;

    schedule->is_paused = is_paused;
    if (resumes)
        schedule_each_site(schedule, touch_site, schedule);
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
