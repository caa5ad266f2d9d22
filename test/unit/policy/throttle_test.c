/* The clock is a variable. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "policy/throttle.h"
#include "relay/base/secret.h"

static struct throttle *throttle;
static int64_t now_ms;

static int set_up(void **state)
{
    (void)state;
    now_ms = 1000000;
    return throttle_new(&throttle, 1000);
}

static int tear_down(void **state)
{
    (void)state;
    throttle = throttle_free(throttle);
    return 0;
}

static struct throttle_guess guess_of(const char *address, const char *user)
{
    struct ip_address peer;

    assert_true(ip_parse(slice_of(address), &peer));
    return throttle_guess(peer, slice_of(user), 1, now_ms);
}

/* Guesses once, waiting as told; how long that took in ms, or -1 when refused. */
static int64_t guess_once(const char *address, const char *user, bool is_right)
{
    struct throttle_guess guess = guess_of(address, user);
    int64_t began_ms = now_ms;

    for (;;) {
        switch (throttle_reserve(throttle, &guess, now_ms)) {
        case TURN_NOW:
            if (is_right)
                throttle_succeeded(throttle, &guess);
            else
                throttle_failed(throttle, &guess, now_ms);
            return now_ms - began_ms;
        case TURN_LATER:
            assert_true(guess.start_ms > now_ms);
            now_ms = guess.start_ms;
            break;
        case TURN_REFUSED:
            assert_true(guess.start_ms > now_ms);
            return -1;
        }
    }
}

static enum throttle_turn turn_of(struct throttle_guess *guess)
{
    return throttle_reserve(throttle, guess, now_ms);
}

static void five_guesses_start_in_one_second(void **state)
{
    struct throttle_guess guesses[6];
    char user[16];

    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(user, sizeof(user), "user%d", i);
        guesses[i] = guess_of("192.0.2.1", user);
        assert_int_equal(turn_of(&guesses[i]), TURN_NOW);
    }
    guesses[5] = guess_of("192.0.2.1", "user5");
    assert_int_equal(turn_of(&guesses[5]), TURN_LATER);
    assert_int_equal(guesses[5].start_ms, now_ms + 1000);
    now_ms += 999;
    assert_int_equal(turn_of(&guesses[5]), TURN_LATER);
    now_ms += 1;
    assert_int_equal(turn_of(&guesses[5]), TURN_NOW);
}

static void no_window_of_a_second_sees_more_than_five(void **state)
{
    enum { N = 60 };
    int64_t starts_ms[N];
    char user[16];
    int n = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(user, sizeof(user), "user%d", i);
        if (guess_once("192.0.2.1", user, false) >= 0)
            starts_ms[n++] = now_ms;
        else
            now_ms += 700;
    }
    assert_true(n > 10);
    for (int i = 5; i < n; i++)
        assert_true(starts_ms[i] - starts_ms[i - 5] >= 1000);
}

static void right_passwords_give_their_turn_back(void **state)
{
    char user[16];

    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(user, sizeof(user), "user%d", i);
        assert_int_equal(guess_once("192.0.2.1", user, true), 0);
    }
}

static void a_withdrawn_guess_gives_its_turn_back(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct throttle_guess guess = guess_of("192.0.2.1", "user");

        assert_int_equal(turn_of(&guess), TURN_NOW);
        throttle_withdrawn(throttle, &guess);
    }
}

static void delays_of_a_pair_grow_and_end(void **state)
{
    static const int64_t expected_ms[] = {0, 0, 0, 500, 1000, 2000, 4000, 8000, -1};

    (void)state;
    for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++)
        assert_int_equal(guess_once("192.0.2.1", "user", false), expected_ms[i]);
    now_ms += 30000; /* the longest delay: nobody is locked out */
    assert_int_equal(guess_once("192.0.2.1", "user", true), 0);
    assert_int_equal(guess_once("192.0.2.1", "user", true), 0);
}

static void a_hundred_guesses_at_one_user_take_over_half_an_hour(void **state)
{
    int64_t began_ms = now_ms;
    int n = 0;

    (void)state;
    while (n < 100) {
        if (guess_once("192.0.2.1", "user", false) < 0)
            now_ms += 1000;
        else
            n++;
    }
    assert_true(now_ms - began_ms > 30 * 60 * 1000);
}

static void parallel_guesses_at_one_user_are_no_faster(void **state)
{
    struct throttle_guess guesses[8];
    int64_t last_ms;
    int n_refused = 0;

    (void)state;
    for (int i = 0; i < 6; i++)
        guess_once("192.0.2.1", "user", false);
    last_ms = now_ms;
    for (size_t i = 0; i < 8; i++) {
        guesses[i] = guess_of("192.0.2.1", "user");
        if (turn_of(&guesses[i]) == TURN_REFUSED) {
            n_refused++;
            continue;
        }
        assert_true(guesses[i].start_ms - last_ms >= 4000);
        last_ms = guesses[i].start_ms;
    }
    assert_true(n_refused >= 5);
}

/* Distinct passwords from ever new addresses, for most of a day: how many are checked. */
static int failures_of_strangers(int n_addresses)
{
    char address[32];
    int n_checked = 0;

    for (int i = 0; i < n_addresses; i++) {
        snprintf(address, sizeof(address), "203.%d.%d.%d", 1 + i / 65536, i / 256 % 256, i % 256);
        n_checked += guess_once(address, "user", false) >= 0;
        now_ms += 20000;
    }
    return n_checked;
}

static void a_hundred_failures_in_a_row_shut_a_user_to_strangers(void **state)
{
    (void)state;
    assert_int_equal(guess_once("198.51.100.7", "user", true), 0);
    assert_int_equal(failures_of_strangers(400), THROTTLE_FAILURES_IN_A_ROW);
    assert_int_equal(guess_once("203.0.113.9", "user", true), -1);
    assert_int_equal(guess_once("203.0.113.9", "other", true), 0);
    assert_int_equal(guess_once("198.51.100.7", "user", true), 0); /* known, and opens it again */
    assert_int_equal(guess_once("203.0.113.9", "user", true), 0);
}

static void a_new_password_opens_a_shut_user(void **state)
{
    struct throttle_guess guess;
    struct ip_address peer;

    (void)state;
    assert_int_equal(failures_of_strangers(200), THROTTLE_FAILURES_IN_A_ROW);
    assert_int_equal(guess_once("203.0.113.9", "user", true), -1);
    assert_true(ip_parse(SLICE_LITERAL("203.0.113.9"), &peer));
    guess = throttle_guess(peer, SLICE_LITERAL("user"), 2, now_ms);
    assert_int_equal(turn_of(&guess), TURN_NOW);
}

static void after_a_day_strangers_may_try_again(void **state)
{
    (void)state;
    assert_int_equal(failures_of_strangers(200), THROTTLE_FAILURES_IN_A_ROW);
    now_ms += THROTTLE_SHUT_MS;
    assert_int_equal(guess_once("203.0.113.9", "user", true), 0);
}

static void guesses_under_way_count_as_failures(void **state)
{
    struct throttle_guess open, late;

    (void)state;
    failures_of_strangers(THROTTLE_FAILURES_IN_A_ROW - 1);
    now_ms += 60000;
    open = guess_of("192.0.2.1", "user");
    assert_int_equal(turn_of(&open), TURN_NOW);
    now_ms += 60000;
    late = guess_of("192.0.2.2", "user");
    assert_int_equal(turn_of(&late), TURN_REFUSED);
    throttle_withdrawn(throttle, &open);
    late = guess_of("192.0.2.2", "user");
    assert_int_equal(turn_of(&late), TURN_NOW);
}

static void a_forgotten_program_shuts_nobody_out(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct throttle_guess guess = guess_of("192.0.2.1", "user");

        guess.password = 42;
        if (turn_of(&guess) == TURN_NOW)
            throttle_failed(throttle, &guess, now_ms);
        now_ms += 30000;
    }
    assert_int_equal(guess_once("203.0.113.9", "user", true), 0);
}

static void another_address_is_not_slowed(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        if (guess_once("192.0.2.1", "user", false) < 0)
            now_ms += 1000;
    assert_int_equal(guess_once("198.51.100.7", "user", true), 0);
}

static void an_attack_from_many_addresses_slows_only_strangers(void **state)
{
    char address[32];
    int n_slow = 0;

    (void)state;
    assert_int_equal(guess_once("198.51.100.7", "user", true), 0);
    for (int i = 0; i < 60; i++) {
        snprintf(address, sizeof(address), "203.0.113.%d", i);
        n_slow += guess_once(address, "user", false) != 0;
    }
    assert_true(n_slow >= 30);
    assert_int_equal(guess_once("198.51.100.7", "user", true), 0);
    now_ms += 10000;
    assert_int_equal(guess_once("198.51.100.8", "user", true), 0); /* a stranger, in the end */
}

static void neighbours_of_an_old_password_are_not_slowed(void **state)
{
    (void)state;
    assert_int_equal(guess_once("192.0.2.1", "known", true), 0);
    for (int i = 0; i < 300; i++) {
        if (guess_once("192.0.2.1", "old", false) < 0)
            now_ms += 1000;
    }
    assert_int_equal(guess_once("192.0.2.1", "known", true), 0);
    assert_int_equal(guess_once("192.0.2.1", "new", true), 0);
}

static void spraying_users_from_one_address_is_slowed(void **state)
{
    int64_t began_ms = now_ms;
    char user[16];
    int n = 0;

    (void)state;
    for (int i = 0; n < 40; i++) {
        snprintf(user, sizeof(user), "user%d", i);
        if (guess_once("192.0.2.1", user, false) < 0)
            now_ms += 1000;
        else
            n++;
    }
    assert_true(now_ms - began_ms > 5 * 60 * 1000);
}

static void failures_fade(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        guess_once("192.0.2.1", "user", false);
    now_ms += 3 * 600 * 1000;
    assert_int_equal(guess_once("192.0.2.1", "user", false), 0);
    assert_int_equal(guess_once("192.0.2.1", "user", false), 0);
}

static void a_new_password_starts_afresh(void **state)
{
    struct throttle_guess guess;
    struct ip_address peer;

    (void)state;
    for (int i = 0; i < 8; i++)
        guess_once("192.0.2.1", "user", false);
    assert_int_equal(guess_once("192.0.2.1", "user", true), -1);
    assert_true(ip_parse(SLICE_LITERAL("192.0.2.1"), &peer));
    guess = throttle_guess(peer, SLICE_LITERAL("user"), 2, now_ms);
    assert_int_equal(turn_of(&guess), TURN_NOW);
}

static void v6_counts_by_64_and_names_ignore_case(void **state)
{
    struct throttle_guess guess;

    (void)state;
    for (int i = 0; i < 8; i++)
        guess_once("2001:db8::1", "User", false);
    guess = guess_of("2001:db8::ffff:2", "uSER");
    assert_int_equal(turn_of(&guess), TURN_REFUSED);
    guess = guess_of("2001:db8:0:1::1", "user");
    assert_int_equal(turn_of(&guess), TURN_NOW);
}

static void memory_is_bounded_and_the_newest_stay(void **state)
{
    char user[16];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        guess_once("198.51.100.1", user, true);
    }
    for (int i = 0; i < 8; i++)
        guess_once("192.0.2.1", "user", false);
    for (int i = 0; i < 100; i++) {
        snprintf(user, sizeof(user), "v%d", i);
        guess_once("198.51.100.1", user, true);
    }
    assert_int_equal(guess_once("192.0.2.1", "user", false), -1);
}

/* One who is known, and whom strangers may not guess at any more. */
static void shut_a_user(void)
{
    assert_int_equal(guess_once("198.51.100.7", "user", true), 0);
    assert_int_equal(failures_of_strangers(200), THROTTLE_FAILURES_IN_A_ROW);
}

static void assert_still_shut(void)
{
    assert_int_equal(guess_once("203.0.113.9", "user", true), -1);
    assert_int_equal(guess_once("198.51.100.7", "user", true), 0);
}

static void refused_guesses_wash_nothing_away(void **state)
{
    char user[16];
    int n_checked = 0;

    (void)state;
    shut_a_user();
    for (int i = 0; i < 5000; i++) {
        snprintf(user, sizeof(user), "n%d", i);
        n_checked += guess_once("192.0.2.1", user, false) >= 0;
    }
    assert_true(n_checked < 20);
    assert_int_equal(guess_once("192.0.2.1", "other", false), -1); /* nor its own failures */
    assert_still_shut();
}

static void invented_names_from_many_addresses_wash_nothing_away(void **state)
{
    char user[16], address[32];

    (void)state;
    shut_a_user();
    for (int i = 0; i < 5000; i++) {
        snprintf(user, sizeof(user), "n%d", i);
        snprintf(address, sizeof(address), "192.0.%d.%d", i / 256, i % 256);
        assert_int_equal(guess_once(address, user, false), 0);
    }
    assert_still_shut();
}

static void an_address_that_goes_on_is_not_forgotten(void **state)
{
    char user[16], address[32];

    (void)state;
    while (guess_once("192.0.2.1", "user", false) >= 0)
        ;
    for (int i = 0; i < 5000; i++) {
        snprintf(user, sizeof(user), "n%d", i);
        snprintf(address, sizeof(address), "203.0.%d.%d", i / 256, i % 256);
        assert_int_equal(guess_once(address, user, false), 0);
        assert_int_equal(guess_once("192.0.2.1", "user", false), -1);
    }
}

/* So that the many who are known leave room for the three of a guess. */
static void who_is_kept_has_half_of_the_memory(void **state)
{
    char user[16];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        assert_int_equal(guess_once("198.51.100.1", user, true), 0);
    }
    shut_a_user();
    for (int i = 0; i < 400; i++) {
        snprintf(user, sizeof(user), "v%d", i);
        assert_int_equal(guess_once("198.51.100.1", user, true), 0);
    }
    assert_still_shut();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(five_guesses_start_in_one_second),
        TEST(no_window_of_a_second_sees_more_than_five),
        TEST(right_passwords_give_their_turn_back),
        TEST(a_withdrawn_guess_gives_its_turn_back),
        TEST(delays_of_a_pair_grow_and_end),
        TEST(a_hundred_guesses_at_one_user_take_over_half_an_hour),
        TEST(parallel_guesses_at_one_user_are_no_faster),
        TEST(a_hundred_failures_in_a_row_shut_a_user_to_strangers),
        TEST(a_new_password_opens_a_shut_user),
        TEST(after_a_day_strangers_may_try_again),
        TEST(guesses_under_way_count_as_failures),
        TEST(a_forgotten_program_shuts_nobody_out),
        TEST(another_address_is_not_slowed),
        TEST(an_attack_from_many_addresses_slows_only_strangers),
        TEST(neighbours_of_an_old_password_are_not_slowed),
        TEST(spraying_users_from_one_address_is_slowed),
        TEST(failures_fade),
        TEST(a_new_password_starts_afresh),
        TEST(v6_counts_by_64_and_names_ignore_case),
        TEST(memory_is_bounded_and_the_newest_stay),
        TEST(refused_guesses_wash_nothing_away),
        TEST(invented_names_from_many_addresses_wash_nothing_away),
        TEST(an_address_that_goes_on_is_not_forgotten),
        TEST(who_is_kept_has_half_of_the_memory),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
