#include "test/support/failing_memory.h"
#include "test/support/test_support.h"

#include <errno.h>

#include "policy/networks.h"

static const struct {
    const char *cidr;
    uint32_t user_id;
} rules[] = {
    {"10.0.0.0/8",        1},
    {"10.1.0.0/16",       2},
    {"10.1.2.3",          3},
    {"192.0.2.0/25",      4},
    {"2001:db8::/32",     5},
    {"2001:db8:0:1::/64", 6},
    {"2001:db8::7",       7},
    {"10.1.0.0/16",       8}, /* the same again: the first counts */
};
enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

static struct networks *build(void)
{
    struct network_rule parsed[N_RULES];
    struct networks *networks;

    for (size_t i = 0; i < N_RULES; i++) {
        assert_true(network_parse(slice_of(rules[i].cidr), &parsed[i].network));
        parsed[i].user_id = rules[i].user_id;
    }
    assert_int_equal(networks_build(&networks, parsed, N_RULES - 1), 0);
    return networks;
}

static uint32_t find(const struct networks *networks, const char *text)
{
    struct ip_address address;
    const struct network_rule *rule;

    assert_true(ip_parse(slice_of(text), &address));
    rule = networks_find(networks, address);
    return rule ? rule->user_id : 0;
}

static void the_longest_prefix_wins(void **state)
{
    static const struct {
        const char *address;
        uint32_t user_id; /* 0: nobody's */
    } cases[] = {
        {"10.9.9.9",        1},
        {"10.1.9.9",        2},
        {"10.1.2.3",        3},
        {"10.1.2.4",        2},
        {"::ffff:10.1.2.3", 3},
        {"::ffff:10.9.9.9", 1},
        {"192.0.2.127",     4},
        {"192.0.2.128",     0},
        {"11.0.0.0",        0},
        {"9.255.255.255",   0},
        {"2001:db8::1",     5},
        {"2001:db8:0:1::1", 6},
        {"2001:db8::7",     7},
        {"2001:db9::",      0},
        {"0a00::",          0}, /* the bytes of 10.0.0.0 */
        {"::",              0},
        {"0.0.0.0",         0},
    };
    struct networks *networks = build();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (find(networks, cases[i].address) != cases[i].user_id)
            fail_msg("%s", cases[i].address);
    networks_free(networks);
}

static void an_empty_table_finds_nothing(void **state)
{
    struct networks *networks;

    (void)state;
    assert_int_equal(networks_build(&networks, NULL, 0), 0);
    assert_int_equal(find(networks, "10.1.2.3"), 0);
    networks_free(networks);
}

static void no_address_is_in_no_network(void **state)
{
    struct networks *networks = build();

    (void)state;
    assert_null(networks_find(networks, (struct ip_address){.family = 0}));
    networks_free(networks);
}

static int build_two(void)
{
    static const struct network_rule two[2] = {{.network = {.first = {.family = AF_INET}}},
                                               {.network = {.first = {.family = AF_INET6}}}};
    struct networks *networks = NULL;
    int error = networks_build(&networks, two, 2);

    networks_free(networks);
    return error;
}

static void a_table_needs_memory(void **state)
{
    (void)state;
    assert_int_equal(memory_fail_everywhere(build_two, -ENOMEM), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_wins),
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(no_address_is_in_no_network),
        cmocka_unit_test(a_table_needs_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
