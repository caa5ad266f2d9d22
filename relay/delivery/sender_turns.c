#include "relay/delivery/sender_turns.h"

#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/schedule/halts.h"

/* Asking is put off by up to a 32nd of the wait, so that the loops come in turns first. */
enum { ASKING_MS = 1000, JITTER = 32, JITTER_MOST_MS = 1000 };

struct sender_turns {
    struct halt_turns turns; /* the schedule's */
    struct list link;        /* shard->sender_turns */
    struct delivery_shard *shard;
    uint64_t id;
    uint32_t n_taken[N_CLASSES];
    int64_t ask_ms[N_CLASSES];
    struct permit_purse purses[N_CLASSES];
    bool has_ended;
};

static struct sender_turns *of(const struct halt_turns *turns)
{
    return CONTAINER_OF(turns, struct sender_turns, turns);
}

static int64_t jitter_ms(int64_t wait_ms)
{
    int64_t most_ms = wait_ms / JITTER < JITTER_MOST_MS ? wait_ms / JITTER : JITTER_MOST_MS;
    uint32_t dice;

    random_bytes(&dice, sizeof(dice));
    return most_ms > 0 ? dice % most_ms : 0;
}

static void on_change(struct permit_purse *purse)
{
    enum message_class class = purse->key.is_bulk ? CLASS_BULK : CLASS_TRANSACTIONAL;
    struct sender_turns *turns = CONTAINER_OF(purse - class, struct sender_turns, purses[0]);
    int64_t now_ms = shard_now_ms(turns->shard), wait_ms = purse->again_ms - now_ms;

    turns->ask_ms[class] = 0;
    if (purse->n_idle == 0 && wait_ms > 0)
        turns->ask_ms[class] = purse->again_ms + jitter_ms(wait_ms);
    delivery_shard_touch(turns->shard);
}

/* ---- for the schedule ---- */

static int64_t opens_ms(const struct halt_turns *turns, enum message_class class, int64_t now_ms)
{
    const struct permit_purse *purse = &of(turns)->purses[class];

    if (purse->n_idle > 0)
        return now_ms;
    if (purse->is_away || purse->n_wanted)
        return now_ms + ASKING_MS; /* on_change() comes sooner */
    return of(turns)->ask_ms[class];
}

static bool want(struct halt_turns *turns, enum message_class class, uint32_t n)
{
    struct permit_purse *purse = &of(turns)->purses[class];

    if (purse->n_idle == 0)
        permit_purse_want(purse, n);
    return purse->n_idle > 0;
}

static void take(struct halt_turns *turns, enum message_class class)
{
    if (permit_purse_take(&of(turns)->purses[class], shard_now_ms(of(turns)->shard)))
        of(turns)->n_taken[class]++;
}

static void put(struct halt_turns *turns, enum message_class class)
{
    of(turns)->n_taken[class]--;
    permit_purse_put(&of(turns)->purses[class]);
}

static void use(struct halt_turns *turns, enum message_class class)
{
    of(turns)->n_taken[class]--;
    permit_purse_spend(&of(turns)->purses[class], shard_now_ms(of(turns)->shard));
}

/* ---- life ---- */

static struct sender_turns *find(const struct delivery_shard *shard, uint64_t id)
{
    LIST_FOR_EACH(link, &shard->sender_turns)
    {
        struct sender_turns *turns = CONTAINER_OF(link, struct sender_turns, link);

        if (turns->id == id && !turns->has_ended)
            return turns;
    }
    return NULL;
}

struct halt_turns *sender_turns_of(struct delivery_shard *shard, const struct order *order)
{
    static const struct halt_turns_owner owner = {opens_ms, want, take, put, use};
    uint64_t id = permit_id_of_order(order);
    struct sender_turns *turns = find(shard, id);

    if (turns || !shard->delivery->policy)
        return turns ? &turns->turns : NULL;
    turns = calloc(1, sizeof(*turns));
    if (!turns)
        return NULL;
    turns->turns.owner = &owner;
    turns->shard = shard;
    turns->id = id;
    for (int class = 0; class < N_CLASSES; class ++)
        permit_purse_init(&turns->purses[class], shard->delivery->policy, loop_mailbox(shard->loop),
                          (struct permit_key){PERMIT_SENDER, id, class == CLASS_BULK}, on_change);
    list_append(&shard->sender_turns, &turns->link);
    return &turns->turns;
}

/* What was picked is mostly said: as used, and the schedule takes back none of it. */
void sender_turns_end(struct delivery_shard *shard, const struct order *order)
{
    struct sender_turns *turns = find(shard, permit_id_of_order(order));

    if (!turns)
        return;
    turns->has_ended = true;
    for (int class = 0; class < N_CLASSES; class ++) {
        while (turns->n_taken[class] > 0)
            use(&turns->turns, (enum message_class) class);
        permit_purse_close(&turns->purses[class]);
    }
}

static bool is_settled(const struct sender_turns *turns)
{
    for (int class = 0; class < N_CLASSES; class ++)
        if (!permit_purse_is_settled(&turns->purses[class]))
            return false;
    return true;
}

static void free_turns(struct sender_turns *turns)
{
    list_remove(&turns->link);
    free(turns);
}

void sender_turns_tick(struct delivery_shard *shard)
{
    struct list *next;

    for (struct list *link = shard->sender_turns.next; link != &shard->sender_turns; link = next) {
        struct sender_turns *turns = CONTAINER_OF(link, struct sender_turns, link);

        next = link->next;
        if (turns->has_ended && is_settled(turns)) {
            free_turns(turns);
            continue;
        }
        for (int class = 0; shard->delivery->policy && class < N_CLASSES; class ++)
            permit_purse_tick(&turns->purses[class], shard_now_ms(shard));
    }
}

bool sender_turns_rest(const struct delivery_shard *shard)
{
    LIST_FOR_EACH(link, &shard->sender_turns)
    {
        const struct sender_turns *turns = CONTAINER_OF(link, struct sender_turns, link);

        if (turns->has_ended)
            return false;
        for (int class = 0; class < N_CLASSES; class ++)
            if (turns->purses[class].n_idle || turns->purses[class].n_spent)
                return false;
    }
    return true;
}

void sender_turns_fini(struct delivery_shard *shard)
{
    struct list *link;

    while ((link = list_take_first(&shard->sender_turns)) != NULL)
        free(CONTAINER_OF(link, struct sender_turns, link));
}
