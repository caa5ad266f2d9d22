#include "relay/schedule/schedule.h"

#include <assert.h>
#include <errno.h>

#include "relay/schedule/halts.h"
#include "relay/schedule/places.h"

int schedule_new(struct schedule **out, const struct schedule_hooks *hooks, int64_t now_ms,
                 int64_t utc_ms)
{
    struct schedule *schedule = calloc(1, sizeof(*schedule));

    if (!schedule)
        return FAULT(-ENOMEM);
    schedule->hooks = *hooks;
    schedule->start_ms = now_ms;
    schedule->utc_offset_ms = utc_ms - now_ms;
    schedule->clock_epoch = 1;
    schedule->fresh_ms = now_ms;
    for (int pool = 0; pool < POOL_MOST; pool++)
        schedule->egress.pools[pool] = 1;
    pool_init(&schedule->entries, sizeof(struct entry));
    pool_init(&schedule->flows, sizeof(struct flow));
    pool_init(&schedule->domains, sizeof(struct domain));
    wheel_init(&schedule->wheel, 0);
    list_init(&schedule->ready);
    list_init(&schedule->unsigned_flows);
    list_init(&schedule->halts);
    list_init(&schedule->permit_waiters);
    list_init(&schedule->routing_domains);
    *out = schedule;
    return 0;
}

void schedule_clear(struct schedule *schedule)
{
    for (uint32_t i = 0; i < schedule->entries.n_numbers; i++) {
        struct entry *entry = pool_at(&schedule->entries, i);

        if (entry->state != ENTRY_FREE)
            place_free(schedule, entry);
    }
}

struct schedule *schedule_free(struct schedule *schedule)
{
    if (!schedule)
        return NULL;
    schedule_clear(schedule);
    halts_free(schedule);
    for (uint32_t i = 0; i < schedule->site_table.n_slots;) {
        struct site *site = schedule->site_table.slots[i].thing;

        if (site)
            site_forget(schedule, site); /* moves another one to this slot, perhaps */
        else
            i++;
    }
    for (uint32_t i = 0; i < schedule->provider_table.n_slots; i++)
        if (schedule->provider_table.slots[i].thing)
            provider_free(schedule->provider_table.slots[i].thing);
    table_fini(&schedule->provider_table);
    table_fini(&schedule->site_table);
    table_fini(&schedule->flow_table);
    table_fini(&schedule->share_table);
    table_fini(&schedule->domain_table);
    heap_fini(&schedule->waking);
    pool_fini(&schedule->entries);
    pool_fini(&schedule->flows);
    pool_fini(&schedule->domains);
    free(schedule);
    return NULL;
}

/* For entry.due_s: what is due since before the start is due at once. */
static uint32_t held_second(const struct schedule *schedule, int64_t due_ms)
{
    int64_t due_s = (due_ms - schedule->start_ms + 999) / 1000;

    return due_s < 1 ? 1 : due_s < UINT32_MAX - 1 ? (uint32_t)due_s : UINT32_MAX - 1;
}

static void place_held(struct schedule *schedule, struct entry *entry,
                       const struct new_entry *new_entry)
{
    place_apart(schedule, entry, ENTRY_HELD);
    entry->is_by_rule = new_entry->is_by_rule;
    entry->due_s = ENTRY_UNTIL_RELEASED;
    if (new_entry->is_braked)
        entry->due_s = ENTRY_UNTIL_UNBRAKED;
    else if (new_entry->due_ms)
        entry->due_s = held_second(schedule, new_entry->due_ms);
}

bool entry_is_held_no_more(const struct schedule *schedule, const struct entry *entry,
                           int64_t now_ms)
{
    return entry->state == ENTRY_HELD && entry->due_s != ENTRY_UNTIL_RELEASED &&
           entry->due_s != ENTRY_UNTIL_UNBRAKED &&
           schedule->start_ms + (int64_t)entry->due_s * 1000 <= now_ms;
}

uint32_t entry_held_until_s(const struct schedule *schedule, const struct entry *entry)
{
    if (entry->state != ENTRY_HELD)
        return ENTRY_UNTIL_RELEASED;
    if (entry->due_s == ENTRY_UNTIL_RELEASED || entry->due_s == ENTRY_UNTIL_UNBRAKED)
        return entry->due_s;
    return (uint32_t)((schedule->start_ms + schedule->utc_offset_ms + 999) / 1000 + entry->due_s);
}

int schedule_admit(struct schedule *schedule, const struct new_entry *new_entry, int64_t now_ms)
{
    struct domain *domain = domain_make(schedule, new_entry->domain);
    struct entry *entry = domain ? pool_take(&schedule->entries) : NULL;

    assert(new_entry->n <= ENTRY_MAX_RECIPIENT);
    if (!entry) {
        if (domain && domain->n_entries == 0) {
            domain->n_entries = 1;
            domain_release(schedule, domain);
        }
        return FAULT(-ENOMEM);
    }
    list_init(&entry->link);
    entry->message = new_entry->message;
    entry->domain = pool_number(&schedule->domains, domain);
    domain->n_entries++;
    entry->n = new_entry->n;
    entry->flow = new_entry->campaign;
    entry->flags = new_entry->flags | ENTRY_UNBOUND;
    entry->to_hash = new_entry->to_hash;
    entry->pool = new_entry->pool & (POOL_MOST - 1);
    entry->attempts = new_entry->attempts;
    entry->clock_epoch = (uint8_t)(schedule->clock_epoch - (new_entry->needs_attempt ? 1 : 0));
    if (new_entry->is_held)
        place_held(schedule, entry, new_entry);
    else if (new_entry->due_ms > now_ms)
        schedule_place_later(schedule, entry, new_entry->due_ms, now_ms);
    else
        place_ready(schedule, entry, false, now_ms);
    return 0;
}

bool entry_is_expired(const struct schedule *schedule, const struct entry *entry, int64_t now_ms)
{
    return entry->clock_epoch == schedule->clock_epoch &&
           now_ms + schedule->utc_offset_ms >= stored_expires_utc_ms(entry->message);
}

/* Not beyond its expiry, so that this is noticed on time. */
void schedule_place_later(struct schedule *schedule, struct entry *entry, int64_t due_ms,
                          int64_t now_ms)
{
    int64_t expires_ms = stored_expires_utc_ms(entry->message) - schedule->utc_offset_ms;

    if (entry->clock_epoch == schedule->clock_epoch && expires_ms < due_ms)
        due_ms = expires_ms;
    place_waiting(schedule, entry, due_ms > now_ms ? due_ms : now_ms + 1);
}

void schedule_finish(struct schedule *schedule, struct entry *entry)
{
    assert(entry->state == ENTRY_SENDING);
    place_free(schedule, entry);
}

void schedule_note_attempt(struct schedule *schedule, struct entry *entry)
{
    entry->clock_epoch = schedule->clock_epoch;
    if (entry->attempts < UINT16_MAX)
        entry->attempts++;
}

void schedule_defer(struct schedule *schedule, struct entry *entry, int64_t due_ms, int64_t now_ms)
{
    assert(entry->state == ENTRY_SENDING);
    place_none(schedule, entry);
    schedule_place_later(schedule, entry, due_ms, now_ms);
}

void schedule_hold(struct schedule *schedule, struct entry *entry)
{
    place_none(schedule, entry);
    place_apart(schedule, entry, ENTRY_HELD);
    entry->due_s = ENTRY_UNTIL_RELEASED;
}

void schedule_hold_until(struct schedule *schedule, struct entry *entry, int64_t due_ms)
{
    schedule_hold(schedule, entry);
    entry->due_s = held_second(schedule, due_ms);
}

void schedule_return(struct schedule *schedule, struct entry *entry, int64_t now_ms)
{
    assert(entry->state == ENTRY_SENDING);
    place_none(schedule, entry);
    place_ready(schedule, entry, true, now_ms);
}

void schedule_retry_now(struct schedule *schedule, struct entry *entry, int64_t now_ms)
{
    assert(entry->state != ENTRY_SENDING);
    if (entry->state == ENTRY_READY || entry->state == ENTRY_UNROUTED)
        return;
    place_none(schedule, entry);
    place_ready(schedule, entry, false, now_ms);
}

void schedule_take(struct schedule *schedule, struct entry *entry)
{
    place_none(schedule, entry);
    place_apart(schedule, entry, ENTRY_SENDING);
}

void schedule_clock_jumped(struct schedule *schedule, int64_t now_ms, int64_t utc_ms)
{
    schedule->utc_offset_ms = utc_ms - now_ms;
    schedule->clock_epoch++;
}

void schedule_forget_paces(struct schedule *schedule, int64_t now_ms)
{
    schedule->fresh_ms = now_ms;
}
