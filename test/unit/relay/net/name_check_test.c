/* Which names of our addresses receivers would believe. */
#include "test/unit/relay/net/resolver_at_table.h"

#include "relay/net/name_check.h"

#define NET ".0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.a.0.a.2.ip6.arpa"

static const struct dns_row rows[] = {
    {"1.0" NET,                   DNS_TYPE_PTR,   "good.test",     0 },
    {"good.test",                 DNS_TYPE_AAAA,  "2a0a:4000::1",  0 },
    {"2.0" NET,                   DNS_TYPE_PTR,   "other.test",    0 },
    {"other.test",                DNS_TYPE_AAAA,  "2a0a:4000::99", 0 },
    {"3.0" NET,                   DNS_TYPE_PTR,   "nowhere.test",  0 },
    {"4.0" NET,                   DNS_TYPE_PTR,   "broken.test",   0 },
    {"broken.test",               DNS_TYPE_AAAA,  NULL,            0 },
    {"5.0" NET,                   DNS_TYPE_PTR,   NULL,            0 },
    {"6.0" NET,                   DNS_TYPE_PTR,   "nowhere.test",  0 },
    {"6.0" NET,                   DNS_TYPE_PTR,   "alias.test",    0 },
    {"alias.test",                DNS_TYPE_CNAME, "six.test",      0 },
    {"six.test",                  DNS_TYPE_AAAA,  "2a0a:4000::%d", 8 },
    {"7.0" NET,                   DNS_TYPE_PTR,   "name%d.test",   90},
    {"9.0" NET,                   DNS_TYPE_CNAME, "9.isp.test",    0 },
    {"9.isp.test",                DNS_TYPE_PTR,   "nine.test",     0 },
    {"nine.test",                 DNS_TYPE_AAAA,  "2a0a:4000::9",  0 },
    {"7.102.51.198.in-addr.arpa", DNS_TYPE_PTR,   "four.test",     0 },
    {"four.test",                 DNS_TYPE_A,     "198.51.102.7",  0 },
};

static bool is_done;

static int set_up(void **state)
{
    (void)state;
    return start_resolver(rows, sizeof(rows) / sizeof(rows[0]));
}

static int tear_down(void **state)
{
    (void)state;
    stop_resolver();
    return 0;
}

static void on_done(struct name_check *check)
{
    (void)check;
    is_done = true;
    loop_stop(loop);
}

static void each_address_gets_its_verdict(void **state)
{
    static const struct {
        const char *address;
        enum name_verdict verdict;
        const char *name;
    } cases[] = {
        {"2a0a:4000::1", NAME_CONFIRMED,   "good.test"   },
        {"2a0a:4000::2", NAME_UNCONFIRMED, "other.test"  },
        {"2a0a:4000::3", NAME_UNCONFIRMED, "nowhere.test"},
        {"2a0a:4000::4", NAME_UNKNOWN,     "broken.test" },
        {"2a0a:4000::5", NAME_UNKNOWN,     ""            },
        {"2a0a:4000::6", NAME_CONFIRMED,   "alias.test"  },
        {"2a0a:4000::8", NAME_MISSING,     ""            },
        {"2a0a:4000::9", NAME_CONFIRMED,   "nine.test"   },
        {"198.51.102.7", NAME_CONFIRMED,   "four.test"   },
        {"198.51.102.8", NAME_MISSING,     ""            },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct name_check check = {.done = on_done};

        assert_true(ip_parse(slice_of(cases[i].address), &check.address));
        is_done = false;
        name_check_start(&check, resolver);
        assert_false(is_done);
        loop_run(loop);
        if (check.verdict != cases[i].verdict || strcmp(check.name, cases[i].name) != 0)
            fail_msg("%s: %d, %s", cases[i].address, (int)check.verdict, check.name);
    }
}

/* However many names an address has. */
static void its_questions_are_bounded(void **state)
{
    struct name_check check = {.done = on_done};
    int n_before;

    (void)state;
    assert_true(ip_parse(SLICE_LITERAL("2a0a:4000::7"), &check.address));
    n_before = atomic_load(&server.n_questions);
    name_check_start(&check, resolver);
    loop_run(loop);
    assert_int_equal(check.verdict, NAME_UNCONFIRMED);
    assert_in_range(atomic_load(&server.n_questions) - n_before, 1, 20);
}

static void it_can_be_called_off(void **state)
{
    struct name_check check = {.done = on_done}, other = {.done = on_done};

    (void)state;
    name_check_cancel(&check);
    assert_true(ip_parse(SLICE_LITERAL("2a0a:4000::1"), &check.address));
    other.address = check.address;
    name_check_start(&check, resolver);
    name_check_cancel(&check);
    check.verdict = NAME_MISSING;
    name_check_start(&other, resolver);
    loop_run(loop);
    assert_int_equal(other.verdict, NAME_CONFIRMED);
    assert_int_equal(check.verdict, NAME_MISSING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_address_gets_its_verdict),
        TEST(its_questions_are_bounded),
        TEST(it_can_be_called_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
