#include "relay/net/socket_address.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static struct ip_address from_v4(const void *bytes)
{
    struct ip_address address = {.family = AF_INET};

    memcpy(address.bytes, bytes, 4);
    return address;
}

static struct ip_address from_v6(const void *bytes)
{
    struct ip_address address = {.family = AF_INET6};

    if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
        return from_v4((const uint8_t *)bytes + 12);
    memcpy(address.bytes, bytes, 16);
    return address;
}

/* inet_pton() refuses octal, shortened forms and zone ids, which is what we want. */
bool ip_parse(struct slice text, struct ip_address *out)
{
    char copy[IP_TEXT_SIZE];
    uint8_t bytes[16];

    if (text.len == 0 || memchr(text.data, 0, text.len) || !slice_copy_to(text, copy, sizeof(copy)))
        return false;
    if (inet_pton(AF_INET, copy, bytes) == 1)
        *out = from_v4(bytes);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        *out = from_v6(bytes);
    else
        return false;
    return true;
}

const char *ip_print(struct ip_address address, char out[IP_TEXT_SIZE])
{
    if (address.family == 0 || !inet_ntop(address.family, address.bytes, out, IP_TEXT_SIZE))
        snprintf(out, IP_TEXT_SIZE, "unknown");
    return out;
}

bool ip_equal(struct ip_address a, struct ip_address b)
{
    return a.family == b.family && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static unsigned bits_of(struct ip_address address)
{
    return address.family == AF_INET ? 32 : 128;
}

struct ip_address ip_truncated(struct ip_address address, unsigned prefix_bits)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = prefix_bits > i * 8 ? prefix_bits - i * 8 : 0;

        if (kept < 8)
            address.bytes[i] &= (uint8_t)(0xff00U >> kept);
    }
    return address;
}

struct ip_address ip_counted_as(struct ip_address address)
{
    return address.family == AF_INET6 ? ip_truncated(address, 64) : address;
}

/* IANA's special-purpose registries (RFC 6890 and its updates), and multicast. */
static const char *const special_networks[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/8",          "64:ff9b:1::/48",  "100::/64",       "2001::/23",      "2001:db8::/32",
    "3fff::/20",     "5f00::/16",       "fc00::/7",       "fe80::/10",      "fec0::/10",
    "ff00::/8",
};

static bool is_listed_special(struct ip_address address)
{
    for (size_t i = 0; i < sizeof(special_networks) / sizeof(special_networks[0]); i++) {
        struct network network;

        if (network_parse(slice_of(special_networks[i]), &network) &&
            network_contains(&network, address))
            return true;
    }
    return false;
}

/* v6 that a gateway turns into v4: 64:ff9b::/96 (RFC 6052) and 2002::/16 (RFC 3056).  Teredo and
 * ::/8 (v4-compatible) are in the list whole. */
static bool embeds_v4(struct ip_address address, struct ip_address *out)
{
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

    if (address.family != AF_INET6)
        return false;
    if (memcmp(address.bytes, nat64, sizeof(nat64)) == 0)
        *out = from_v4(address.bytes + 12);
    else if (address.bytes[0] == 0x20 && address.bytes[1] == 0x02)
        *out = from_v4(address.bytes + 2);
    else
        return false;
    return true;
}

bool ip_is_special(struct ip_address address)
{
    struct ip_address inner;

    if (address.family == 0)
        return true;
    if (embeds_v4(address, &inner))
        return is_listed_special(inner);
    return is_listed_special(address);
}

bool network_parse(struct slice text, struct network *out)
{
    ptrdiff_t slash = slice_find(text, '/');
    struct network network;
    uint64_t bits;

    if (!ip_parse(slash < 0 ? text : slice_head(text, (size_t)slash), &network.first))
        return false;
    bits = bits_of(network.first);
    if (slash >= 0) {
        /* "::ffff:10.0.0.0/104" is 10.0.0.0/8. */
        unsigned offset =
            network.first.family == AF_INET && slice_find(slice_head(text, (size_t)slash), ':') >= 0
                ? 96
                : 0;

        if (!slice_to_number(slice_skip(text, (size_t)slash + 1), bits + offset, &bits) ||
            bits < offset)
            return false;
        bits -= offset;
    }
    network.prefix_bits = (unsigned)bits;
    if (!ip_equal(network.first, ip_truncated(network.first, network.prefix_bits)))
        return false;
    *out = network;
    return true;
}

bool network_contains(const struct network *network, struct ip_address address)
{
    return address.family == network->first.family &&
           ip_equal(network->first, ip_truncated(address, network->prefix_bits));
}

const char *network_print(const struct network *network, char out[SOCKET_TEXT_SIZE])
{
    char ip[IP_TEXT_SIZE];

    snprintf(out, SOCKET_TEXT_SIZE, "%s/%u", ip_print(network->first, ip), network->prefix_bits);
    return out;
}

/* Splits "[v6]:port", "v4:port", and bare addresses; port is empty when there is none. */
static bool split_port(struct slice text, struct slice *host, struct slice *port)
{
    ptrdiff_t colon = slice_find_last(text, ':');

    *port = (struct slice){0};
    if (text.len && text.data[0] == '[') {
        ptrdiff_t bracket = slice_find(text, ']');

        if (bracket < 0)
            return false;
        *host = slice_head(slice_skip(text, 1), (size_t)bracket - 1);
        text = slice_skip(text, (size_t)bracket + 1);
        if (text.len == 0)
            return slice_find(*host, ':') >= 0;
        *port = slice_skip(text, 1);
        return text.data[0] == ':' && port->len && slice_find(*host, ':') >= 0;
    }
    if (colon < 0 || slice_find(text, ':') != colon) { /* none, or a bare v6 address */
        *host = text;
        return true;
    }
    *host = slice_head(text, (size_t)colon);
    *port = slice_skip(text, (size_t)colon + 1);
    return port->len > 0;
}

bool socket_address_parse(struct slice text, int default_port, struct socket_address *out)
{
    struct slice host, port;
    struct ip_address ip;
    uint64_t number;

    if (!split_port(text, &host, &port) || !ip_parse(host, &ip))
        return false;
    if (port.len == 0) {
        if (default_port < 0)
            return false;
        number = (uint64_t)default_port;
    } else if (!slice_to_number(port, 65535, &number)) {
        return false;
    }
    *out = socket_address_of(ip, (uint16_t)number);
    return true;
}

struct socket_address socket_address_of(struct ip_address ip, uint16_t port)
{
    struct socket_address address = {0};

    if (ip.family == AF_INET) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
        memcpy(&address.v4.sin_addr, ip.bytes, 4);
        address.len = sizeof(address.v4);
    } else if (ip.family == AF_INET6) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(port);
        memcpy(&address.v6.sin6_addr, ip.bytes, 16);
        address.len = sizeof(address.v6);
    }
    return address;
}

static int family_of(const struct socket_address *address)
{
    return address->len >= sizeof(address->any.sa_family) ? address->any.sa_family : AF_UNSPEC;
}

struct ip_address socket_address_ip(const struct socket_address *address)
{
    switch (family_of(address)) {
    case AF_INET:
        return from_v4(&address->v4.sin_addr);
    case AF_INET6:
        return from_v6(&address->v6.sin6_addr);
    default:
        return (struct ip_address){0};
    }
}

uint16_t socket_address_port(const struct socket_address *address)
{
    switch (family_of(address)) {
    case AF_INET:
        return ntohs(address->v4.sin_port);
    case AF_INET6:
        return ntohs(address->v6.sin6_port);
    default:
        return 0;
    }
}

const char *socket_address_print(const struct socket_address *address, char out[SOCKET_TEXT_SIZE])
{
    struct ip_address ip = socket_address_ip(address);
    char text[IP_TEXT_SIZE];

    if (ip.family == 0)
        snprintf(out, SOCKET_TEXT_SIZE, "%s", family_of(address) == AF_UNIX ? "unix" : "none");
    else
        snprintf(out, SOCKET_TEXT_SIZE, ip.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
                 ip_print(ip, text), socket_address_port(address));
    return out;
}

bool socket_address_equal(const struct socket_address *a, const struct socket_address *b)
{
    return family_of(a) == family_of(b) && ip_equal(socket_address_ip(a), socket_address_ip(b)) &&
           socket_address_port(a) == socket_address_port(b);
}
