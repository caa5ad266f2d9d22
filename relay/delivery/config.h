/* Delivery's settings as one immutable, counted value, with routes and networks ready for use.
 * Thread: any; ref and unref are atomic. */
#pragma once

#include <stdatomic.h>

#include "relay/base/arena.h"
#include "relay/delivery/egress_table.h"
#include "relay/schedule/limits.h"

enum target_kind {
    TARGET_MX,
    TARGET_ROUTE,
    TARGET_LITERAL,   /* user@[192.0.2.1] */
    TARGET_SUSPENDED, /* a suspended domain waits at a site of its own */
};

/* How a site's hosts are spoken to. */
struct target_policy {
    enum target_kind kind;
    enum delivery_tls tls;
    uint16_t port;
    struct slice user, password;
    struct site_limits limits;
    int64_t idle_ms, dot_timeout_ms; /* 0: as usual */
};

struct route_rule {
    struct slice domain;    /* lower case; "*" for all */
    struct slice site_name; /* the next hop, and "#domain" when others use it otherwise */
    struct slice host;      /* name or address */
    struct target_policy policy;
};

struct delivery_config {
    struct delivery_settings settings; /* texts and arrays in the arena */
    struct slice hostname, postmaster; /* "": postmaster@hostname */
    struct target_policy mx_policy;
    struct egress_table egress;
    struct route_rule *routes;
    size_t n_routes;
    struct receiver_book *book;                /* NULL: none */
    struct delivery_destination *destinations; /* lower case */
    size_t n_destinations;
    struct arena arena;
    _Atomic unsigned n_references;
    struct delivery_config *older; /* delivery.c's */
};

/* 0, -EINVAL (a `via` that is no next hop, a pool of no address) or -ENOMEM.  former (NULL: none):
 * whose numbers of addresses are kept. */
MUST_USE int delivery_config_new(struct delivery_config **out,
                                 const struct delivery_settings *settings,
                                 const struct delivery_config *former);
struct delivery_config *delivery_config_ref(struct delivery_config *config);
struct delivery_config *delivery_config_unref(struct delivery_config *config); /* returns NULL */

/* The fixed route for the domain, or NULL: ask DNS. */
const struct route_rule *delivery_config_route(const struct delivery_config *config,
                                               struct slice domain);

/* A next hop that an operator named: spoken to as the route of the settings that leads there, if
 * one does.  What is made for it lives in the arena.  0, -EINVAL (it is none) or -ENOMEM. */
MUST_USE int delivery_config_next_hop(const struct delivery_config *config, struct slice via,
                                      struct route_rule *out, struct arena *arena);

enum delivery_doubtful delivery_config_doubtful(const struct delivery_config *config,
                                                struct slice domain);

/* May an MX have this address?  own: it is one of ours, so the mail would come back (5.4.6). */
enum address_verdict { ADDRESS_ALLOWED, ADDRESS_SPECIAL, ADDRESS_OWN };
enum address_verdict delivery_config_address(const struct delivery_config *config,
                                             struct ip_address address);
