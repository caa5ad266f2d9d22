#include "relay/delivery/standing_throttles.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/delivery/target.h"

struct site_limits standing_limits_of(const struct order *order)
{
    return (struct site_limits){
        .connections = order->limits.connections,
        .messages_per_second = order->limits.messages_per_second,
        .messages_per_minute = order->limits.messages_per_minute,
        .messages_per_hour = order->limits.messages_per_hour,
        .messages_per_day = order->limits.messages_per_day,
    };
}

int64_t standing_end_of(const struct delivery_shard *shard, const struct order *order)
{
    return order->until_utc_ms ? order->until_utc_ms - clock_utc_ms() + shard_now_ms(shard)
                               : INT64_MAX;
}

int64_t standing_begin_of(const struct delivery_shard *shard, const struct order *order)
{
    return order->since_utc_ms - clock_utc_ms() + shard_now_ms(shard);
}

enum { SAME_END_MS = 1000 };

/* Never 0, which is no cause. */
static uint64_t cause_of(struct slice name)
{
    return table_hash_ignoring_case(name) | 1;
}

/* ---- one site ---- */

/* An order, and a site that it slows down. */
struct pair {
    struct site *site;
    const struct order *order;
};

/* What is said of one site. */
struct said {
    struct site_limits limits;
    int64_t since_ms, until_ms;
    struct slice reason;
};

static void add_order(struct said *said, const struct delivery_shard *shard,
                      const struct order *order)
{
    struct site_limits limits = standing_limits_of(order);
    int64_t until_ms = standing_end_of(shard, order);

    for (int field = 0; field < N_SITE_LIMITS; field++)
        limits_fields(&said->limits)[field] =
            limits_stricter(limits_fields(&said->limits)[field], limits_fields(&limits)[field]);
    /* When the sooner one comes all are looked at anew. */
    if (said->until_ms < until_ms)
        said->until_ms = until_ms;
    if (said->since_ms > standing_begin_of(shard, order))
        said->since_ms = standing_begin_of(shard, order);
    if (!said->reason.len)
        said->reason = order->reason;
}

static bool is_throttled(const struct delivery_shard *shard, const struct site *site)
{
    const struct bound_words *words = site->bound.words;

    return words && words->limited[BOUND_BY_ORDER].until_ms > shard_now_ms(shard);
}

/* Whatever is said again changes nothing, for a pace begins with what is new. */
static bool is_as_said(const struct delivery_shard *shard, const struct site *site,
                       const struct said *said)
{
    const struct bound_words *words = site->bound.words;
    const struct bound_word *word = words ? &words->limited[BOUND_BY_ORDER] : NULL;
    int64_t moved_ms;

    if (!is_throttled(shard, site) ||
        memcmp(&words->limits[BOUND_BY_ORDER], &said->limits, sizeof(said->limits)) != 0 ||
        !slice_equal(slice_of(word->reason ? word->reason : ""), said->reason))
        return false;
    if (word->until_ms == INT64_MAX || said->until_ms == INT64_MAX)
        return word->until_ms == said->until_ms;
    moved_ms = word->until_ms - said->until_ms;
    return moved_ms < SAME_END_MS && moved_ms > -SAME_END_MS;
}

static void throttle(struct delivery_shard *shard, struct site *site, const struct said *said,
                     uint64_t cause)
{
    if (!is_as_said(shard, site, said)) {
        CLEANUP(free) char *reason = slice_to_string(said->reason);

        bound_limit(&site->bound, BOUND_BY_ORDER, &said->limits, reason, said->until_ms,
                    shard_now_ms(shard));
        bound_limited_since(&site->bound, said->since_ms);
    }
    target_of(site)->throttled_for = cause;
}

/* Besides what is said already. */
static void throttle_more(struct delivery_shard *shard, struct site *site,
                          const struct order *order)
{
    CLEANUP(free) char *reason = NULL;
    struct said said = {.since_ms = INT64_MAX};

    if (is_throttled(shard, site)) {
        const struct bound_words *words = site->bound.words;

        reason = strdup(
            words->limited[BOUND_BY_ORDER].reason ? words->limited[BOUND_BY_ORDER].reason : "");
        said = (struct said){words->limits[BOUND_BY_ORDER], INT64_MAX,
                             words->limited[BOUND_BY_ORDER].until_ms, slice_of(reason)};
    }
    add_order(&said, shard, order);
    throttle(shard, site, &said, cause_of(order->name));
}

static void free_site(struct delivery_shard *shard, struct site *site)
{
    if (is_throttled(shard, site))
        bound_unlimit(&site->bound, BOUND_BY_ORDER, shard_now_ms(shard));
    target_of(site)->throttled_for = 0;
}

/* ---- all of them ---- */

struct cause {
    uint64_t cause;
    const struct order *order;
};

/* Sorted lists, so that many orders and many sites are walked once each. */
struct review {
    struct delivery_shard *shard;
    struct buffer causes; /* of struct cause: orders of domains that are not known to lead away */
    struct buffer pairs;  /* of struct pair */
};

static int compare_causes(const void *a, const void *b)
{
    uint64_t first = ((const struct cause *)a)->cause, second = ((const struct cause *)b)->cause;

    return first < second ? -1 : first > second;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *first = a, *second = b;

    if (first->site != second->site)
        return (uintptr_t)first->site < (uintptr_t)second->site ? -1 : 1;
    return first->order < second->order ? -1 : first->order > second->order;
}

static void add_pair(struct review *review, struct site *site, const struct order *order)
{
    struct pair pair = {site, order};

    if (site && site->owner)
        buffer_append(&review->pairs, slice_from(&pair, sizeof(pair)));
}

static bool is_throttle(const struct order *order)
{
    return order->scope == ORDER_OF_DESTINATION && order->action == ORDER_THROTTLE &&
           order_is_in_force(order, clock_utc_ms());
}

static void find_sites(struct review *review, const struct order *order)
{
    struct schedule *schedule = review->shard->schedule;
    const struct domain *domain = schedule_domain(schedule, order->name);
    struct cause cause = {cause_of(order->name), order};

    add_pair(review, schedule_site(schedule, order->name), order);
    if (domain && domain->site)
        add_pair(review, domain->site, order);
    else
        buffer_append(&review->causes, slice_from(&cause, sizeof(cause)));
}

static void keep_site(void *owner, struct site *site)
{
    struct review *review = owner;
    struct cause wanted = {site->owner ? target_of(site)->throttled_for : 0, NULL};
    const struct cause *kept = NULL;

    if (wanted.cause && review->causes.len)
        kept = bsearch(&wanted, review->causes.data, review->causes.len / sizeof(wanted),
                       sizeof(wanted), compare_causes);
    if (kept)
        add_pair(review, site, kept->order);
}

static void free_unless_paired(void *owner, struct site *site)
{
    struct review *review = owner;
    const struct pair *pairs = (const struct pair *)(const void *)review->pairs.data;
    size_t first = 0, end = review->pairs.len / sizeof(struct pair);

    if (!site->owner || !target_of(site)->throttled_for)
        return;
    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if ((uintptr_t)pairs[middle].site < (uintptr_t)site)
            first = middle + 1;
        else
            end = middle;
    }
    if (first == review->pairs.len / sizeof(struct pair) || pairs[first].site != site)
        free_site(review->shard, site);
}

static void throttle_pairs(struct review *review)
{
    const struct pair *pairs = (const struct pair *)(const void *)review->pairs.data;
    size_t n = review->pairs.len / sizeof(struct pair), end;

    for (size_t i = 0; i < n; i = end) {
        struct said said = {.since_ms = INT64_MAX};

        for (end = i; end < n && pairs[end].site == pairs[i].site; end++)
            add_order(&said, review->shard, pairs[end].order);
        throttle(review->shard, pairs[i].site, &said, cause_of(pairs[i].order->name));
    }
}

static void sort(struct buffer *list, size_t item_bytes, int (*compare)(const void *, const void *))
{
    if (list->len)
        qsort(list->data, list->len / item_bytes, item_bytes, compare);
}

void standing_throttles_apply(struct delivery_shard *shard)
{
    const struct directory *directory = shard->directory;
    struct review review = {shard, BUFFER_INIT, BUFFER_INIT};

    for (uint32_t i = 0; i < directory->n_orders; i++)
        if (is_throttle(&directory->orders[i]))
            find_sites(&review, &directory->orders[i]);
    sort(&review.causes, sizeof(struct cause), compare_causes);
    schedule_each_site(shard->schedule, keep_site, &review);
    sort(&review.pairs, sizeof(struct pair), compare_pairs);
    if (!buffer_error(&review.pairs) && !buffer_error(&review.causes)) {
        schedule_each_site(shard->schedule, free_unless_paired, &review);
        throttle_pairs(&review);
    }
    buffer_fini(&review.causes);
    buffer_fini(&review.pairs);
}

void standing_throttles_meet_site(struct delivery_shard *shard, struct site *site)
{
    const struct order *order =
        shard_order(shard, ORDER_OF_DESTINATION, ORDER_THROTTLE, slice_of(site->name));

    if (order && site->owner)
        throttle_more(shard, site, order);
}

/* ---- a domain leads elsewhere ---- */

struct leaving {
    struct task task; /* to another loop */
    struct delivery_shard *shard;
    const struct site *to;
    uint64_t cause;
    bool has_left;
};

static void note_left(void *owner, struct site *site)
{
    struct leaving *leaving = owner;

    if (site == leaving->to || !site->owner || target_of(site)->throttled_for != leaving->cause)
        return;
    free_site(leaving->shard, site);
    leaving->has_left = true;
}

/* Others may have said something of the sites that it left: all are looked at anew. */
static void leave(struct leaving *leaving)
{
    schedule_each_site(leaving->shard->schedule, note_left, leaving);
    if (leaving->has_left && leaving->shard->directory)
        standing_throttles_apply(leaving->shard);
}

static void run_leave(struct task *task)
{
    struct leaving *leaving = CONTAINER_OF(task, struct leaving, task);

    leave(leaving);
    delivery_shard_touch(leaving->shard);
    free(leaving);
}

/* Without memory they keep it until the order ends: slower than need be, not faster. */
static void tell_others(struct delivery_shard *shard, uint64_t cause)
{
    for (unsigned i = 0; i < shard->delivery->n_shards; i++) {
        struct delivery_shard *other = &shard->delivery->shards[i];
        struct leaving *leaving = other != shard ? calloc(1, sizeof(*leaving)) : NULL;

        if (!leaving)
            continue;
        *leaving = (struct leaving){{.run = run_leave}, other, NULL, cause, false};
        mailbox_answer(loop_mailbox(other->loop), &leaving->task);
    }
}

void standing_throttles_route(struct delivery_shard *shard, struct slice domain, struct site *site)
{
    struct leaving leaving = {.shard = shard, .to = site, .cause = cause_of(domain)};
    const struct order *order = shard_order(shard, ORDER_OF_DESTINATION, ORDER_THROTTLE, domain);

    if (!order || (site && target_of(site)->throttled_for == leaving.cause))
        return;
    leave(&leaving);
    if (!site)
        return; /* its owner tells the others */
    tell_others(shard, leaving.cause);
    throttle_more(shard, site, order);
}
