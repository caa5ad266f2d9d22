/* Outcomes of many recipients at once: one judgement for a list, what expired, and reports of
 * delay. */
#include "relay/base/log.h"
#include "relay/delivery/outcome.h"
#include "relay/delivery/telling.h"

enum { GROUP_MOST = 500 }; /* recipients of one update */

/* How many at the head of the list are of one message. */
static uint32_t count_group(struct list *entries)
{
    const struct stored *message = CONTAINER_OF(entries->next, struct entry, link)->message;
    uint32_t n = 0;

    LIST_FOR_EACH(link, entries)
    if (n == GROUP_MOST || CONTAINER_OF(link, struct entry, link)->message != message)
        break;
    else
        n++;
    return n;
}

/* One update for these; false without memory. */
static bool commit_group(struct delivery_shard *shard, struct list *entries,
                         const struct judgement *judgement)
{
    struct entry *first = CONTAINER_OF(entries->next, struct entry, link);
    uint32_t n = count_group(entries);
    struct outcome *outcome = outcome_new(shard, first->message, NULL, n);

    if (!outcome)
        return false;
    outcome_set_place(outcome,
                      &(struct outcome_place){.site = slice_of(telling_site(shard, first))});
    while (n-- > 0)
        outcome_add(outcome, CONTAINER_OF(list_take_first(entries), struct entry, link), judgement);
    outcome_commit(outcome);
    return true;
}

void outcome_for_all(struct delivery_shard *shard, struct list *entries,
                     const struct judgement *judgement)
{
    while (!list_is_empty(entries)) {
        if (commit_group(shard, entries, judgement))
            continue;
        schedule_return(shard->schedule, CONTAINER_OF(list_take_first(entries), struct entry, link),
                        shard_now_ms(shard));
    }
}

/* Of one site at a time: its trouble is the reason. */
void outcome_for_expired(struct delivery_shard *shard)
{
    while (!list_is_empty(&shard->expired)) {
        struct entry *first = CONTAINER_OF(shard->expired.next, struct entry, link);
        const struct flow *flow = entry_flow(shard->schedule, first);
        const char *trouble = flow ? flow->share->site->trouble : NULL;
        struct judgement judgement = {
            .verdict = VERDICT_EXPIRED,
            .status = SMTP_STATUS(4, 4, 7),
            .text = slice_of(trouble ? trouble : "it could not be delivered in time"),
        };
        struct list same;

        list_init(&same);
        LIST_FOR_EACH(link, &shard->expired)
        {
            struct entry *entry = CONTAINER_OF(link, struct entry, link);

            if (entry_flow(shard->schedule, entry) != flow)
                break;
            list_remove(link);
            list_append(&same, link);
        }
        outcome_for_all(shard, &same, &judgement);
    }
}

static bool delay_group(struct delivery_shard *shard, const struct delayed_entry *rows, uint32_t n)
{
    struct outcome *outcome = outcome_new(shard, rows[0].stored, NULL, n);

    if (!outcome)
        return false;
    for (uint32_t i = 0; i < n; i++)
        outcome->items[i] = (struct outcome_item){
            .n = rows[i].n,
            .judgement = {.verdict = VERDICT_DELAYED,
                          .status = SMTP_STATUS(4, 4, 7),
                          .text = SLICE_LITERAL("not delivered yet; still trying")},
        };
    outcome->n_items = n;
    outcome_commit(outcome);
    return true;
}

void outcome_for_delayed(struct delivery_shard *shard)
{
    struct delayed_entry *rows = (struct delayed_entry *)(void *)shard->delayed.data;
    uint32_t n_rows = (uint32_t)(shard->delayed.len / sizeof(*rows));

    for (uint32_t first = 0; first < n_rows;) {
        uint32_t end_of_group = first + 1;

        while (end_of_group < n_rows && rows[end_of_group].stored == rows[first].stored)
            end_of_group++;
        if (!delay_group(shard, rows + first, end_of_group - first))
            log_debug("delivery", "no memory for a report of delay");
        for (; first < end_of_group; first++)
            stored_unref(rows[first].stored);
    }
    buffer_clear(&shard->delayed);
}
