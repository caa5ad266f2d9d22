#include "relay/schedule/halts.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/secret.h"
#include "relay/schedule/places.h"

enum {
    TAKEN_BACK_AT_ONCE = 64, /* flows of a pace, of which one may go */
    WANTED_AT_ONCE = 16,     /* turns */
};

struct halt {
    struct list link; /* in schedule->halts */
    uint64_t hash;
    uint32_t user_id, campaign;
    struct bound_word stop, slow;
    struct site_limits limits;
    struct site_paces paces;
    struct halt_turns *turns;      /* instead of these; NULL: none */
    uint32_t n_pledged[N_CLASSES]; /* picked and not yet said; with turns: so many are taken */
    struct list flows[N_CLASSES];  /* set aside */
};

struct halt_key {
    uint32_t user_id, campaign;
};

static bool is_halt(const void *thing, const void *key)
{
    const struct halt *halt = thing;
    const struct halt_key *wanted = key;

    return halt->user_id == wanted->user_id && halt->campaign == wanted->campaign;
}

static uint64_t hash_of(const struct halt_key *key)
{
    return table_hash(slice_from(key, sizeof(*key)));
}

static struct halt *find(const struct schedule *schedule, uint32_t user_id, uint32_t campaign)
{
    struct halt_key key = {user_id, campaign};

    if (schedule->halt_table.n_things == 0 || (user_id == 0 && campaign == 0))
        return NULL;
    return table_find(&schedule->halt_table, hash_of(&key), is_halt, &key);
}

enum { MOST_HALTS = 3 };

/* The user's, the campaign's whosever it is, that of the two together. */
static unsigned find_all(const struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                         struct halt *out[MOST_HALTS])
{
    const struct halt_key keys[MOST_HALTS] = {
        {user_id, 0       },
        {0,       campaign},
        {user_id, campaign}
    };
    unsigned n = 0;

    for (unsigned i = 0; i < MOST_HALTS; i++) {
        bool is_twice = i == MOST_HALTS - 1 && (user_id == 0 || campaign == 0);

        out[n] = is_twice ? NULL : find(schedule, keys[i].user_id, keys[i].campaign);
        n += out[n] != NULL;
    }
    return n;
}

/* ---- orders ---- */

static struct halt *make(struct schedule *schedule, const struct halt_key *key)
{
    struct halt *halt = calloc(1, sizeof(*halt));
    uint64_t hash = hash_of(key);

    if (!halt || table_add(&schedule->halt_table, hash, halt) < 0) {
        free(halt);
        return NULL;
    }
    halt->hash = hash;
    halt->user_id = key->user_id;
    halt->campaign = key->campaign;
    for (int class = 0; class < N_CLASSES; class ++)
        list_init(&halt->flows[class]);
    list_append(&schedule->halts, &halt->link);
    return halt;
}

static void take_back(struct schedule *schedule, struct list *flows, unsigned most)
{
    struct list *link;

    while (most-- > 0 && (link = list_take_first(flows)) != NULL) {
        struct flow *flow = CONTAINER_OF(link, struct flow, link);

        flow_take_back(flow);
        schedule_touch(schedule, flow->share->site);
    }
}

static void take_all_back(struct schedule *schedule, struct halt *halt)
{
    for (int class = 0; class < N_CLASSES; class ++)
        take_back(schedule, &halt->flows[class], UINT32_MAX);
}

static void forget(struct schedule *schedule, struct halt *halt)
{
    take_all_back(schedule, halt);
    list_remove(&halt->link);
    table_remove(&schedule->halt_table, halt->hash, halt);
    free(halt->stop.reason);
    free(halt->slow.reason);
    free(halt);
}

static void say(struct bound_word *word, const char *reason, int64_t until_ms, int64_t now_ms)
{
    char *copy = reason ? strdup(reason) : NULL;

    free(word->reason);
    word->reason = copy;
    if (!reason)
        *word = (struct bound_word){0};
    else if (word->until_ms <= now_ms)
        word->since_ms = now_ms;
    if (reason)
        word->until_ms = until_ms;
}

void schedule_halt(struct schedule *schedule, const struct halt_order *order, int64_t now_ms)
{
    struct halt_key key = {order->user_id, order->campaign};
    struct halt *halt = find(schedule, order->user_id, order->campaign);
    bool is_nothing = !order->stop_reason && !order->slow_reason;

    if (is_nothing && halt)
        forget(schedule, halt);
    if (is_nothing)
        return;
    if (!halt)
        halt = make(schedule, &key);
    if (!halt)
        return;
    if (memcmp(&halt->limits, &order->limits, sizeof(halt->limits)) != 0)
        paces_start(&halt->paces, &order->limits, now_ms);
    halt->limits = order->limits;
    if (halt->turns != order->turns) /* what was picked before has none of the new ones */
        memset(halt->n_pledged, 0, sizeof(halt->n_pledged));
    halt->turns = order->turns;
    say(&halt->stop, order->stop_reason, order->stop_until_ms, now_ms);
    say(&halt->slow, order->slow_reason, order->slow_until_ms, now_ms);
    take_all_back(schedule, halt);
}

void halts_free(struct schedule *schedule)
{
    while (!list_is_empty(&schedule->halts))
        forget(schedule, CONTAINER_OF(schedule->halts.next, struct halt, link));
    table_fini(&schedule->halt_table);
}

/* ---- what follows from them ---- */

static bool is_slow(const struct halt *halt, int64_t now_ms)
{
    return halt->slow.until_ms > now_ms;
}

/* When something of this class may go; up to now_ms: at once; INT64_MAX: at no time. */
static int64_t opens_ms(const struct halt *halt, enum message_class message_class, int64_t now_ms)
{
    if (halt->stop.until_ms > now_ms)
        return halt->stop.until_ms;
    if (!is_slow(halt, now_ms))
        return now_ms;
    return halt->turns
               ? halt->turns->owner->opens_ms(halt->turns, message_class, now_ms)
               : paces_message_ms(&halt->paces, &halt->limits, message_class, halt->n_pledged);
}

/* A turn that is shared must be at hand, too. */
static bool has_turn(const struct halt *halt, const struct flow *flow, int64_t now_ms)
{
    uint32_t n = flow->n_entries < WANTED_AT_ONCE ? flow->n_entries : WANTED_AT_ONCE;

    return !halt->turns || !is_slow(halt, now_ms) ||
           halt->turns->owner->want(halt->turns, flow->share->message_class, n);
}

static struct halt *first_closed(struct halt *const halts[], unsigned n, const struct flow *flow,
                                 int64_t now_ms)
{
    for (unsigned i = 0; i < n; i++)
        if (opens_ms(halts[i], flow->share->message_class, now_ms) > now_ms)
            return halts[i];
    for (unsigned i = 0; i < n; i++)
        if (!has_turn(halts[i], flow, now_ms))
            return halts[i];
    return NULL;
}

bool halts_set_aside(struct schedule *schedule, struct flow *flow, int64_t now_ms)
{
    struct halt *halts[MOST_HALTS];
    unsigned n = find_all(schedule, flow->share->user_id, flow->campaign, halts);
    struct halt *closed = first_closed(halts, n, flow, now_ms);

    if (closed)
        flow_set_aside(flow, &closed->flows[flow->share->message_class]);
    return closed != NULL;
}

static void pick(struct halt *halt, enum message_class message_class, int64_t now_ms)
{
    if (halt->turns && !is_slow(halt, now_ms))
        return;
    if (halt->turns)
        halt->turns->owner->take(halt->turns, message_class);
    else
        paces_pledge_message(&halt->paces, &halt->limits, now_ms);
    halt->n_pledged[message_class]++;
}

void halts_pick(struct schedule *schedule, const struct flow *flow, int64_t now_ms)
{
    struct halt *halts[MOST_HALTS];
    unsigned n = find_all(schedule, flow->share->user_id, flow->campaign, halts);

    for (unsigned i = 0; i < n; i++)
        pick(halts[i], flow->share->message_class, now_ms);
}

/* An order that came in between knows nothing of what was picked before. */
static bool unpledge(struct halt *halt, enum message_class message_class)
{
    if (halt->n_pledged[message_class] == 0)
        return false;
    halt->n_pledged[message_class]--;
    return true;
}

bool halts_stop(const struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                int64_t now_ms)
{
    struct halt *halts[MOST_HALTS];
    unsigned n = find_all(schedule, user_id, campaign, halts);

    for (unsigned i = 0; i < n; i++)
        if (halts[i]->stop.until_ms > now_ms)
            return true;
    return false;
}

static int64_t turn_ms(const struct halt *halt, enum message_class message_class, int64_t now_ms)
{
    static const uint32_t alone[N_CLASSES] = {0};

    if (!is_slow(halt, now_ms))
        return now_ms;
    if (!halt->turns)
        return paces_message_ms(&halt->paces, &halt->limits, message_class, alone);
    return halt->n_pledged[message_class] > 0 ||
                   halt->turns->owner->want(halt->turns, message_class, 1)
               ? now_ms
               : INT64_MAX;
}

int64_t halts_turn_ms(struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                      enum message_class message_class, int64_t now_ms)
{
    struct halt *halts[MOST_HALTS];
    unsigned n = find_all(schedule, user_id, campaign, halts);
    int64_t latest_ms = now_ms;

    for (unsigned i = 0; i < n; i++) {
        int64_t at_ms = turn_ms(halts[i], message_class, now_ms);

        if (at_ms > latest_ms)
            latest_ms = at_ms;
    }
    return latest_ms;
}

static void use_turn(struct halt *halt, enum message_class message_class, int64_t at_ms)
{
    bool has_pledged = unpledge(halt, message_class);

    if (!halt->turns) {
        paces_use_message(&halt->paces, &halt->limits, message_class, at_ms);
        return;
    }
    if (!has_pledged && is_slow(halt, at_ms))
        halt->turns->owner->take(halt->turns, message_class);
    if (has_pledged || is_slow(halt, at_ms))
        halt->turns->owner->use(halt->turns, message_class);
}

void halts_use_turn(struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                    enum message_class message_class, int64_t at_ms)
{
    struct halt *halts[MOST_HALTS];
    unsigned n = find_all(schedule, user_id, campaign, halts);

    for (unsigned i = 0; i < n; i++)
        use_turn(halts[i], message_class, at_ms);
}

void halts_drop_turn(struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                     enum message_class message_class)
{
    struct halt *halts[MOST_HALTS];
    unsigned n = find_all(schedule, user_id, campaign, halts);

    for (unsigned i = 0; i < n; i++)
        if (unpledge(halts[i], message_class) && halts[i]->turns)
            halts[i]->turns->owner->put(halts[i]->turns, message_class);
}

/* Of the flows set aside: when the first of this class may go.  A class that has none is not asked:
 * turns that nobody ever wanted seem to be there. */
static int64_t next_ms(const struct halt *halt, enum message_class message_class, int64_t now_ms)
{
    return list_is_empty(&halt->flows[message_class]) ? INT64_MAX
                                                      : opens_ms(halt, message_class, now_ms);
}

void halts_advance(struct schedule *schedule, int64_t now_ms)
{
    LIST_FOR_EACH(link, &schedule->halts)
    {
        struct halt *halt = CONTAINER_OF(link, struct halt, link);

        for (int class = 0; class < N_CLASSES; class ++)
            if (next_ms(halt, (enum message_class) class, now_ms) <= now_ms)
                take_back(schedule, &halt->flows[class], TAKEN_BACK_AT_ONCE);
    }
}

int64_t halts_wake_ms(const struct schedule *schedule)
{
    int64_t at_ms = INT64_MAX;

    LIST_FOR_EACH(link, &schedule->halts)
    {
        const struct halt *halt = CONTAINER_OF(link, struct halt, link);

        for (int class = 0; class < N_CLASSES; class ++) {
            int64_t one_ms = next_ms(halt, (enum message_class) class, schedule->halts_looked_ms);

            if (one_ms < at_ms)
                at_ms = one_ms;
        }
    }
    return at_ms;
}

static struct why why_of(const struct halt *halt, const struct bound_word *word,
                         enum why_kind of_user, enum why_kind of_campaign, int64_t until_ms)
{
    return (struct why){
        .kind = halt->campaign ? of_campaign : of_user,
        .until_ms = until_ms == INT64_MAX ? -1 : until_ms,
        .since_ms = word->since_ms,
        .reason = word->reason,
    };
}

struct why halts_why(const struct schedule *schedule, const struct flow *flow, int64_t now_ms)
{
    struct halt *halts[MOST_HALTS];
    unsigned n = find_all(schedule, flow->share->user_id, flow->campaign, halts);

    for (unsigned i = 0; i < n; i++) {
        const struct halt *halt = halts[i];
        int64_t at_ms = opens_ms(halt, flow->share->message_class, now_ms);

        if (at_ms > now_ms && halt->stop.until_ms > now_ms)
            return why_of(halt, &halt->stop, WHY_USER_SUSPENDED, WHY_CAMPAIGN_SUSPENDED, at_ms);
        if (at_ms > now_ms)
            return why_of(halt, &halt->slow, WHY_USER_PACE, WHY_CAMPAIGN_PACE, at_ms);
    }
    return WHY_SIMPLY(WHY_NEXT);
}
