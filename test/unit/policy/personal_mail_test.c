#include "test/support/test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/personal_mail.h"

static struct personal_book book;
static const struct personal_count *count;
static bool is_noteworthy;
static int64_t utc_ms;

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Rome", 1);
    tzset();
    utc_ms = 1795428000000; /* 2026-11-23 10:00 UTC */
    book = (struct personal_book){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    personal_book_fini(&book);
    return 0;
}

static unsigned add(const char *domain, enum personal_provider provider, uint32_t n)
{
    return personal_book_add(&book, slice_of(domain), provider, n, utc_ms, &count, &is_noteworthy);
}

static void mailboxes_of_people_are_told_from_those_of_firms(void **state)
{
    static const struct {
        const char *domain;
        int provider; /* -1: none of them */
    } cases[] = {
        {"gmail.com",            PERSONAL_GMAIL    },
        {"GoogleMail.com",       PERSONAL_GMAIL    },
        {"google.com",           -1                },
        {"gmail.com.example",    -1                },
        {"xgmail.com",           -1                },
        {"yahoo.com",            PERSONAL_YAHOO    },
        {"yahoo.it",             PERSONAL_YAHOO    },
        {"yahoo.co.uk",          PERSONAL_YAHOO    },
        {"yahoo.com.br",         PERSONAL_YAHOO    },
        {"yahoo-inc.com",        -1                },
        {"yahoo.shop.example",   -1                },
        {"yahoo.",               -1                },
        {"aol.com",              PERSONAL_YAHOO    },
        {"outlook.com",          PERSONAL_MICROSOFT},
        {"Hotmail.it",           PERSONAL_MICROSOFT},
        {"live.com.mx",          PERSONAL_MICROSOFT},
        {"live",                 -1                },
        {"livenation.com",       -1                },
        {"msn.com",              PERSONAL_MICROSOFT},
        {"microsoft.com",        -1                },
        {"firm.onmicrosoft.com", -1                },
        {"",                     -1                },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum personal_provider found;
        int provider = personal_provider_of(slice_of(cases[i].domain), &found) ? (int)found : -1;

        if (provider != cases[i].provider)
            fail_msg("%s: %d", cases[i].domain, provider);
    }
}

static void a_domain_is_warned_at_80_percent_and_at_all_of_it_once_a_day(void **state)
{
    (void)state;
    for (int day = 0; day < 3; day++) {
        assert_int_equal(add("shop.example", PERSONAL_GMAIL, 3999), 0);
        assert_int_equal(add("shop.example", PERSONAL_GMAIL, 1), 80);
        assert_int_equal(add("shop.example", PERSONAL_GMAIL, 999), 0);
        assert_int_equal(add("shop.example", PERSONAL_GMAIL, 1), 100);
        assert_int_equal(count->n, 5000);
        assert_int_equal(add("shop.example", PERSONAL_GMAIL, 9000), 0);
        utc_ms += 86400000;
    }
}

static void domains_and_providers_have_counts_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(add("shop.example", PERSONAL_GMAIL, 3999), 0);
    assert_int_equal(add("shop.example", PERSONAL_YAHOO, 3999), 0);
    assert_int_equal(add("news.example", PERSONAL_GMAIL, 3999), 0);
    assert_int_equal(count->n, 3999);
}

static void every_hundredth_is_worth_storing(void **state)
{
    unsigned n_stored = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        add("shop.example", PERSONAL_MICROSOFT, 1);
        n_stored += is_noteworthy;
    }
    assert_int_equal(n_stored, 10);
}

static void a_stored_count_goes_on(void **state)
{
    struct personal_count stored = {.domain = "shop.example",
                                    .provider = PERSONAL_GMAIL,
                                    .day = period_at(PERIOD_DAY, utc_ms),
                                    .n = 4900,
                                    .told = 80};

    (void)state;
    assert_int_equal(personal_book_load(&book, &stored), 0);
    assert_int_equal(add("shop.example", PERSONAL_GMAIL, 50), 0);
    assert_int_equal(add("shop.example", PERSONAL_GMAIL, 50), 100);
}

static void of_too_many_domains_the_small_ones_go(void **state)
{
    char name[32];

    (void)state;
    add("shop.example", PERSONAL_GMAIL, 4000);
    for (int i = 0; i < 3 * PERSONAL_MOST_DOMAINS + 5000; i++) {
        snprintf(name, sizeof(name), "d%d.example", i);
        add(name, PERSONAL_GMAIL, 1);
    }
    assert_int_equal(book.counts.n_entries, 3 * PERSONAL_MOST_DOMAINS);
    assert_int_equal(add("shop.example", PERSONAL_GMAIL, 1000), 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(mailboxes_of_people_are_told_from_those_of_firms),
        TEST(a_domain_is_warned_at_80_percent_and_at_all_of_it_once_a_day),
        TEST(domains_and_providers_have_counts_of_their_own),
        TEST(every_hundredth_is_worth_storing),
        TEST(a_stored_count_goes_on),
        TEST(of_too_many_domains_the_small_ones_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
