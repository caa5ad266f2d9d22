/* DNS inside a loop, by libunbound's event interface: cache, retries, DNSSEC.  One resolver per
 * loop, made in the process that uses it (after the fork).  resolver.c is the only file that
 * includes unbound's headers.  An answer always comes on a later turn, at hand or not.
 * Bogus signatures and every failure to get an answer are TEMPORARY.
 * Thread: the loop's. */
#pragma once

#include "relay/net/dns_message.h"
#include "relay/net/loop.h"

struct resolver;
struct dns_flight;

enum resolver_mode { RESOLVER_SYSTEM, RESOLVER_FORWARD, RESOLVER_RECURSE };

struct resolver_settings {
    enum resolver_mode mode;
    const struct socket_address *forwarders; /* RESOLVER_FORWARD; read during resolver_new() */
    size_t n_forwarders;
    const char *trust_anchor_file; /* NULL: Debian's root key when it is installed */
    bool asks_local_servers;       /* forwarders on loopback are asked in any case */
};

/* 0 or -errno.  At once asks for a signed answer; until it is there questions wait their turn (at
 * most 5 s).  Without signatures it goes on without validation, EVENT_DNS_UNVALIDATED, and tries
 * again every 10 minutes. */
MUST_USE int resolver_new(struct resolver **out, struct loop *loop,
                          const struct resolver_settings *settings);

/* Queries that wait are dropped without done(); not to be called in a done().  Accepts NULL,
 * returns NULL. */
struct resolver *resolver_free(struct resolver *resolver);
bool resolver_validates(const struct resolver *resolver);
struct loop *resolver_loop(const struct resolver *resolver);

enum dns_status {
    DNS_OK,
    DNS_NO_DATA,   /* the name exists, not this type */
    DNS_NO_NAME,   /* NXDOMAIN */
    DNS_TEMPORARY, /* SERVFAIL, timeout, bogus, malformed: try again later */
};

enum { DNS_WHY_SIZE = 128 };

/* Embed it; zero it, set name, type and done, ask.  May be asked again from done() on.  Any number
 * may be asked at once: what is too much for libunbound waits here. */
struct dns_query {
    void (*done)(struct dns_query *query); /* outputs are good during this call; may ask or free */
    char name[DNS_NAME_SIZE];
    uint16_t type;

    enum dns_status status;
    bool is_secure;                /* DNSSEC validated */
    uint32_t ttl;                  /* seconds */
    struct dns_message answer;     /* DNS_OK: rewound; records by dns_message_next_of() */
    char canonical[DNS_NAME_SIZE]; /* the name at the end of CNAMEs */
    char why[DNS_WHY_SIZE];        /* one clause for people; empty when DNS_OK */

    struct {               /* resolver.c's */
        struct list links; /* among those that wait to be asked, or to be told */
        struct dns_flight *flight;
        char *wire;
    } private_;
};
void dns_ask(struct resolver *resolver, struct dns_query *query);
void dns_cancel(struct dns_query *query); /* harmless when it is not asked */

enum { MX_MAX_HOSTS = 20, HOST_MAX_ADDRESSES = 16 };

enum mx_status {
    MX_OK,
    MX_NULL,      /* RFC 7505: takes no mail (556 5.1.10) */
    MX_NO_DOMAIN, /* NXDOMAIN: fails for good (5.1.2) */
    MX_UNUSABLE,  /* MX records, none with a usable name: fails for good (5.4.4) */
    MX_TEMPORARY,
};

/* The mail hosts of a domain (RFC 5321 5.1): by preference, equals shuffled, at most
 * MX_MAX_HOSTS; without MX records the domain itself.  Their addresses are another question. */
struct mx_query {
    void (*done)(struct mx_query *query);
    char domain[DNS_NAME_SIZE];

    enum mx_status status;
    bool is_implicit; /* no MX record: hosts[0] is the domain */
    bool is_secure;
    uint32_t ttl;
    size_t n_hosts;
    struct mx_host {
        uint16_t preference;
        char name[DNS_NAME_SIZE];
    } hosts[MX_MAX_HOSTS];
    char why[DNS_WHY_SIZE];

    struct dns_query question; /* mx_lookup.c's */
};
void mx_lookup(struct resolver *resolver, struct mx_query *query);
void mx_cancel(struct mx_query *query);

/* The addresses of a host: AAAA (if wanted) before A, each family shuffled.  DNS_OK when there is
 * at least one; TEMPORARY only when none was found and an answer is missing. */
struct host_query {
    void (*done)(struct host_query *query);
    char name[DNS_NAME_SIZE]; /* an address literal's text is answered as itself */
    bool wants_v6;

    enum dns_status status;
    bool is_secure; /* all answers were */
    uint32_t ttl;
    size_t n_addresses;
    struct ip_address addresses[HOST_MAX_ADDRESSES];
    char why[DNS_WHY_SIZE];

    struct dns_query v6, v4; /* host_lookup.c's */
    struct later later;
    unsigned n_waiting;
};
void host_lookup(struct resolver *resolver, struct host_query *query);
void host_cancel(struct host_query *query);
