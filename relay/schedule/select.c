#include "relay/schedule/select.h"

#include "relay/schedule/places.h"

static int compare_ids(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

static bool has_id(const struct selection *selection, uint64_t id)
{
    return selection->n_ids == 0 ||
           bsearch(&id, selection->ids, selection->n_ids, sizeof(id), compare_ids) != NULL;
}

struct chosen chosen_of(uint64_t id, uint32_t n, unsigned bits)
{
    return (struct chosen){(uint32_t)(id >> 32), (uint32_t)id, n & 0xffffff, bits & 0xff, 0};
}

int chosen_compare(const void *a, const void *b)
{
    const struct chosen *first = a, *second = b;

    if (first->id_high != second->id_high)
        return first->id_high < second->id_high ? -1 : 1;
    if (first->id_low != second->id_low)
        return first->id_low < second->id_low ? -1 : 1;
    return (first->n > second->n) - (first->n < second->n);
}

struct chosen *chosen_find(const struct chosen *all, size_t n_all, uint64_t id, uint32_t n)
{
    struct chosen key = chosen_of(id, n, 0);

    return n_all ? bsearch(&key, all, n_all, sizeof(key), chosen_compare) : NULL;
}

static bool is_chosen(const struct selection *selection, const struct entry *entry)
{
    const struct chosen *chosen;

    if (!selection->chosen)
        return true;
    chosen = chosen_find(selection->chosen, selection->n_chosen, entry->message->id, entry->n);
    return chosen && (!selection->chosen_bits || chosen->bits & selection->chosen_bits);
}

/* A selection as one schedule sees it: what has names is looked up once, not for each entry. */
struct matcher {
    const struct schedule *schedule;
    const struct selection *selection;
    uint32_t states;         /* bits; 0: nothing can match */
    uint32_t domain;         /* number of the destination's; POOL_NONE: it is none of the domains */
    const struct site *site; /* or of this name; NULL: it is no site's */
};

static bool goes_to(const struct matcher *matcher, const struct entry *entry)
{
    if (matcher->selection->destination.len == 0 || entry->domain == matcher->domain)
        return true;
    return matcher->site && entry_site(matcher->schedule, entry) == matcher->site;
}

uint32_t entry_campaign(const struct schedule *schedule, const struct entry *entry)
{
    const struct flow *flow = entry_flow(schedule, entry);

    return flow ? flow->campaign : entry->flow; /* ENTRY_UNBOUND */
}

static bool has_word(const struct selection *selection)
{
    return selection->n_ids || selection->chosen || selection->destination.len ||
           selection->user_id || selection->sender_hash || selection->to_hash ||
           selection->campaign || selection->states || selection->older_than_utc_ms ||
           selection->larger_than;
}

static bool has_message(const struct selection *selection, const struct stored *message)
{
    if (selection->user_id && selection->user_id != message->user_id)
        return false;
    if (selection->sender_hash && selection->sender_hash != message->sender_hash)
        return false;
    if (selection->older_than_utc_ms && message->arrived_utc_ms >= selection->older_than_utc_ms)
        return false;
    if (selection->larger_than && stored_size(message) <= selection->larger_than)
        return false;
    return has_id(selection, message->id);
}

static struct matcher make_matcher(const struct schedule *schedule,
                                   const struct selection *selection)
{
    struct matcher matcher = {schedule, selection,
                              selection->states ? selection->states : ~(1U << ENTRY_FREE),
                              POOL_NONE, NULL};
    const struct domain *domain;

    if (!selection->is_all && !has_word(selection))
        matcher.states = 0;
    if (selection->destination.len == 0)
        return matcher;
    domain = schedule_domain((struct schedule *)schedule, selection->destination);
    if (domain)
        matcher.domain = pool_number(&schedule->domains, domain);
    matcher.site = schedule_site((struct schedule *)schedule, selection->destination);
    if (!domain && !matcher.site)
        matcher.states = 0;
    return matcher;
}

static bool matches(const struct matcher *matcher, const struct entry *entry)
{
    const struct selection *selection = matcher->selection;

    if (!(matcher->states & 1U << entry->state))
        return false;
    if (selection->to_hash && selection->to_hash != entry->to_hash)
        return false;
    if (!goes_to(matcher, entry) || !has_message(selection, entry->message))
        return false;
    if (selection->campaign && selection->campaign != entry_campaign(matcher->schedule, entry))
        return false;
    return is_chosen(selection, entry);
}

bool selection_matches(const struct schedule *schedule, const struct selection *selection,
                       const struct entry *entry)
{
    struct matcher matcher = make_matcher(schedule, selection);

    return matches(&matcher, entry);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Block by block: finding each entry by its number would cost more than looking at it. */
bool schedule_select(struct schedule *schedule, const struct selection *selection, uint32_t *cursor,
                     uint32_t max_steps, void (*visit)(void *owner, struct entry *entry),
                     void *owner)
{
    const struct pool *pool = &schedule->entries;
    struct matcher matcher = make_matcher(schedule, selection);

    if (matcher.states == 0)
        *cursor = pool->n_numbers;
    while (max_steps > 0 && *cursor < pool->n_numbers) {
        struct entry *entries = pool_at(pool, *cursor);
        uint32_t n = least(pool->per_block - *cursor % pool->per_block,
                           least(max_steps, pool->n_numbers - *cursor));

        for (uint32_t i = 0; i < n; i++)
            if (matches(&matcher, &entries[i]))
                visit(owner, &entries[i]);
        *cursor += n;
        max_steps -= n;
    }
    return *cursor < pool->n_numbers;
}
