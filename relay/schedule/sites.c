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
        list_init(&site->queues[message_class]);
    list_init(&site->all_queues);
    turn_init(&site->turn, TURN_OF_SITE);
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
    list_remove(&site->turn.link);
    heap_remove(&schedule->waking, &site->turn.wake);
    table_remove(&schedule->site_table, site->hash, site);
    free(site->trouble);
    list_remove(&site->provider_link);
    LIST_FOR_EACH(link, &site->lanes)
    lane_free(CONTAINER_OF(link, struct lane, link));
    bound_fini(&site->bound);
    free(site->name);
    free(site);
}

/* ---- turns ---- */

/* To the ring: the next schedule_next() decides what it may do. */
static void turn_add(struct schedule *schedule, struct turn *turn)
{
    if (turn->is_ready)
        return;
    list_remove(&turn->link);
    list_append(&schedule->ready, &turn->link);
    turn->is_ready = true;
}

/* Queues that its own bounds kept back stand in line again. */
static void enter_stations(struct site *site)
{
    for (int each = 0; each < N_CLASSES; each++)
        LIST_FOR_EACH(link, &site->queues[each])
        {
            struct queue *queue = CONTAINER_OF(link, struct queue, link);

            if (list_is_empty(&queue->station))
                list_append(&site->provider->stations[each][queue->pool], &queue->station);
        }
}

void schedule_touch(struct schedule *schedule, struct site *site)
{
    if (site_n_ready(site) == 0)
        return;
    heap_remove(&schedule->waking, &site->turn.wake);
    if (!site->provider) {
        turn_add(schedule, &site->turn);
        return;
    }
    enter_stations(site);
    turn_add(schedule, &site->provider->turn);
}

void provider_touch(struct provider *provider)
{
    heap_remove(&provider->schedule->waking, &provider->turn.wake);
    turn_add(provider->schedule, &provider->turn);
}

void turn_wake(struct schedule *schedule, struct turn *turn)
{
    if (turn->kind == TURN_OF_SITE)
        schedule_touch(schedule, CONTAINER_OF(turn, struct site, turn));
    else
        provider_touch(CONTAINER_OF(turn, struct provider, turn));
}

void schedule_permits_came(struct schedule *schedule)
{
    while (!list_is_empty(&schedule->permit_waiters))
        turn_add(schedule, CONTAINER_OF(schedule->permit_waiters.next, struct turn, link));
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

static void touch_provider(void *owner, struct provider *provider)
{
    (void)owner;
    provider_touch(provider);
}

void schedule_touch_all(struct schedule *schedule)
{
    schedule_each_site(schedule, touch_site, schedule);
    schedule_each_provider(schedule, touch_provider, NULL);
}

static void touch_sites_of(struct provider *provider)
{
    LIST_FOR_EACH(link, &provider->sites)
    schedule_touch(provider->schedule, CONTAINER_OF(link, struct site, provider_link));
    provider_touch(provider);
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

const struct schedule *bound_schedule(const struct bound *bound)
{
    switch ((enum bound_kind)bound->kind) {
    case BOUND_SITE:
        return CONTAINER_OF(bound, struct site, bound)->schedule;
    case BOUND_LANE:
        return CONTAINER_OF(bound, struct lane, bound)->site->schedule;
    case BOUND_ROAD:
        return CONTAINER_OF(bound, struct road, bound)->provider->schedule;
    case BOUND_PROVIDER:
    case N_BOUND_KINDS:
        break;
    }
    return CONTAINER_OF(bound, struct provider, bound)->schedule;
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
            flow_set_aside(flow, &schedule->unsigned_flows);
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
