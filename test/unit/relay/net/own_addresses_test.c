#include "test/support/test_support.h"

#include <ifaddrs.h>
#include <string.h>

#include "relay/net/own_addresses.h"

enum { MOST = 256 };

static bool lists(const struct ip_address *own, size_t n, const struct sockaddr *wanted)
{
    struct socket_address address = {.len = wanted->sa_family == AF_INET ? sizeof(address.v4)
                                                                         : sizeof(address.v6)};
    struct ip_address ip;

    memcpy(&address.storage, wanted, address.len);
    ip = socket_address_ip(&address);
    for (size_t i = 0; i < n; i++)
        if (memcmp(&own[i], &ip, sizeof(ip)) == 0)
            return true;
    return false;
}

static void it_lists_what_netlink_lists(void **state)
{
    struct ip_address own[MOST] = {0};
    size_t n = own_addresses_list(own, MOST);
    struct ifaddrs *interfaces = NULL;

    (void)state;
    assert_true(n > 0);
    assert_int_equal(getifaddrs(&interfaces), 0);
    for (struct ifaddrs *i = interfaces; i; i = i->ifa_next)
        if (i->ifa_addr &&
            (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6))
            assert_true(lists(own, n, i->ifa_addr));
    freeifaddrs(interfaces);
}

static void it_lists_no_more_than_there_is_room_for(void **state)
{
    struct ip_address own[2] = {0}, untouched = {0};

    (void)state;
    assert_int_equal(own_addresses_list(own, 1), 1);
    assert_memory_equal(&own[1], &untouched, sizeof(untouched));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lists_what_netlink_lists),
        cmocka_unit_test(it_lists_no_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
