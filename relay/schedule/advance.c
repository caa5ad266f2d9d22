/* What became due, and what a slow round over all entries finds: expiry and lateness of those that
 * wait for a blocked site, and entries whose domain moved to another site meanwhile. */
#include "relay/schedule/halts.h"
#include "relay/schedule/places.h"

enum {
    SWEEP_ROUND_S = 300,           /* all entries are looked at within this */
    SWEEP_LEAST = 2000,            /* and at least so many a second */
    SWEEP_SITES = 256,             /* slots of the table of sites, a second */
    SITE_KEPT_MS = 10 * 60 * 1000, /* what it taught us is worth keeping that long */
};

static uint32_t due_of(const struct list *element)
{
    return CONTAINER_OF(element, struct entry, link)->due_s;
}

static uint32_t second_of(const struct schedule *schedule, int64_t now_ms)
{
    return (uint32_t)((now_ms - schedule->start_ms) / 1000);
}

static void expire(struct schedule *schedule, struct entry *entry)
{
    schedule_take(schedule, entry);
    schedule->hooks.on_expired(schedule->hooks.owner, entry);
}

/* Also at the end of its time: that is its last attempt, whose reply the report will show. */
static void wake_entry(struct schedule *schedule, struct entry *entry, int64_t now_ms)
{
    wheel_add(&schedule->wheel, &entry->link, entry->due_s); /* as place_none() expects it */
    place_none(schedule, entry);
    place_ready(schedule, entry, false, now_ms);
}

static bool is_late(const struct schedule *schedule, const struct entry *entry, int64_t now_ms)
{
    return schedule->delay_ms > 0 && !(entry->flags & ENTRY_DELAY_REPORTED) &&
           now_ms + schedule->utc_offset_ms - entry->message->arrived_utc_ms >= schedule->delay_ms;
}

static void look_at(struct schedule *schedule, struct entry *entry, int64_t now_ms)
{
    if (entry->state == ENTRY_FREE || entry->state == ENTRY_SENDING || entry->state == ENTRY_HELD)
        return;
    if (entry->state != ENTRY_WAITING && entry_is_expired(schedule, entry, now_ms)) {
        expire(schedule, entry);
        return;
    }
    if (is_late(schedule, entry, now_ms)) {
        entry->flags |= ENTRY_DELAY_REPORTED;
        schedule->hooks.on_delayed(schedule->hooks.owner, entry);
    }
    if (entry->state == ENTRY_READY &&
        entry_site(schedule, entry) != entry_domain(schedule, entry)->site) {
        place_none(schedule, entry);
        place_ready(schedule, entry, false, now_ms);
    }
}

static void sweep_sites(struct schedule *schedule, int64_t now_ms)
{
    uint32_t n_slots = schedule->site_table.n_slots;

    for (uint32_t i = 0; i < SWEEP_SITES && i < n_slots; i++) {
        struct site *site;

        schedule->site_sweep_at = (schedule->site_sweep_at + 1) % n_slots;
        site = schedule->site_table.slots[schedule->site_sweep_at].thing;
        if (site && site_is_unused(site, now_ms) && now_ms - site->last_used_ms > SITE_KEPT_MS)
            site_forget(schedule, site);
    }
}

/* Once a second, a slice of the round. */
static void sweep(struct schedule *schedule, int64_t now_ms)
{
    uint32_t n_numbers = schedule->entries.n_numbers;
    uint32_t n = n_numbers / SWEEP_ROUND_S;

    if (n < SWEEP_LEAST)
        n = SWEEP_LEAST;
    if (n > n_numbers)
        n = n_numbers;
    for (uint32_t i = 0; i < n; i++) {
        if (++schedule->sweep_at >= n_numbers)
            schedule->sweep_at = 0;
        look_at(schedule, pool_at(&schedule->entries, schedule->sweep_at), now_ms);
    }
    sweep_sites(schedule, now_ms);
}

static uint32_t route_waiting(struct schedule *schedule, int64_t now_ms, uint32_t max_steps)
{
    uint32_t n_steps = 0;

    while (n_steps < max_steps && !list_is_empty(&schedule->routing_domains)) {
        struct domain *domain =
            CONTAINER_OF(schedule->routing_domains.next, struct domain, routing_link);
        struct entry *entry = CONTAINER_OF(domain->unrouted.next, struct entry, link);

        place_none(schedule, entry);
        place_ready(schedule, entry, false, now_ms);
        n_steps++;
    }
    return n_steps;
}

static void wake_turns(struct schedule *schedule, int64_t now_ms)
{
    struct heap_node *node;

    while ((node = heap_first(&schedule->waking)) && node->key <= now_ms) {
        heap_remove(&schedule->waking, node);
        turn_wake(schedule, CONTAINER_OF(node, struct turn, wake));
    }
}

bool schedule_advance(struct schedule *schedule, int64_t now_ms, uint32_t max_steps)
{
    uint32_t now_s = second_of(schedule, now_ms);
    uint32_t n_steps = route_waiting(schedule, now_ms, max_steps);
    struct list *element;

    wake_turns(schedule, now_ms);
    schedule->halts_looked_ms = now_ms;
    halts_advance(schedule, now_ms);
    if (now_s != schedule->swept_s) {
        schedule->swept_s = now_s;
        sweep(schedule, now_ms);
    }
    while (n_steps < max_steps &&
           (element = wheel_take_due(&schedule->wheel, now_s, due_of)) != NULL) {
        wake_entry(schedule, CONTAINER_OF(element, struct entry, link), now_ms);
        n_steps++;
    }
    return n_steps == max_steps;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t schedule_wake_ms(const struct schedule *schedule)
{
    uint32_t next_s = wheel_next_s(&schedule->wheel);
    int64_t at_ms = INT64_MAX;

    if (!list_is_empty(&schedule->ready) || !list_is_empty(&schedule->routing_domains))
        return schedule->start_ms;
    if (next_s != UINT32_MAX)
        at_ms = schedule->start_ms + (int64_t)next_s * 1000;
    if (heap_first(&schedule->waking))
        at_ms = earlier(at_ms, heap_first(&schedule->waking)->key);
    at_ms = earlier(at_ms, halts_wake_ms(schedule));
    if (schedule->entries.n_items > 0) /* the sweep */
        at_ms = earlier(at_ms, schedule->start_ms + ((int64_t)schedule->swept_s + 1) * 1000);
    return at_ms;
}
