#include "relay/schedule/round_robin.h"

#include <assert.h>

#include "relay/base/secret.h"
#include "relay/schedule/places.h"

struct flow_key {
    struct site *site;
    uint32_t user_id, campaign;
    uint32_t pool;
    enum message_class message_class;
    bool is_signed;
};

static uint64_t key_hash(const struct flow_key *key)
{
    uint64_t words[3] = {(uintptr_t)key->site, (uint64_t)key->user_id << 32 | key->campaign,
                         (uint64_t)key->pool << 8 | (uint64_t)key->message_class << 1 |
                             key->is_signed};

    return table_hash(slice_from(words, sizeof(words)));
}

static bool is_share(const void *thing, const void *key)
{
    const struct share *share = thing;
    const struct flow_key *wanted = key;

    return share->site == wanted->site && share->user_id == wanted->user_id &&
           share->message_class == wanted->message_class && share->queue->pool == wanted->pool;
}

static bool is_flow(const void *thing, const void *key)
{
    const struct flow *flow = thing;
    const struct flow_key *wanted = key;

    return flow->campaign == wanted->campaign && flow->is_signed == wanted->is_signed &&
           is_share(flow->share, key);
}

static struct queue *find_queue(const struct flow_key *key)
{
    struct queue *queue;

    LIST_FOR_EACH(link, &key->site->all_queues)
    {
        queue = CONTAINER_OF(link, struct queue, all);
        if (queue->pool == key->pool && queue->message_class == key->message_class)
            return queue;
    }
    queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    list_init(&queue->link);
    list_init(&queue->station);
    list_init(&queue->shares);
    list_append(&key->site->all_queues, &queue->all);
    queue->site = key->site;
    queue->pool = key->pool;
    queue->message_class = key->message_class;
    return queue;
}

static void release_queue(struct queue *queue)
{
    if (!queue || queue->n_shares > 0)
        return;
    list_remove(&queue->link);
    list_remove(&queue->station);
    list_remove(&queue->all);
    free(queue);
}

static uint32_t weight_of(const struct schedule *schedule, uint32_t user_id)
{
    const struct schedule_hooks *hooks = &schedule->hooks;
    uint32_t weight = hooks->weight_of ? hooks->weight_of(hooks->owner, user_id) : 1;

    return weight < 1 ? 1 : weight < ROUND_ROBIN_MOST_WEIGHT ? weight : ROUND_ROBIN_MOST_WEIGHT;
}

static struct share *find_share(struct schedule *schedule, struct flow_key key)
{
    uint64_t hash;
    struct share *share;
    struct queue *queue;

    key.campaign = 0;
    key.is_signed = false;
    hash = key_hash(&key);
    share = table_find(&schedule->share_table, hash, is_share, &key);
    if (share)
        return share;
    queue = find_queue(&key);
    share = queue ? calloc(1, sizeof(*share)) : NULL;
    if (!share || table_add(&schedule->share_table, hash, share) < 0) {
        free(share);
        release_queue(queue);
        return NULL;
    }
    list_init(&share->link);
    list_init(&share->flows);
    share->queue = queue;
    queue->n_shares++;
    share->weight = weight_of(schedule, key.user_id);
    share->site = key.site;
    share->hash = hash;
    share->user_id = key.user_id;
    share->message_class = key.message_class;
    return share;
}

static void release_share(struct schedule *schedule, struct share *share)
{
    if (share->n_flows > 0)
        return;
    list_remove(&share->link);
    table_remove(&schedule->share_table, share->hash, share);
    share->queue->n_shares--;
    release_queue(share->queue);
    free(share);
}

static struct flow *make_flow(struct schedule *schedule, struct share *share,
                              const struct flow_key *key, uint64_t hash)
{
    struct flow *flow = pool_take(&schedule->flows);

    if (!flow)
        return NULL;
    if (table_add(&schedule->flow_table, hash, flow) < 0) {
        pool_give(&schedule->flows, flow);
        return NULL;
    }
    list_init(&flow->link);
    list_init(&flow->ready);
    flow->share = share;
    flow->hash = hash;
    flow->campaign = key->campaign;
    flow->is_signed = key->is_signed;
    share->n_flows++;
    share->site->n_flows++;
    return flow;
}

struct flow *flow_find(struct schedule *schedule, struct site *site, const struct entry *entry)
{
    const struct stored *message = entry->message;
    struct flow_key key = {
        .site = site,
        .user_id = message->user_id,
        .campaign = entry->flow,
        .pool = entry_pool(schedule, entry),
        .message_class = (enum message_class)message->class,
        .is_signed = !(message->flags & MESSAGE_NOT_SIGNED),
    };
    uint64_t hash = key_hash(&key);
    struct flow *flow = table_find(&schedule->flow_table, hash, is_flow, &key);
    struct share *share;

    if (flow)
        return flow;
    share = find_share(schedule, key);
    if (!share)
        return NULL;
    flow = make_flow(schedule, share, &key, hash);
    if (!flow)
        release_share(schedule, share);
    return flow;
}

void flow_release(struct schedule *schedule, struct flow *flow)
{
    struct share *share = flow->share;

    assert(flow->n_entries > 0);
    if (--flow->n_entries > 0)
        return;
    assert(list_is_empty(&flow->ready));
    list_remove(&flow->link);
    table_remove(&schedule->flow_table, flow->hash, flow);
    pool_give(&schedule->flows, flow);
    share->n_flows--;
    share->site->n_flows--;
    release_share(schedule, share);
}

static void take_turns(struct flow *flow)
{
    struct share *share = flow->share;
    struct queue *queue = share->queue;

    list_append(&share->flows, &flow->link);
    if (list_is_empty(&share->link))
        list_append(&queue->shares, &share->link);
    if (list_is_empty(&queue->link))
        list_append(&queue->site->queues[queue->message_class], &queue->link);
}

static void take_no_turns(struct flow *flow)
{
    struct share *share = flow->share;

    list_remove(&flow->link);
    if (!list_is_empty(&share->flows))
        return;
    list_remove(&share->link);
    /* An idle user saves up nothing; a debt stays. */
    if (share->deficit > 0)
        share->deficit = 0;
    if (!list_is_empty(&share->queue->shares))
        return;
    list_remove(&share->queue->link);
    list_remove(&share->queue->station);
}

void flow_set_aside(struct flow *flow, struct list *among)
{
    if (list_is_empty(&flow->link))
        return;
    take_no_turns(flow);
    list_append(among, &flow->link);
}

void flow_take_back(struct flow *flow)
{
    list_remove(&flow->link);
    take_turns(flow);
}

void flow_push(struct flow *flow, struct entry *entry, bool at_front)
{
    struct schedule *schedule = flow->share->site->schedule;

    if (at_front)
        list_prepend(&flow->ready, &entry->link);
    else
        list_append(&flow->ready, &entry->link);
    if (!list_is_empty(&flow->link))
        return;
    if (flow->is_signed && schedule->has_no_signer)
        list_append(&schedule->unsigned_flows, &flow->link);
    else
        take_turns(flow);
}

void flow_drop(struct flow *flow, struct entry *entry)
{
    list_remove(&entry->link);
    if (list_is_empty(&flow->ready))
        take_no_turns(flow);
}

void schedule_reweigh(struct schedule *schedule)
{
    for (uint32_t i = 0; i < schedule->share_table.n_slots; i++) {
        struct share *share = schedule->share_table.slots[i].thing;

        if (share)
            share->weight = weight_of(schedule, share->user_id);
    }
}

struct flow *round_robin_turn(struct queue *queue)
{
    struct list *shares = &queue->shares;

    while (!list_is_empty(shares)) {
        struct share *share = CONTAINER_OF(shares->next, struct share, link);

        if (share->deficit > 0)
            return CONTAINER_OF(share->flows.next, struct flow, link);
        share->deficit += (int32_t)(ROUND_ROBIN_QUANTUM * share->weight);
        list_remove(&share->link);
        list_append(shares, &share->link);
    }
    return NULL;
}

void round_robin_spend(struct flow *flow, uint32_t n_recipients)
{
    struct share *share = flow->share;

    share->deficit -= (int32_t)n_recipients;
    /* The user's other campaigns come next. */
    if (!list_is_empty(&flow->link)) {
        list_remove(&flow->link);
        list_append(&share->flows, &flow->link);
    }
}
