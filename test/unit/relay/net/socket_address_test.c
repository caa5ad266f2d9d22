#include "test/support/test_support.h"

#include "relay/net/socket_address.h"

static void addresses_are_read_in_one_spelling_only(void **state)
{
    static const struct {
        const char *text, *printed; /* printed NULL: refused */
    } cases[] = {
        {"192.0.2.1",                                                   "192.0.2.1"  },
        {"2001:DB8::1",                                                 "2001:db8::1"},
        {"::ffff:192.0.2.1",                                            "192.0.2.1"  },
        {"::ffff:c000:0201",                                            "192.0.2.1"  },
        {"0:0:0:0:0:ffff:192.0.2.1",                                    "192.0.2.1"  },
        {"::1",                                                         "::1"        },
        {"192.0.2.01",                                                  NULL         },
        {"0300.0.2.1",                                                  NULL         },
        {"192.0.2",                                                     NULL         },
        {"0x7f.0.0.1",                                                  NULL         },
        {"2130706433",                                                  NULL         },
        {"fe80::1%eth0",                                                NULL         },
        {"[::1]",                                                       NULL         },
        {" 192.0.2.1",                                                  NULL         },
        {"192.0.2.1 ",                                                  NULL         },
        {"",                                                            NULL         },
        {"192.0.2.256",                                                 NULL         },
        {"1:2:3:4:5:6:7:8:9",                                           NULL         },
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", NULL         },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ip_address ip;
        char out[IP_TEXT_SIZE];
        bool is_read = ip_parse(slice_of(cases[i].text), &ip);

        if (is_read != (cases[i].printed != NULL))
            fail_msg("%s", cases[i].text);
        if (is_read)
            assert_string_equal(ip_print(ip, out), cases[i].printed);
    }
    assert_false(ip_parse(slice_from("1.2.3.4\0x", 9), &(struct ip_address){0}));
}

static void special_ranges_end_exactly_where_they_end(void **state)
{
    static const char *const special[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.1",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "100::1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "2002:c0a8:101::",
        "64:ff9b:1::8.8.8.8",
    };
    static const char *const usual[] = {
        "1.1.1.1",     "9.255.255.255",     "11.0.0.0",        "100.63.255.255",
        "100.128.0.0", "126.255.255.255",   "128.0.0.1",       "169.253.255.255",
        "169.255.0.0", "172.15.255.255",    "172.32.0.0",      "192.0.1.1",
        "192.0.3.1",   "192.167.255.255",   "192.169.0.0",     "198.17.255.255",
        "198.20.0.0",  "223.255.255.255",   "2606:4700::1",    "2a00:1450::1",
        "2001:200::1", "64:ff9b::8.8.8.8",  "2002:808:808::1", "::ffff:8.8.8.8",
        "2001:db7::1", "fbff:ffff:ffff::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        struct ip_address ip;

        assert_true(ip_parse(slice_of(special[i]), &ip));
        if (!ip_is_special(ip))
            fail_msg("%s is special", special[i]);
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        struct ip_address ip;

        assert_true(ip_parse(slice_of(usual[i]), &ip));
        if (ip_is_special(ip))
            fail_msg("%s is not special", usual[i]);
    }
    assert_true(ip_is_special((struct ip_address){0}));
}

static void networks_contain_what_they_say(void **state)
{
    static const struct {
        const char *network, *address;
        bool contains;
    } cases[] = {
        {"10.0.0.0/8",          "10.255.0.1",      true },
        {"10.0.0.0/8",          "11.0.0.0",        false},
        {"10.0.0.0/8",          "::ffff:10.1.2.3", true },
        {"192.0.2.128/25",      "192.0.2.127",     false},
        {"192.0.2.128/25",      "192.0.2.200",     true },
        {"0.0.0.0/0",           "203.0.113.1",     true },
        {"0.0.0.0/0",           "2001:db8::1",     false},
        {"::/0",                "203.0.113.1",     false},
        {"2001:db8::/33",       "2001:db8:7fff::", true },
        {"2001:db8::/33",       "2001:db8:8000::", false},
        {"192.0.2.1",           "192.0.2.1",       true },
        {"192.0.2.1",           "192.0.2.2",       false},
        {"::ffff:10.0.0.0/104", "10.9.9.9",        true },
    };
    static const char *const refused[] = {"10.0.0.1/8",  "10.0.0.0/33",  "10.0.0.0/",
                                          "10.0.0.0/-1", "10.0.0/8",     "2001:db8::/129",
                                          "/8",          "10.0.0.0/8/8", "::ffff:10.0.0.0/8"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct network network;
        struct ip_address ip;

        assert_true(network_parse(slice_of(cases[i].network), &network));
        assert_true(ip_parse(slice_of(cases[i].address), &ip));
        if (network_contains(&network, ip) != cases[i].contains)
            fail_msg("%s, %s", cases[i].network, cases[i].address);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (network_parse(slice_of(refused[i]), &(struct network){0}))
            fail_msg("%s", refused[i]);
}

static void v6_is_counted_by_its_64(void **state)
{
    struct ip_address a, b, c;

    (void)state;
    assert_true(ip_parse(SLICE_LITERAL("2001:db8:1:2:3::4"), &a));
    assert_true(ip_parse(SLICE_LITERAL("2001:db8:1:2:ffff::"), &b));
    assert_true(ip_parse(SLICE_LITERAL("2001:db8:1:3::"), &c));
    assert_true(ip_equal(ip_counted_as(a), ip_counted_as(b)));
    assert_false(ip_equal(ip_counted_as(a), ip_counted_as(c)));
    assert_false(ip_equal(a, b));
}

static void socket_addresses_are_read_and_printed(void **state)
{
    static const struct {
        const char *text;
        int default_port;
        const char *printed;
    } cases[] = {
        {"192.0.2.1:25",           -1, "192.0.2.1:25"     },
        {"[2001:db8::1]:587",      -1, "[2001:db8::1]:587"},
        {"[::ffff:192.0.2.1]:587", -1, "192.0.2.1:587"    },
        {"192.0.2.1",              25, "192.0.2.1:25"     },
        {"2001:db8::1",            25, "[2001:db8::1]:25" },
        {"[2001:db8::1]",          25, "[2001:db8::1]:25" },
        {"127.0.0.1:0",            -1, "127.0.0.1:0"      },
        {"127.0.0.1:65535",        -1, "127.0.0.1:65535"  },
        {"192.0.2.1",              -1, NULL               },
        {"192.0.2.1:",             25, NULL               },
        {"192.0.2.1:65536",        -1, NULL               },
        {"192.0.2.1:-1",           -1, NULL               },
        {"192.0.2.1:25x",          -1, NULL               },
        {"[192.0.2.1]:25",         -1, NULL               },
        {"[2001:db8::1]25",        -1, NULL               },
        {"[2001:db8::1",           25, NULL               },
        {"[2001:db8::1]:",         25, NULL               },
        {"localhost:25",           -1, NULL               },
        {":25",                    -1, NULL               },
        {"",                       25, NULL               },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct socket_address address;
        char out[SOCKET_TEXT_SIZE];
        bool is_read =
            socket_address_parse(slice_of(cases[i].text), cases[i].default_port, &address);

        if (is_read != (cases[i].printed != NULL))
            fail_msg("%s", cases[i].text);
        if (is_read)
            assert_string_equal(socket_address_print(&address, out), cases[i].printed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_in_one_spelling_only),
        cmocka_unit_test(special_ranges_end_exactly_where_they_end),
        cmocka_unit_test(networks_contain_what_they_say),
        cmocka_unit_test(v6_is_counted_by_its_64),
        cmocka_unit_test(socket_addresses_are_read_and_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
