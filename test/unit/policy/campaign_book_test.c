#include "test/support/test_support.h"

#include <stdio.h>
#include <string.h>

#include "policy/campaign_book.h"

static struct campaign_book book;
static struct campaign seen[3];
static unsigned n_seen;

static int set_up(void **state)
{
    (void)state;
    campaign_book_init(&book);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    campaign_book_fini(&book);
    return 0;
}

static void add_of(uint32_t user_id, const char *name, uint64_t n_messages, int64_t utc_ms)
{
    campaign_book_add(&book, user_id, slice_of(name),
                      &(struct campaign_counts){.n_messages = n_messages,
                                                .n_recipients = 10 * n_messages,
                                                .n_delivered = n_messages},
                      utc_ms);
}

static void add(const char *name, uint64_t n_messages, int64_t utc_ms)
{
    add_of(7, name, n_messages, utc_ms);
}

static bool note(void *owner, const struct campaign *campaign)
{
    (void)owner;
    seen[n_seen++] = *campaign;
    return n_seen < 3;
}

static void look(void)
{
    n_seen = 0;
    campaign_book_each(&book, note, NULL);
}

static void counts_add_up_and_the_recent_come_first(void **state)
{
    (void)state;
    add("spring", 1, 1000);
    add("summer", 2, 2000);
    add("SPRING", 4, 3000);
    look();
    assert_int_equal(n_seen, 2);
    assert_string_equal(seen[0].name, "spring");
    assert_int_equal(seen[0].counts.n_messages, 5);
    assert_int_equal(seen[0].counts.n_recipients, 50);
    assert_int_equal(seen[0].first_utc_ms, 1000);
    assert_int_equal(seen[0].last_utc_ms, 3000);
    assert_string_equal(seen[1].name, "summer");
}

static void two_users_campaigns_of_one_name_are_two(void **state)
{
    (void)state;
    add_of(1, "spring", 1, 1000);
    add_of(2, "Spring", 2, 2000);
    look();
    assert_int_equal(n_seen, 2);
    assert_int_equal(seen[0].user_id, 2);
    assert_int_equal(seen[0].counts.n_messages, 2);
    assert_int_equal(seen[1].user_id, 1);
    assert_int_equal(seen[1].counts.n_messages, 1);
}

static void bounces_count_for_the_same_name(void **state)
{
    struct campaign_counts more = {0};

    (void)state;
    more.bounces.failed[BOUNCE_POLICY] = 3;
    add("spring", 1, 1000);
    campaign_book_add(&book, 7, slice_of("SPRING"), &more, 2000);
    look();
    assert_int_equal(n_seen, 1);
    assert_int_equal(seen[0].counts.bounces.failed[BOUNCE_POLICY], 3);
    assert_int_equal(seen[0].counts.n_messages, 1);
}

/* Nobody's names push out another's. */
static void a_user_has_so_many_names_and_folds_its_own(void **state)
{
    char name[32];

    (void)state;
    add_of(1, "kept", 1, 0);
    for (int i = 0; i < CAMPAIGNS_OF_USER + 99; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        add_of(2, name, 3, i + 1);
    }
    assert_int_equal(book.by_name.n_entries, CAMPAIGNS_OF_USER + 1);
    assert_int_equal(book.n_folded, 99);
    assert_int_equal(book.other.n_messages, 3 * 99);
    add_of(1, "kept", 1, 99999);
    look();
    assert_string_equal(seen[0].name, "kept");
    assert_int_equal(seen[0].counts.n_messages, 2);
}

static void of_too_many_the_least_recent_is_folded_into_other(void **state)
{
    char name[32];

    (void)state;
    add_of(9999, "kept", 1, 0);
    for (int i = 0; i < CAMPAIGNS_MOST + 99; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        add_of(1 + (uint32_t)i / 400, name, 3, i + 1);
        if (i % 1000 == 0)
            add_of(9999, "Kept", 1, i + 1);
    }
    assert_int_equal(book.by_name.n_entries, CAMPAIGNS_MOST);
    assert_int_equal(book.n_folded, 100);
    assert_int_equal(book.other.n_messages, 300);
    assert_int_equal(book.other.n_recipients, 3000);
    add_of(9999, "kept", 1, 99999);
    look();
    assert_string_equal(seen[0].name, "kept");
    assert_int_equal(seen[0].counts.n_messages, 2 + CAMPAIGNS_MOST / 1000 + 1);
}

static void names_too_long_are_cut(void **state)
{
    char name[1000];

    (void)state;
    memset(name, 'x', sizeof(name));
    campaign_book_add(&book, 1, slice_from(name, sizeof(name)), &(struct campaign_counts){0}, 1);
    look();
    assert_int_equal(strlen(seen[0].name), CAMPAIGN_NAME_SIZE - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(counts_add_up_and_the_recent_come_first),
        TEST(two_users_campaigns_of_one_name_are_two),
        TEST(bounces_count_for_the_same_name),
        TEST(a_user_has_so_many_names_and_folds_its_own),
        TEST(of_too_many_the_least_recent_is_folded_into_other),
        TEST(names_too_long_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
