#include "test/support/test_support.h"

#include <errno.h>
#include <stdio.h>

#include "relay/base/secret.h"
#include "relay/delivery/config.h"
#include "relay/delivery/host_memory.h"
#include "relay/delivery/reply_memory.h"
#include "relay/delivery/router.h"

static struct delivery_config *config_with(const struct delivery_route *routes, size_t n)
{
    struct delivery_settings settings = {
        .hostname = "relay.example", .port = 25, .routes = routes, .n_routes = n};
    struct delivery_config *config;

    assert_int_equal(delivery_config_new(&config, &settings, NULL), 0);
    return config;
}

static void a_via_is_an_address_or_a_host_with_or_without_port(void **state)
{
    static const struct {
        const char *via, *host, *site;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:2526",        "127.0.0.1",         "127.0.0.1:2526",        2526},
        {"127.0.0.1",             "127.0.0.1",         "127.0.0.1:25",          25  },
        {"[2001:db8::1]:587",     "2001:db8::1",       "[2001:db8::1]:587",     587 },
        {"2001:db8::1",           "2001:db8::1",       "[2001:db8::1]:25",      25  },
        {"smart.example.net:587", "smart.example.net", "smart.example.net:587", 587 },
        {"smart.example.net",     "smart.example.net", "smart.example.net:25",  25  },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct delivery_route route = {.domain = "*", .via = rows[i].via};
        struct delivery_config *config = config_with(&route, 1);
        const struct route_rule *rule = delivery_config_route(config, slice_of("any.example"));

        assert_slice_is(rule->host, rows[i].host);
        assert_slice_is(rule->site_name, rows[i].site);
        assert_int_equal(rule->policy.port, rows[i].port);
        delivery_config_unref(config);
    }
}

static void a_via_that_is_none_is_refused(void **state)
{
    static const char *const vias[] = {"", ":25", "host:", "host:0", "host:99999", "host:x"};

    (void)state;
    for (size_t i = 0; i < sizeof(vias) / sizeof(vias[0]); i++) {
        struct delivery_route route = {.domain = "*", .via = vias[i]};
        struct delivery_settings settings = {.hostname = "h", .routes = &route, .n_routes = 1};
        struct delivery_config *config = NULL;

        assert_int_equal(delivery_config_new(&config, &settings, NULL), -EINVAL);
    }
}

static void the_domain_s_own_route_goes_before_the_one_for_all(void **state)
{
    static const struct delivery_route routes[] = {
        {.domain = "*",           .via = "192.0.2.1"},
        {.domain = "Example.ORG", .via = "192.0.2.2"},
    };
    struct delivery_config *config = config_with(routes, 2);

    (void)state;
    assert_slice_is(delivery_config_route(config, slice_of("example.org"))->host, "192.0.2.2");
    assert_slice_is(delivery_config_route(config, slice_of("sub.example.org"))->host, "192.0.2.1");
    delivery_config_unref(config);
    config = config_with(&routes[1], 1);
    assert_null(delivery_config_route(config, slice_of("example.net")));
    delivery_config_unref(config);
}

static void routes_share_a_site_unless_their_manners_differ(void **state)
{
    static const struct delivery_route routes[] = {
        {.domain = "a.example", .via = "192.0.2.1",    .user = "",   .password = ""      },
        {.domain = "b.example", .via = "192.0.2.1:25", .user = "",   .password = ""      },
        {.domain = "c.example", .via = "192.0.2.1",    .user = "me", .password = "secret"},
    };
    struct delivery_config *config = config_with(routes, 3);

    (void)state;
    assert_slice_is(delivery_config_route(config, slice_of("a.example"))->site_name,
                    "192.0.2.1:25");
    assert_slice_is(delivery_config_route(config, slice_of("b.example"))->site_name,
                    "192.0.2.1:25");
    assert_slice_is(delivery_config_route(config, slice_of("c.example"))->site_name,
                    "192.0.2.1:25#c.example");
    delivery_config_unref(config);
}

static void an_mx_inside_or_at_home_is_refused_unless_allowed(void **state)
{
    static const struct {
        const char *address;
        enum address_verdict verdict;
    } rows[] = {
        {"127.0.0.1",          ADDRESS_SPECIAL},
        {"0.0.0.0",            ADDRESS_SPECIAL},
        {"10.1.2.3",           ADDRESS_SPECIAL},
        {"169.254.1.1",        ADDRESS_SPECIAL},
        {"100.64.0.1",         ADDRESS_SPECIAL},
        {"224.0.0.1",          ADDRESS_SPECIAL},
        {"::1",                ADDRESS_SPECIAL},
        {"fc00::1",            ADDRESS_SPECIAL},
        {"fe80::1",            ADDRESS_SPECIAL},
        {"::ffff:10.0.0.1",    ADDRESS_SPECIAL},
        {"8.8.8.8",            ADDRESS_ALLOWED},
        {"2a00:1450:4001::1a", ADDRESS_ALLOWED},
        {"93.184.216.34",      ADDRESS_OWN    },
        {"192.168.7.9",        ADDRESS_ALLOWED},
        {"192.168.8.9",        ADDRESS_SPECIAL},
    };
    struct network allowed;
    struct ip_address own;
    struct delivery_settings settings = {.hostname = "h",
                                         .allow_mx = &allowed,
                                         .n_allow_mx = 1,
                                         .own_addresses = &own,
                                         .n_own_addresses = 1};
    struct delivery_config *config;

    (void)state;
    assert_true(network_parse(slice_of("192.168.7.0/24"), &allowed));
    assert_true(ip_parse(slice_of("93.184.216.34"), &own));
    assert_int_equal(delivery_config_new(&config, &settings, NULL), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ip_address address;

        assert_true(ip_parse(slice_of(rows[i].address), &address));
        if (delivery_config_address(config, address) != rows[i].verdict)
            fail_msg("%s", rows[i].address);
    }
    delivery_config_unref(config);
}

static void a_site_is_named_by_its_hosts_in_any_order_and_case(void **state)
{
    struct mx_query a = {.n_hosts = 3}, b = {.n_hosts = 2};
    CLEANUP(buffer) struct buffer name_a = BUFFER_INIT;
    CLEANUP(buffer) struct buffer name_b = BUFFER_INIT;

    (void)state;
    snprintf(a.hosts[0].name, DNS_NAME_SIZE, "MX2.example");
    snprintf(a.hosts[1].name, DNS_NAME_SIZE, "mx1.example");
    snprintf(a.hosts[2].name, DNS_NAME_SIZE, "mx2.example"); /* once more: it counts once */
    snprintf(b.hosts[0].name, DNS_NAME_SIZE, "mx1.EXAMPLE");
    snprintf(b.hosts[1].name, DNS_NAME_SIZE, "mx2.example");
    router_site_name(&a, &name_a);
    router_site_name(&b, &name_b);
    assert_slice_is(buffer_slice(&name_a), "mx1.example,mx2.example");
    assert_true(slice_equal(buffer_slice(&name_a), buffer_slice(&name_b)));
}

static void what_is_known_of_hosts_is_forgotten_in_time(void **state)
{
    struct slice host = SLICE_LITERAL("mx.example");
    struct memo hosts;

    (void)state;
    host_memory_init(&hosts);
    assert_false(host_memory_is_dead(&hosts, host, 1000));
    host_memory_note_dead(&hosts, host, 1000);
    host_memory_note_tls_broken(&hosts, host, 1000);
    host_memory_note_v6_broken(&hosts, host, 1000);
    assert_true(host_memory_is_dead(&hosts, host, 2000));
    assert_true(host_memory_is_tls_broken(&hosts, host, 3600000));
    assert_true(host_memory_is_v6_broken(&hosts, host, 3600000));
    assert_false(host_memory_is_v6_broken(&hosts, host, 3700000));
    assert_false(host_memory_is_dead(&hosts, host, 3600000));
    assert_true(host_memory_is_silent(&hosts, host)); /* that is over when it greets */
    host_memory_note_dead(&hosts, host, 4000000);
    host_memory_note_alive(&hosts, host);
    assert_false(host_memory_is_silent(&hosts, host));
    assert_false(host_memory_is_dead(&hosts, host, 4000001));
    memo_fini(&hosts);
}

static void a_full_memory_forgets_the_oldest(void **state)
{
    struct memo replies;

    (void)state;
    reply_memory_init(&replies);
    for (uint64_t id = 1; id <= REPLY_MEMORY_MOST + 10; id++)
        reply_memory_note(&replies, id, 1, slice_of("450 4.2.0 Later"));
    reply_memory_note(&replies, 11, 1, slice_of("451 4.3.0 Busy"));
    assert_int_equal(replies.n_items, REPLY_MEMORY_MOST);
    assert_null(reply_memory_find(&replies, 10, 1));
    assert_string_equal(reply_memory_find(&replies, 11, 1), "451 4.3.0 Busy");
    assert_string_equal(reply_memory_find(&replies, 12, 1), "450 4.2.0 Later");
    assert_null(reply_memory_find(&replies, 12, 2));
    memo_fini(&replies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_via_is_an_address_or_a_host_with_or_without_port),
        cmocka_unit_test(a_via_that_is_none_is_refused),
        cmocka_unit_test(the_domain_s_own_route_goes_before_the_one_for_all),
        cmocka_unit_test(routes_share_a_site_unless_their_manners_differ),
        cmocka_unit_test(an_mx_inside_or_at_home_is_refused_unless_allowed),
        cmocka_unit_test(a_site_is_named_by_its_hosts_in_any_order_and_case),
        cmocka_unit_test(what_is_known_of_hosts_is_forgotten_in_time),
        cmocka_unit_test(a_full_memory_forgets_the_oldest),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
