/* How a transaction begins: its memory, its connection, the message opened. */
#include <string.h>

#include "relay/delivery/dispatch_private.h"
#include "relay/schedule/halts.h"

static bool allocate(struct dispatch *dispatch, const struct pick *pick)
{
    struct arena *arena = &dispatch->arena;
    uint32_t n = pick->n_entries;

    dispatch->n_entries = n;
    dispatch->entries = arena_alloc(arena, n * sizeof(struct entry *));
    dispatch->is_answered = arena_alloc(arena, n * sizeof(bool));
    dispatch->recipients = arena_alloc(arena, n * sizeof(*dispatch->recipients));
    dispatch->letter = letter_new(dispatch->shard, pick->message);
    if (!dispatch->entries || !dispatch->is_answered || !dispatch->recipients || !dispatch->letter)
        return false;
    dispatch->outcome = outcome_new(dispatch->shard, pick->message, dispatch->letter, n);
    if (dispatch->outcome)
        memcpy(dispatch->entries, pick->entries, n * sizeof(struct entry *));
    return dispatch->outcome != NULL;
}

static struct connection *find_connection(struct dispatch *dispatch, const struct pick *pick)
{
    if (pick->needs_connection)
        return connection_open(pick->lane, dispatch, pick->message_class);
    return connection_take(pick->lane, dispatch, pick->message_class);
}

/* Without memory: as if the pick had never been made, but for its pace. */
static bool give_back(struct delivery_shard *shard, const struct pick *pick,
                      struct warm_use warm_use)
{
    int64_t now_ms = shard_now_ms(shard);

    egress_warm_up_give_back(warm_use);
    halts_drop_turn(shard->schedule, pick->message->user_id,
                    entry_flow(shard->schedule, pick->entries[0])->campaign, pick->message_class);
    for (uint32_t i = 0; i < pick->n_entries; i++)
        schedule_return(shard->schedule, pick->entries[i], now_ms);
    lane_drop_turn(pick->lane, pick->message_class);
    lane_transaction_ended(pick->lane, pick->message_class, !pick->needs_connection);
    if (pick->needs_connection)
        lane_closed(pick->lane, false, now_ms);
    return false;
}

/* The suspension that these waited for has ended by itself: only now they are looked up. */
static bool route_anew(struct delivery_shard *shard, const struct pick *pick,
                       struct warm_use warm_use)
{
    for (uint32_t i = 0; i < pick->n_entries; i++)
        schedule_route(shard->schedule, entry_domain(shard->schedule, pick->entries[i]), NULL,
                       shard_now_ms(shard));
    return give_back(shard, pick, warm_use);
}

bool dispatch_start(struct delivery_shard *shard, const struct pick *pick)
{
    struct warm_use warm_use = egress_warm_up_use(shard, pick->lane);
    struct dispatch *dispatch;

    if (target_of(pick->site)->policy.kind == TARGET_SUSPENDED)
        return route_anew(shard, pick, warm_use);
    dispatch = calloc(1, sizeof(*dispatch));
    if (!dispatch)
        return give_back(shard, pick, warm_use);
    arena_init(&dispatch->arena, 0);
    dispatch->shard = shard;
    dispatch->site = pick->site;
    dispatch->lane = pick->lane;
    dispatch->message_class = pick->message_class;
    dispatch->user_id = pick->message->user_id;
    dispatch->warm_use = warm_use;
    dispatch->campaign = entry_flow(shard->schedule, pick->entries[0])->campaign;
    timer_init(&dispatch->turn, shard->loop, dispatch_on_turn);
    dispatch->target = target_of(pick->site);
    shard->n_dispatches++;
    if (allocate(dispatch, pick))
        dispatch->connection = find_connection(dispatch, pick);
    if (!dispatch->connection) {
        outcome_discard(dispatch->outcome);
        dispatch_free(dispatch);
        return give_back(shard, pick, warm_use);
    }
    dispatch->is_peer_ready = !pick->needs_connection;
    dispatch->is_waiting = true;
    letter_open(dispatch->letter, dispatch_on_opened, dispatch);
    return true;
}
