/* Sums stay exact over names, minutes, restarts and failures. */
#include "test/support/test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/events/counters.h"
#include "relay/events/history_reader.h"

static const int64_t now_ms = 1795426830000;

struct fixture {
    char dir[64];
    struct counters *counters;
    struct history_reader *reader;
    int64_t delivered, n_slots, gap_s;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/counters-test.XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    assert_int_equal(counters_new(&fixture->counters, fixture->dir), 0);
    assert_int_equal(history_reader_new(&fixture->reader, fixture->dir), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"counters.db", "counters.db-wal", "counters.db-shm"};
    struct fixture *fixture = *state;
    char path[128];

    counters_free(fixture->counters);
    history_reader_free(fixture->reader);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", fixture->dir, files[i]);
        (void)unlink(path);
    }
    rmdir(fixture->dir);
    free(fixture);
    return 0;
}

static void note_slot(void *owner, int64_t slot_s, const int64_t columns[N_COUNTER_COLUMNS])
{
    struct fixture *fixture = owner;

    (void)slot_s;
    fixture->n_slots++;
    fixture->delivered += columns[COUNTER_DELIVERED];
}

static int64_t delivered(struct fixture *fixture, enum counter_by by, const char *name,
                         unsigned tier)
{
    const struct counter_query query = {by, slice_of(name), tier, 0, INT64_MAX};

    fixture->delivered = fixture->n_slots = 0;
    assert_int_equal(history_reader_counts(fixture->reader, &query, note_slot, fixture), 0);
    return fixture->delivered;
}

static void deliver(struct fixture *fixture, const char *site)
{
    const struct history_row row = {.kind = HISTORY_DELIVERED, .site = slice_of(site)};

    counters_note(fixture->counters, &row);
}

static void store(struct fixture *fixture, int64_t utc_ms)
{
    assert_int_equal(counters_store(fixture->counters, utc_ms), 0);
}

static void minutes_are_slots_and_add_up_to_longer_ones(void **state)
{
    struct fixture *fixture = *state;

    store(fixture, now_ms);
    for (int i = 1; i <= 7; i++) {
        deliver(fixture, "a");
        store(fixture, now_ms + i * 30000L); /* two to a minute */
    }
    assert_int_equal(delivered(fixture, COUNTER_TOTAL, "", 0), 7);
    assert_int_equal(fixture->n_slots, 4);
    assert_int_equal(delivered(fixture, COUNTER_SITE, "a", 1), 7);
    assert_int_equal(fixture->n_slots, 1);
}

static void of_too_many_names_the_rest_is_other(void **state)
{
    struct fixture *fixture = *state;
    int64_t sum = 0;

    for (int i = 0; i < 3000; i++) {
        char site[32];

        snprintf(site, sizeof(site), "mx%d.example.net", i);
        deliver(fixture, site);
    }
    store(fixture, now_ms);
    for (int i = 0; i < 3000; i++) {
        char site[32];

        snprintf(site, sizeof(site), "mx%d.example.net", i);
        sum += delivered(fixture, COUNTER_SITE, site, 2);
    }
    assert_in_range(sum, 100, 1000);
    assert_int_equal(sum + delivered(fixture, COUNTER_SITE, "", 2), 3000);
    assert_int_equal(delivered(fixture, COUNTER_TOTAL, "", 2), 3000);
}

static void a_day_later_new_names_find_room(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 1000; i++) {
        char site[32];

        snprintf(site, sizeof(site), "mx%d.example.net", i);
        deliver(fixture, site);
    }
    store(fixture, now_ms);
    store(fixture, now_ms + 86400000);
    deliver(fixture, "late.example.net");
    store(fixture, now_ms + 86460000);
    assert_int_equal(delivered(fixture, COUNTER_SITE, "late.example.net", 0), 1);
}

static void what_cannot_be_stored_is_stored_later(void **state)
{
    struct fixture *fixture = *state;
    char away[80];

    snprintf(away, sizeof(away), "%s.away", fixture->dir);
    assert_int_equal(rename(fixture->dir, away), 0);
    deliver(fixture, "a");
    assert_true(counters_store(fixture->counters, now_ms) < 0);
    deliver(fixture, "a");
    assert_int_equal(rename(away, fixture->dir), 0);
    store(fixture, now_ms + 1000);
    assert_int_equal(delivered(fixture, COUNTER_TOTAL, "", 0), 2);
    assert_int_equal(delivered(fixture, COUNTER_SITE, "a", 0), 2);
}

static void note_gap(void *owner, int64_t begun_s, int64_t ended_s, struct slice why, int64_t n)
{
    (void)n;
    assert_true(slice_equal(why, slice_of("stopped")));
    ((struct fixture *)owner)->gap_s += ended_s - begun_s;
}

static void a_silence_between_two_runs_is_a_gap(void **state)
{
    static const int64_t pauses_ms[] = {30000, 3600000};
    struct fixture *fixture = *state;
    int64_t at_ms = now_ms;

    store(fixture, at_ms);
    for (int i = 0; i < 2; i++) {
        counters_free(fixture->counters);
        assert_int_equal(counters_new(&fixture->counters, fixture->dir), 0);
        at_ms += pauses_ms[i];
        store(fixture, at_ms);
    }
    assert_int_equal(history_reader_gaps(fixture->reader, 0, INT64_MAX, note_gap, fixture), 0);
    assert_int_equal(fixture->gap_s, 3600); /* a restart of half a minute is none */
}

static void tiers_forget_what_is_too_old(void **state)
{
    struct fixture *fixture = *state;
    const int64_t later_ms = now_ms + 30L * 86400000;

    deliver(fixture, "a");
    store(fixture, now_ms);
    assert_int_equal(counters_forget(fixture->counters, later_ms), 0);
    assert_int_equal(delivered(fixture, COUNTER_TOTAL, "", 0), 0);
    assert_int_equal(delivered(fixture, COUNTER_TOTAL, "", 1), 1);
    assert_int_equal(counters_forget(fixture->counters, now_ms + 500L * 86400000), 0);
    assert_int_equal(delivered(fixture, COUNTER_TOTAL, "", 2), 0);
    assert_int_equal(delivered(fixture, COUNTER_SITE, "a", 3), 1);
    deliver(fixture, "a"); /* its name is still known */
    store(fixture, later_ms);
    assert_int_equal(delivered(fixture, COUNTER_SITE, "a", 3), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(minutes_are_slots_and_add_up_to_longer_ones),
        TEST(of_too_many_names_the_rest_is_other),
        TEST(a_day_later_new_names_find_room),
        TEST(what_cannot_be_stored_is_stored_later),
        TEST(a_silence_between_two_runs_is_a_gap),
        TEST(tiers_forget_what_is_too_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
