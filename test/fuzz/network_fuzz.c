/* Addresses, networks and sockets as texts, line by line: accepted ones print and read back as they
 * were, the system's own parser agrees, and of the networks together the table finds the same one
 * for every address as a plain search does. */
#include "test/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <string.h>

#include "policy/networks.h"

enum { MOST_RULES = 32 };

static bool is_v4_mapped(const unsigned char bytes[16])
{
    static const unsigned char start[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(bytes, start, sizeof(start)) == 0;
}

/* inet_pton() knows neither brackets, ports nor zones, just as we want it. */
static struct ip_address system_parse(struct slice text)
{
    struct ip_address ip = {.family = AF_INET6};
    char copy[IP_TEXT_SIZE];

    if (slice_find(text, '\0') >= 0 || !slice_copy_to(text, copy, sizeof(copy)))
        return (struct ip_address){0};
    if (inet_pton(AF_INET6, copy, ip.bytes) == 1) {
        if (!is_v4_mapped(ip.bytes))
            return ip;
        memmove(ip.bytes, ip.bytes + 12, 4);
        memset(ip.bytes + 4, 0, 12);
        ip.family = AF_INET;
        return ip;
    }
    ip = (struct ip_address){.family = AF_INET};
    return inet_pton(AF_INET, copy, ip.bytes) == 1 ? ip : (struct ip_address){0};
}

static void check_ip(struct slice text)
{
    struct ip_address ip = {0}, again, wanted = system_parse(text);
    char printed[IP_TEXT_SIZE];

    PROMISE(ip_parse(text, &ip) == (wanted.family != 0));
    if (!wanted.family)
        return;
    PROMISE(ip_equal(ip, wanted));
    PROMISE(ip_parse(slice_of(ip_print(ip, printed)), &again) && ip_equal(ip, again));
    PROMISE(ip_equal(ip_truncated(ip, 128), ip));
    PROMISE(ip_equal(ip_counted_as(ip_counted_as(ip)), ip_counted_as(ip)));
    (void)ip_is_special(ip);
}

static void check_socket(struct slice text, int default_port)
{
    struct socket_address address, again;
    char printed[SOCKET_TEXT_SIZE];

    if (!socket_address_parse(text, default_port, &address))
        return;
    PROMISE(socket_address_parse(slice_of(socket_address_print(&address, printed)), -1, &again));
    PROMISE(socket_address_equal(&address, &again));
    address = socket_address_of(socket_address_ip(&again), socket_address_port(&again));
    PROMISE(socket_address_equal(&address, &again));
}

static bool check_network(struct slice text, struct network *out)
{
    char printed[SOCKET_TEXT_SIZE];
    struct network again;

    if (!network_parse(text, out))
        return false;
    PROMISE(out->prefix_bits <= (out->first.family == AF_INET ? 32 : 128));
    PROMISE(network_contains(out, out->first));
    PROMISE(ip_equal(ip_truncated(out->first, out->prefix_bits), out->first));
    PROMISE(network_parse(slice_of(network_print(out, printed)), &again));
    PROMISE(ip_equal(out->first, again.first) && out->prefix_bits == again.prefix_bits);
    return true;
}

static const struct network_rule *search(const struct network_rule *rules, uint32_t n_rules,
                                         struct ip_address address)
{
    const struct network_rule *best = NULL;

    for (uint32_t i = 0; i < n_rules; i++)
        if (network_contains(&rules[i].network, address) &&
            (!best || rules[i].network.prefix_bits > best->network.prefix_bits))
            best = &rules[i];
    return best;
}

static void check_table(const struct network_rule *rules, uint32_t n_rules)
{
    struct networks *networks;

    PROMISE(networks_build(&networks, rules, n_rules) == 0);
    for (uint32_t i = 0; i < n_rules; i++) {
        struct ip_address address = rules[i].network.first;

        for (unsigned flipped = 0; flipped < 16; flipped++) {
            const struct network_rule *found = networks_find(networks, address);
            const struct network_rule *wanted = search(rules, n_rules, address);

            PROMISE(!found == !wanted && (!found || found->user_id == wanted->user_id));
            if (address.family == AF_INET && flipped >= 4)
                break;
            address.bytes[flipped] ^= 0x81;
        }
    }
    networks_free(networks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct network_rule rules[MOST_RULES] = {0};
    struct slice rest = slice_from(data, size);
    uint32_t n_rules = 0;

    while (rest.len) {
        ptrdiff_t end = slice_find(rest, '\n');
        struct slice text = slice_head(rest, end < 0 ? rest.len : (size_t)end);
        struct network network;

        check_ip(text);
        check_socket(text, -1);
        check_socket(text, 25);
        if (check_network(text, &network) && n_rules < MOST_RULES) {
            rules[n_rules] = (struct network_rule){network, n_rules + 1};
            n_rules++;
        }
        rest = slice_skip(rest, text.len + 1);
    }
    check_table(rules, n_rules);
    return 0;
}
