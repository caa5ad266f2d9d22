#include "relay/delivery/egress_warm_up.h"

#include <stdio.h>

#include "policy/receiver_book.h"
#include "relay/base/clock.h"
#include "relay/schedule/provider.h"

enum { ASKING_MS = 2000, TELL_EVERY_MS = 4000, REASON_SIZE = 120 };

struct warm_lease {
    struct warm_ups_query query; /* the policy thread's while is_asking */
    struct list link;            /* shard->warm_leases */
    struct delivery_shard *shard;
    struct road *road;
    char address[IP_TEXT_SIZE];
    char asked_address[IP_TEXT_SIZE], asked_provider[256]; /* the query's */
    struct warm_up_curve curve;                            /* the query's, too */
    uint32_t n_left, n_block;
    bool is_asking, is_warm, is_used_up;
    uint32_t generation, asked_generation; /* of what it stands for; the query's */
    int64_t until_utc_ms;                  /* of all of these; 0: nothing is known */
    uint32_t n_well, n_put_off;
    int64_t told_ms;
    char reason[REASON_SIZE];
};

static const struct egress_address *address_of(const struct delivery_shard *shard,
                                               const struct road *road)
{
    return &shard->config->egress.addresses[road->egress];
}

static const char *print_address(const struct egress_address *address, char text[IP_TEXT_SIZE])
{
    return ip_print(address->v4.family ? address->v4 : address->v6, text);
}

/* ---- the lease ---- */

static void forget(struct warm_lease *lease)
{
    lease->n_left = 0;
    lease->is_warm = lease->is_used_up = false;
    lease->until_utc_ms = 0;
}

/* What was asked for and what is under way are of another address, or of another time. */
static void begin_anew(struct warm_lease *lease)
{
    lease->generation++;
    forget(lease);
}

static struct warm_lease *make_lease(struct delivery_shard *shard, struct road *road)
{
    struct warm_lease *lease = calloc(1, sizeof(*lease));

    if (!lease)
        return NULL;
    lease->shard = shard;
    lease->road = road;
    print_address(address_of(shard, road), lease->address);
    list_append(&shard->warm_leases, &lease->link);
    road->owner = lease;
    return lease;
}

/* NULL: this road is not counted, or there is no memory. */
static struct warm_lease *lease_of(struct delivery_shard *shard, const struct lane *lane)
{
    if (!lane->road || !shard->delivery->policy || !address_of(shard, lane->road)->warm_up.n_days)
        return NULL;
    return lane->road->owner ? lane->road->owner : make_lease(shard, lane->road);
}

static void suspend(struct warm_lease *lease, const char *reason, int64_t until_ms)
{
    bound_suspend(&lease->road->bound, BOUND_BY_WARM_UP, reason, until_ms,
                  shard_now_ms(lease->shard));
}

static void resume(struct warm_lease *lease)
{
    int64_t now_ms = shard_now_ms(lease->shard);

    if (bound_is_suspended(&lease->road->bound, BOUND_BY_WARM_UP, now_ms))
        bound_resume(&lease->road->bound, BOUND_BY_WARM_UP, now_ms);
}

/* Not beyond the day: its end is then asked for anew. */
static void rest_until_tomorrow(struct warm_lease *lease)
{
    int64_t now_ms = shard_now_ms(lease->shard);

    suspend(lease, lease->reason, now_ms + lease->until_utc_ms - clock_utc_ms() + 1);
}

/* ---- asking ---- */

static void on_answer(struct warm_ups_query *query);

static void ask(struct warm_lease *lease, struct warm_up_news news)
{
    struct delivery_shard *shard = lease->shard;
    struct warm_ups_query *query = &lease->query;

    if (lease->is_asking)
        return;
    news.n_well = lease->n_well;
    news.n_put_off = lease->n_put_off;
    lease->is_asking = true;
    lease->asked_generation = lease->generation;
    lease->told_ms = shard_now_ms(shard);
    lease->curve = address_of(shard, lease->road)->warm_up;
    snprintf(lease->asked_address, sizeof(lease->asked_address), "%s", lease->address);
    snprintf(lease->asked_provider, sizeof(lease->asked_provider), "%s",
             lease->road->provider->name);
    *query = (struct warm_ups_query){
        .answer_to = loop_mailbox(shard->loop),
        .done = on_answer,
        .address = slice_of(lease->asked_address),
        .provider = slice_of(lease->asked_provider),
        .curve = &lease->curve,
        .news = news,
    };
    lease->n_well = lease->n_put_off = 0;
    warm_ups_ask(shard->delivery->policy, query);
}

static void take(struct warm_lease *lease, const struct warm_up_answer *answer, bool wanted_some)
{
    if (lease->until_utc_ms != answer->until_utc_ms)
        lease->n_left = 0; /* of another day */
    lease->until_utc_ms = answer->until_utc_ms;
    lease->is_warm = answer->is_warm;
    lease->n_left += answer->n_granted;
    if (wanted_some)
        lease->n_block = answer->n_granted;
    lease->is_used_up = answer->n_used >= answer->limit && !answer->is_warm;
    snprintf(lease->reason, sizeof(lease->reason), "%s: day %u of %u, %u of %u messages today",
             lease->address, answer->day, answer->n_days, answer->n_used, answer->limit);
}

static void on_answer(struct warm_ups_query *query)
{
    struct warm_lease *lease = CONTAINER_OF(query, struct warm_lease, query);

    lease->is_asking = false;
    delivery_shard_touch(lease->shard);
    /* Another address has its number now, the clock jumped, or the policy thread has no memory:
     * asked again. */
    if (!query->answer.until_utc_ms || lease->generation != lease->asked_generation)
        return;
    take(lease, &query->answer, query->news.wants_some);
    if (lease->is_warm || lease->n_left > 0)
        resume(lease);
    else if (lease->is_used_up)
        rest_until_tomorrow(lease);
}

/* ---- for the schedule ---- */

static bool has_room(struct warm_lease *lease)
{
    if (lease->until_utc_ms <= clock_utc_ms())
        forget(lease);
    if (lease->is_warm)
        return true;
    if (lease->n_left <= lease->n_block / 2 && !lease->is_used_up)
        ask(lease, (struct warm_up_news){.wants_some = true}); /* before the last one is gone */
    return lease->n_left > 0;
}

bool egress_warm_up_allows(struct delivery_shard *shard, struct lane *lane)
{
    struct warm_lease *lease = lease_of(shard, lane);

    if (!lease || has_room(lease))
        return true;
    if (lease->is_used_up)
        rest_until_tomorrow(lease);
    else
        suspend(lease, "its room for today is being looked up", shard_now_ms(shard) + ASKING_MS);
    /* Without memory for the word it is not: a "no" would be asked for again and again. */
    return !bound_is_suspended(&lease->road->bound, BOUND_BY_WARM_UP, shard_now_ms(shard));
}

struct warm_use egress_warm_up_use(struct delivery_shard *shard, struct lane *lane)
{
    struct warm_lease *lease = lease_of(shard, lane);

    if (!lease || lease->is_warm || lease->n_left == 0)
        return (struct warm_use){.lease = NULL};
    lease->n_left--;
    return (struct warm_use){lease, lease->until_utc_ms, lease->generation};
}

void egress_warm_up_give_back(struct warm_use use)
{
    if (!use.lease || use.until_utc_ms != use.lease->until_utc_ms ||
        use.generation != use.lease->generation)
        return; /* yesterday's room is gone, or another address's */
    use.lease->n_left++;
    resume(use.lease);
}

/* ---- what became of it ---- */

static bool mentions(struct slice text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        if (slice_equal_ignoring_case(slice_from(text.data + i, len), slice_from(word, len)))
            return true;
    return false;
}

/* Who puts off every stranger's first attempt says nothing about this one. */
static bool is_greylisting(struct slice text)
{
    return mentions(text, "greylist") || mentions(text, "graylist");
}

/* It says something about our address: not about the recipient, nor about the way there. */
static bool is_put_off_for_us(struct judgement judgement, const struct receiver_book *book)
{
    if (!judgement.code ||
        (judgement.verdict != VERDICT_LATER && judgement.verdict != VERDICT_FAILED))
        return false;
    judgement_classify(&judgement, book);
    if (judgement.verdict == VERDICT_FAILED)
        return judgement.bounce_class == BOUNCE_BLOCKED_ADDRESS;
    return !is_greylisting(judgement.text) &&
           !bounce_class_is_about_recipient(judgement.bounce_class) &&
           judgement.bounce_class != BOUNCE_NETWORK && judgement.bounce_class != BOUNCE_PROTOCOL;
}

void egress_warm_up_note(struct warm_use use, const struct judgement *judgement, uint32_t n)
{
    struct warm_lease *lease = use.lease;

    if (!lease)
        return;
    if (judgement->verdict == VERDICT_DELIVERED)
        lease->n_well += n;
    else if (is_put_off_for_us(*judgement, lease->shard->config->book))
        lease->n_put_off += n;
}

/* ---- now and then ---- */

void egress_warm_up_tick(struct delivery_shard *shard)
{
    LIST_FOR_EACH(link, &shard->warm_leases)
    {
        struct warm_lease *lease = CONTAINER_OF(link, struct warm_lease, link);

        if ((lease->n_well || lease->n_put_off) &&
            shard_now_ms(shard) - lease->told_ms >= TELL_EVERY_MS)
            ask(lease, (struct warm_up_news){.wants_some = false});
    }
}

void egress_warm_up_clock_jumped(struct delivery_shard *shard)
{
    LIST_FOR_EACH(link, &shard->warm_leases)
    {
        struct warm_lease *lease = CONTAINER_OF(link, struct warm_lease, link);

        resume(lease);
        begin_anew(lease);
    }
}

void egress_warm_up_apply(struct delivery_shard *shard)
{
    LIST_FOR_EACH(link, &shard->warm_leases)
    {
        struct warm_lease *lease = CONTAINER_OF(link, struct warm_lease, link);
        char text[IP_TEXT_SIZE];

        resume(lease);
        lease->is_used_up = lease->is_warm = false; /* the curve may be another */
        print_address(address_of(shard, lease->road), text);
        if (strcmp(text, lease->address) == 0)
            continue;
        begin_anew(lease);
        lease->n_well = lease->n_put_off = 0;
        memcpy(lease->address, text, sizeof(lease->address));
    }
}

void egress_warm_up_settle(struct delivery_shard *shard)
{
    LIST_FOR_EACH(link, &shard->warm_leases)
    {
        struct warm_lease *lease = CONTAINER_OF(link, struct warm_lease, link);

        uint32_t n_left = lease->n_left;

        if (lease->is_asking || lease->until_utc_ms <= clock_utc_ms())
            continue;
        lease->n_left = 0;
        ask(lease, (struct warm_up_news){.n_unused = n_left});
    }
}

void egress_warm_up_fini(struct delivery_shard *shard)
{
    struct list *link;

    while ((link = list_take_first(&shard->warm_leases)) != NULL)
        free(CONTAINER_OF(link, struct warm_lease, link));
}
