#include "relay/schedule/bound.h"

#include <assert.h>
#include <stdlib.h>

/* What each kind of bound says when it is the reason. */
enum cause { SUSPENDED, RESTS, WARMS_UP, PROBED, CONNECTIONS, PACE, CONNECTION_PACE, N_CAUSES };

static const enum why_kind whys[N_BOUND_KINDS][N_CAUSES] = {
    [BOUND_SITE] = {WHY_SUSPENDED,          WHY_RESTS,          WHY_WARM_UP, WHY_PROBED, WHY_CONNECTIONS,
                    WHY_MESSAGE_PACE,                                                                                        WHY_CONNECTION_PACE         },
    [BOUND_LANE] = {WHY_ADDRESS_SUSPENDED,  WHY_ADDRESS_RESTS,  WHY_WARM_UP, WHY_PROBED,
                    WHY_CONNECTIONS,                                                                      WHY_MESSAGE_PACE,  WHY_CONNECTION_PACE         },
    [BOUND_PROVIDER] = {WHY_PROVIDER_SUSPENDED, WHY_PROVIDER_RESTS, WHY_WARM_UP, WHY_PROBED,
                    WHY_PROVIDER_CONNECTIONS,                                                             WHY_PROVIDER_PACE, WHY_PROVIDER_CONNECTION_PACE},
    [BOUND_ROAD] = {WHY_ADDRESS_SUSPENDED,  WHY_ADDRESS_RESTS,  WHY_WARM_UP, WHY_PROBED,
                    WHY_PROVIDER_CONNECTIONS,                                                             WHY_PROVIDER_PACE, WHY_PROVIDER_CONNECTION_PACE},
};

enum {
    SPAN_MS = 10 * 1000,
    NO_WINDOW = 1 << 20,
    CONNECT_AHEAD_MS = 1500, /* a connection is opened so long before its message's turn */
};

void bound_init(struct bound *bound, enum bound_kind kind, const struct site_limits *limits,
                uint32_t start_window, int64_t fresh_ms)
{
    *bound = (struct bound){
        .limits = *limits,
        .window = start_window ? start_window : NO_WINDOW,
        .kind = (uint8_t)kind,
    };
    paces_start(&bound->paces, limits, fresh_ms);
}

uint32_t bound_n_busy(const struct bound *bound)
{
    return bound->n_busy[CLASS_TRANSACTIONAL] + bound->n_busy[CLASS_BULK];
}

static struct why say(const struct bound *bound, enum cause cause, int64_t until_ms,
                      const struct bound_word *word)
{
    return (struct why){
        .kind = whys[bound->kind][cause],
        .until_ms = until_ms == INT64_MAX ? -1 : until_ms,
        .since_ms = word ? word->since_ms : -1,
        .reason = word ? word->reason : NULL,
    };
}

static const struct why next = {.kind = WHY_NEXT, .until_ms = -1, .since_ms = -1};

struct why bound_rests(const struct bound *bound, int64_t now_ms)
{
    static const enum cause causes[N_BOUND_VOICES] = {
        [BOUND_BY_RULE] = RESTS, [BOUND_BY_WARM_UP] = WARMS_UP, [BOUND_BY_ORDER] = SUSPENDED};

    for (int voice = N_BOUND_VOICES; bound->words && voice-- > 0;) {
        const struct bound_word *word = &bound->words->suspended[voice];

        if (word->until_ms > now_ms)
            return say(bound, causes[voice], word->until_ms, word);
    }
    return next;
}

/* ---- connections ---- */

static bool is_probe_under_way(const struct bound *bound)
{
    return bound->is_probed && bound_n_busy(bound) > 0;
}

/* What is urgent may exceed what we dare by one, never the limit; and while all that we dare hangs,
 * one more may show whether the others would. */
static uint32_t transactions_allowed(const struct bound *bound, enum message_class message_class)
{
    uint32_t allowed = bound->window;

    if (message_class == CLASS_TRANSACTIONAL && !bound->is_probed)
        allowed++;
    if (bound->n_silent >= bound->window && !bound->is_probed)
        allowed++;
    return limits_stricter(allowed, bound->limits.connections);
}

static bool connections_are_busy(const struct bound *bound, enum message_class message_class,
                                 bool needs_connection)
{
    uint32_t most = bound->limits.connections;

    if (bound_n_busy(bound) >= transactions_allowed(bound, message_class))
        return true;
    if (most == 0)
        return false;
    return (message_class == CLASS_BULK && bound->n_busy[CLASS_BULK] >= pace_bulk_share(most)) ||
           (needs_connection && bound->n_open >= most);
}

/* ---- pace ---- */

/* When the next may go by the eased pace, after n_ahead others; 0: it is not eased. */
static int64_t eased_ms(const struct bound *bound, uint32_t n_ahead)
{
    return bound->words ? easing_next_ms(&bound->words->easing, n_ahead) : 0;
}

static uint32_t n_pledged(const struct bound *bound)
{
    return bound->n_pledged[CLASS_TRANSACTIONAL] + bound->n_pledged[CLASS_BULK];
}

/* The word whose limit it is, when it is one's. */
static const struct bound_word *word_of_limits(const struct bound *bound, int64_t now_ms)
{
    for (int voice = N_BOUND_VOICES; bound->words && voice-- > 0;)
        if (bound->words->limited[voice].until_ms > now_ms)
            return &bound->words->limited[voice];
    return NULL;
}

/* Not beyond the end of what makes it slow. */
static struct why wait_for_pace(const struct bound *bound, enum cause cause, int64_t at_ms,
                                int64_t now_ms)
{
    const struct bound_word *word = word_of_limits(bound, now_ms);

    return say(bound, cause, word && word->until_ms < at_ms ? word->until_ms : at_ms, word);
}

static struct why wait_for_ease(const struct bound *bound, int64_t at_ms)
{
    const struct easing *easing = &bound->words->easing;

    return (struct why){.kind = WHY_SLOWED,
                        .until_ms = at_ms,
                        .since_ms = easing->since_ms,
                        .reason = easing->reason};
}

struct why bound_decide(const struct bound *bound, enum message_class message_class,
                        enum connection_need need, int64_t now_ms)
{
    int64_t ahead_ms = need == NEEDS_NONE ? 0 : CONNECT_AHEAD_MS;
    int64_t at_ms, ease_ms = eased_ms(bound, n_pledged(bound)) - ahead_ms;
    bool is_full;

    if (is_probe_under_way(bound))
        return say(bound, PROBED, -1, NULL);
    is_full = connections_are_busy(bound, message_class, need == NEEDS_NEW);
    /* Where all that is under way waits for its turn, connections are not what is missing. */
    if (is_full && ease_ms > now_ms && n_pledged(bound) == bound_n_busy(bound))
        return wait_for_ease(bound, ease_ms);
    if (is_full)
        return say(bound, CONNECTIONS, -1, word_of_limits(bound, now_ms));
    at_ms =
        paces_message_ms(&bound->paces, &bound->limits, message_class, bound->n_pledged) - ahead_ms;
    if (ease_ms > now_ms && ease_ms >= at_ms)
        return wait_for_ease(bound, ease_ms);
    if (at_ms > now_ms)
        return wait_for_pace(bound, PACE, at_ms, now_ms);
    if (need != NEEDS_NEW)
        return next;
    at_ms = paces_connection_ms(&bound->paces, &bound->limits, message_class);
    return at_ms > now_ms ? wait_for_pace(bound, CONNECTION_PACE, at_ms, now_ms) : next;
}

/* ---- counting ---- */

static void count_lately(struct bound *bound, int64_t now_ms)
{
    uint32_t span = (uint32_t)(now_ms / SPAN_MS);

    if (span != bound->span) {
        bound->n_before = span == bound->span + 1 ? bound->n_lately : 0;
        bound->n_lately = 0;
        bound->span = span;
    }
    bound->n_lately++;
}

void bound_pick(struct bound *bound, enum message_class message_class, bool needs_connection,
                int64_t now_ms)
{
    count_lately(bound, now_ms);
    bound->n_busy[message_class]++;
    bound->n_pledged[message_class]++;
    paces_pledge_message(&bound->paces, &bound->limits, now_ms);
    if (bound->words)
        easing_pledge(&bound->words->easing, now_ms);
    if (!needs_connection)
        return;
    bound->n_open++;
    paces_use_connection(&bound->paces, &bound->limits, message_class, now_ms);
}

int64_t bound_turn_ms(const struct bound *bound, enum message_class message_class, int64_t now_ms)
{
    static const uint32_t none[N_CLASSES];
    int64_t at_ms = paces_message_ms(&bound->paces, &bound->limits, message_class, none), ease_ms;

    ease_ms = eased_ms(bound, 0);
    if (ease_ms > at_ms)
        at_ms = ease_ms;
    return at_ms > now_ms ? at_ms : now_ms;
}

void bound_drop_turn(struct bound *bound, enum message_class message_class)
{
    assert(bound->n_pledged[message_class] > 0);
    bound->n_pledged[message_class]--;
}

void bound_use_turn(struct bound *bound, enum message_class message_class, int64_t at_ms)
{
    bound_drop_turn(bound, message_class);
    paces_use_message(&bound->paces, &bound->limits, message_class, at_ms);
    if (bound->words)
        easing_use(&bound->words->easing, at_ms);
}
