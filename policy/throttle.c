#include "policy/throttle.h"

#include <errno.h>

#include "policy/suspects.h"
#include "relay/base/secret.h"

enum {
    SECOND_MS = 1000,
    FADE_MS = 600 * 1000,     /* failures halve in this time without another */
    FAILURES_OF_ONE_PAIR = 5, /* that count against the user and the address: one program with an
                                 old password must not slow its neighbours for ever */
    MOST_FAILURES = 1000,
};

struct growth {
    uint32_t n_free; /* failures without a delay */
    int64_t first_ms, longest_ms;
};
static const struct growth growth_of_pair = {3, 500, 30000};
static const struct growth growth_of_address = {10, 500, 30000};
static const struct growth growth_of_user = {20, 500, 10000};

struct throttle {
    struct suspects suspects;
};

int throttle_new(struct throttle **out, uint32_t capacity)
{
    struct throttle *throttle = calloc(1, sizeof(*throttle));

    if (!throttle)
        return FAULT(-ENOMEM);
    suspects_init(&throttle->suspects, capacity);
    *out = throttle;
    return 0;
}

struct throttle *throttle_free(struct throttle *throttle)
{
    if (throttle)
        suspects_fini(&throttle->suspects);
    free(throttle);
    return NULL;
}

struct three {
    struct suspect *address, *user, *pair;
};

/* Any of them may be NULL: nothing is known of it. */
static struct three find_three(struct throttle *throttle, const struct throttle_guess *guess)
{
    struct suspects *suspects = &throttle->suspects;

    return (struct three){suspects_see(suspects, guess->address),
                          suspects_see(suspects, guess->user), suspects_see(suspects, guess->pair)};
}

static bool make_three(struct throttle *throttle, const struct throttle_guess *guess,
                       struct three *out)
{
    out->address = suspects_make(&throttle->suspects, guess->address);
    out->user = suspects_make(&throttle->suspects, guess->user);
    out->pair = suspects_make(&throttle->suspects, guess->pair);
    return out->address && out->user && out->pair;
}

static bool is_known(const struct three *three)
{
    return three->pair && three->pair->is_known;
}

static uint64_t hash_of_text(char kind, struct slice text, uint64_t number)
{
    struct {
        uint64_t kind, text, number;
    } whole = {(uint64_t)kind, table_hash_ignoring_case(text), number};

    return table_hash(slice_from(&whole, sizeof(whole)));
}

struct throttle_guess throttle_guess(struct ip_address peer, struct slice user, uint64_t revision,
                                     int64_t now_ms)
{
    struct ip_address counted = ip_counted_as(peer);
    uint64_t address = table_hash(slice_from(counted.bytes, sizeof(counted.bytes)));

    return (struct throttle_guess){
        .address = address ^ (uint64_t)counted.family,
        .user = hash_of_text('u', user, revision),
        .pair = hash_of_text('p', user, address ^ (revision * UINT64_C(0x9e3779b97f4a7c15))),
        .asked_ms = now_ms,
        .start_ms = now_ms,
    };
}

static void fade(struct suspect *suspect, int64_t now_ms)
{
    int64_t n_halvings = suspect ? (now_ms - suspect->last_failure_ms) / FADE_MS : 0;

    if (n_halvings <= 0 || !suspect->n_failures)
        return;
    suspect->n_failures = n_halvings < 32 ? suspect->n_failures >> n_halvings : 0;
    suspect->last_failure_ms += n_halvings * FADE_MS;
}

static int64_t delay_after(const struct growth *growth, uint32_t n_failures)
{
    int64_t delay_ms = growth->first_ms;

    if (n_failures < growth->n_free)
        return 0;
    for (uint32_t i = growth->n_free; i < n_failures && delay_ms < growth->longest_ms; i++)
        delay_ms *= 2;
    return delay_ms < growth->longest_ms ? delay_ms : growth->longest_ms;
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The next guess comes a delay after this one, even while this one's outcome is open. */
static void push_back(struct suspect *suspect, const struct growth *growth, int64_t start_ms)
{
    int64_t delay_ms = delay_after(growth, suspect->n_failures);

    if (delay_ms)
        suspect->not_before_ms = later_of(suspect->not_before_ms, start_ms + delay_ms);
}

static void push_back_all(const struct three *three, int64_t start_ms)
{
    push_back(three->pair, &growth_of_pair, start_ms);
    if (three->pair->is_known)
        return;
    push_back(three->user, &growth_of_user, start_ms);
    push_back(three->address, &growth_of_address, start_ms);
}

static int64_t start_after(const struct suspect *suspect, int64_t start_ms)
{
    return suspect ? later_of(start_ms, suspect->not_before_ms) : start_ms;
}

static int64_t start_after_delays(const struct three *three, int64_t now_ms)
{
    int64_t start_ms = start_after(three->pair, now_ms);

    if (is_known(three))
        return start_ms;
    start_ms = start_after(three->user, start_ms);
    return start_after(three->address, start_ms);
}

static void note_start(struct suspect *address, int64_t start_ms)
{
    size_t last = THROTTLE_GUESSES_PER_SECOND - 1;

    memmove(address->starts_ms, address->starts_ms + 1, last * sizeof(address->starts_ms[0]));
    address->starts_ms[last] = start_ms;
}

static void take_start_back(struct suspect *address, int64_t start_ms)
{
    for (size_t i = THROTTLE_GUESSES_PER_SECOND; i-- > 0;) {
        if (address->starts_ms[i] != start_ms)
            continue;
        memmove(address->starts_ms + 1, address->starts_ms, i * sizeof(address->starts_ms[0]));
        address->starts_ms[0] = LONG_AGO_MS;
        return;
    }
}

static enum throttle_turn later_or_never(const struct throttle_guess *guess)
{
    return guess->start_ms - guess->asked_ms > THROTTLE_LONGEST_WAIT_MS ? TURN_REFUSED : TURN_LATER;
}

/* Guesses under way count as if they failed, so that the bound holds exactly. */
static bool is_shut(const struct three *three, struct throttle_guess *guess, int64_t now_ms)
{
    struct suspect *user = three->user;

    if (!user || is_known(three))
        return false;
    if (user->n_in_a_row >= THROTTLE_FAILURES_IN_A_ROW) {
        guess->start_ms = user->last_failure_in_row_ms + THROTTLE_SHUT_MS;
        if (guess->start_ms > now_ms)
            return true;
        user->n_in_a_row = 0;
    }
    guess->start_ms = now_ms + THROTTLE_LONGEST_WAIT_MS;
    return user->n_in_a_row + user->n_open >= THROTTLE_FAILURES_IN_A_ROW;
}

/* Its growing delay; false: too long. */
static bool wait_for_delays(const struct three *three, struct throttle_guess *guess, int64_t now_ms)
{
    fade(three->pair, now_ms);
    fade(three->user, now_ms);
    fade(three->address, now_ms);
    guess->start_ms = start_after_delays(three, now_ms);
    return later_or_never(guess) != TURN_REFUSED;
}

/* Names cost nothing to invent, so what is refused leaves no trace. */
enum throttle_turn throttle_reserve(struct throttle *throttle, struct throttle_guess *guess,
                                    int64_t now_ms)
{
    struct three three = find_three(throttle, guess);

    if (is_shut(&three, guess, now_ms))
        return TURN_REFUSED;
    guess->start_ms = now_ms;
    if (!guess->has_waited && !wait_for_delays(&three, guess, now_ms))
        return TURN_REFUSED;
    if (!make_three(throttle, guess, &three)) {
        guess->start_ms = now_ms + THROTTLE_LONGEST_WAIT_MS;
        return TURN_REFUSED;
    }
    if (!guess->has_waited)
        push_back_all(&three, guess->start_ms);
    guess->has_waited = true;
    if (guess->start_ms > now_ms)
        return TURN_LATER;
    if (three.address->starts_ms[0] + SECOND_MS > now_ms) {
        guess->start_ms = three.address->starts_ms[0] + SECOND_MS;
        return later_or_never(guess);
    }
    note_start(three.address, now_ms);
    three.user->n_open++;
    return TURN_NOW;
}

/* A user that was forgotten meanwhile and came back knows of no open guess. */
static void close_guess(struct suspect *user)
{
    if (user->n_open > 0)
        user->n_open--;
}

void throttle_succeeded(struct throttle *throttle, const struct throttle_guess *guess)
{
    struct three three;

    if (!make_three(throttle, guess, &three))
        return;
    take_start_back(three.address, guess->start_ms);
    close_guess(three.user);
    three.user->n_in_a_row = 0;
    three.pair->is_known = true;
    three.pair->n_failures = 0;
    three.pair->not_before_ms = LONG_AGO_MS;
    suspects_place(&throttle->suspects, three.user);
    suspects_place(&throttle->suspects, three.pair);
}

static void count_failure(struct suspect *suspect, const struct growth *growth, int64_t now_ms)
{
    if (suspect->n_failures < MOST_FAILURES)
        suspect->n_failures++;
    suspect->last_failure_ms = now_ms;
    push_back(suspect, growth, now_ms);
}

static void count_in_row(const struct three *three, uint64_t password, int64_t now_ms)
{
    bool is_same = password && password == three->pair->wrong_password;

    three->pair->wrong_password = password;
    if (is_same || three->pair->is_known)
        return;
    three->user->n_in_a_row++;
    three->user->last_failure_in_row_ms = now_ms;
}

void throttle_failed(struct throttle *throttle, const struct throttle_guess *guess, int64_t now_ms)
{
    struct three three;

    if (!make_three(throttle, guess, &three))
        return;
    close_guess(three.user);
    count_in_row(&three, guess->password, now_ms);
    suspects_place(&throttle->suspects, three.user);
    count_failure(three.pair, &growth_of_pair, now_ms);
    if (three.pair->n_failures > FAILURES_OF_ONE_PAIR)
        return;
    count_failure(three.address, &growth_of_address, now_ms);
    count_failure(three.user, &growth_of_user, now_ms);
}

void throttle_withdrawn(struct throttle *throttle, const struct throttle_guess *guess)
{
    struct three three;

    if (!make_three(throttle, guess, &three))
        return;
    take_start_back(three.address, guess->start_ms);
    close_guess(three.user);
}
