/* Addresses: sockets' ones with a port, bare ones, networks (CIDR), and which are not on the public
 * Internet.  v4-mapped v6 ("::ffff:192.0.2.1") is v4 everywhere, so that no list is passed by
 * spelling (threats: allow-list bypass).  No names are looked up, no zone ids, no octal.
 * Thread: any; values. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"

/* family AF_INET: the first 4 bytes count, the rest is zero; AF_INET6: all 16; 0: none. */
struct ip_address {
    uint8_t bytes[16];
    int family;
};

enum { IP_TEXT_SIZE = 48, SOCKET_TEXT_SIZE = 128 };

/* "192.0.2.1", "2001:db8::1"; no brackets, no port.  False when malformed. */
bool ip_parse(struct slice text, struct ip_address *out);
const char *ip_print(struct ip_address address, char out[IP_TEXT_SIZE]);
bool ip_equal(struct ip_address a, struct ip_address b);

/* The first prefix_bits alone, the rest zero: v6 is limited and counted by /64. */
struct ip_address ip_truncated(struct ip_address address, unsigned prefix_bits);
struct ip_address ip_counted_as(struct ip_address address); /* v4 itself, v6 its /64 */

/* Not a place of the public Internet: loopback, private, shared (100.64/10), link-local,
 * multicast, documentation, benchmarks, reserved, 0/8, ::, fc00::/7, and v6 that embeds such a v4
 * (NAT64, 6to4, Teredo).  An MX there is refused unless allow_mx names it. */
bool ip_is_special(struct ip_address address);

struct network {
    struct ip_address first;
    unsigned prefix_bits;
};

/* "192.0.2.0/24", "2001:db8::/32", or one bare address; bits behind the prefix must be zero. */
bool network_parse(struct slice text, struct network *out);
bool network_contains(const struct network *network, struct ip_address address);
const char *network_print(const struct network *network, char out[SOCKET_TEXT_SIZE]);

struct socket_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    };
    socklen_t len; /* 0: none */
};

/* "192.0.2.1:25", "[2001:db8::1]:25"; default_port (-1: none, a port must be written) when there
 * is no port, and then the brackets may be missing too. */
bool socket_address_parse(struct slice text, int default_port, struct socket_address *out);

/* "192.0.2.1:25", "[2001:db8::1]:25", "unix" for a Unix socket. */
const char *socket_address_print(const struct socket_address *address, char out[SOCKET_TEXT_SIZE]);

struct socket_address socket_address_of(struct ip_address ip, uint16_t port);
struct ip_address socket_address_ip(const struct socket_address *address); /* un-mapped */
uint16_t socket_address_port(const struct socket_address *address);
bool socket_address_equal(const struct socket_address *a, const struct socket_address *b);
