/* What delivery is told by the settings: texts and lists are copied by delivery_start() and
 * delivery_reload(), so the caller's may go afterwards.  Spans in milliseconds.
 * Thread: any; values. */
#pragma once

#include "policy/warm_up.h"
#include "relay/net/resolver.h"
#include "relay/net/socket_address.h"
#include "relay/schedule/retry.h"

struct receiver_book;

enum delivery_tls {
    DELIVERY_TLS_NEVER,
    DELIVERY_TLS_MAY,      /* STARTTLS when offered, certificate not asked about */
    DELIVERY_TLS_MUST,     /* STARTTLS or not at all, certificate not asked about */
    DELIVERY_TLS_VERIFY,   /* STARTTLS with a valid certificate for the host, or not at all */
    DELIVERY_TLS_IMPLICIT, /* routes: TLS from the first octet, certificate not asked about */
};

/* When AAAA records of mail hosts are used; never without a v6 address among the binds. */
enum delivery_ipv6 {
    DELIVERY_IPV6_CHECKED, /* while our address's name checks (egress.h) */
    DELIVERY_IPV6_ALWAYS,
    DELIVERY_IPV6_NEVER,
};

/* What becomes of a recipient whose final dot was not answered, or may have left before a crash. */
enum delivery_doubtful {
    DOUBTFUL_RETRY, /* by the steps, as after any other failure */
    DOUBTFUL_WAIT,  /* after doubtful_wait_ms: time for the receiver's side to show what it has */
    DOUBTFUL_ASK,   /* held, until an operator retries or deletes it */
};

struct delivery_destination {
    const char *domain;
    enum delivery_doubtful doubtful;
};

struct delivery_route {
    const char *domain; /* "example.org", or "*" for all that have no route of their own */
    const char *via;    /* "192.0.2.1:2526", "[2001:db8::1]", "smart.example.net:587" */
    enum delivery_tls tls;
    const char *user, *password;  /* AUTH towards it; "" or NULL: none */
    uint32_t connections;         /* most at once */
    uint32_t messages_per_second; /* 0: no pace */
};

/* An address of ours, or one of each family that belong together. */
struct delivery_egress {
    const char *name;
    struct ip_address v4, v6; /* .family 0: none */
    const char *hostname;     /* in EHLO; "": that of the service */
    uint32_t weight;          /* its part of a pool's mail; 0 is 1 */
    struct warm_up_curve warm_up;
};

/* Which mail leaves from which addresses. */
struct delivery_pool {
    const char *name;           /* "default": what no other pool takes */
    const char *const *egress;  /* names */
    const char *const *users;   /* mail of these users, */
    const char *const *domains; /* else of senders in these domains, */
    size_t n_egress, n_users, n_domains;
    int message_class; /* else of this class (enum message_class); -1: none */
};

struct delivery_settings {
    const char *hostname;           /* EHLO name, reporting MTA, mailer-daemon@ */
    const char *postmaster;         /* who is told what receivers say; "": postmaster@hostname */
    uint16_t port;                  /* of MX hosts, and of `via` without one */
    const struct ip_address *binds; /* to send from; the first of each family is used */
    size_t n_binds;
    const struct delivery_egress *egress;
    size_t n_egress;
    const struct delivery_pool *pools;
    size_t n_pools;
    enum delivery_ipv6 ipv6;
    enum delivery_tls tls; /* towards MX hosts; never IMPLICIT */
    struct retry retry;
    int64_t expire_ms;               /* of reports that we make ourselves */
    uint32_t signature_life_s;       /* DKIM x= this long after t=; 0: none */
    int64_t delay_report_ms;         /* 0: none */
    int64_t digest_ms;               /* failures of a user with bounces = digest wait this long */
    enum delivery_doubtful doubtful; /* of destinations that have no word of their own */
    int64_t doubtful_wait_ms;
    const struct delivery_destination *destinations;
    size_t n_destinations;
    const struct network *allow_mx;
    size_t n_allow_mx;
    const struct ip_address *own_addresses; /* an MX there is a loop: the listeners' addresses */
    size_t n_own_addresses;
    struct receiver_book *book; /* what we know of receivers; NULL: nothing.  Counted */
    const struct delivery_route *routes;
    size_t n_routes;
    uint32_t connections; /* most outgoing ones, all loops together */
    uint32_t site_connections, site_connections_per_minute, connection_messages;
    uint32_t transaction_recipients;
};
