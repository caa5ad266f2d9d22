/* What the registry can be asked about users and their networks; domains, keys, suppressions
 * and orders are in registry_domains.h, registry_suppressions.h and registry_orders.h.  Each struct
 * begins with its registry_request: fill answer_to, done, by, and the inputs; the verb returns
 * false when too many requests wait, and then nothing happened.  All names are cut to their one
 * form (domains: lower-case A-label) by the registry.  Lists of users, networks, domains and orders
 * need no request: read the snapshot. Thread: any. */
#pragma once

#include "policy/password.h"
#include "policy/registry.h"
#include "relay/base/buffer.h"

enum password_source {
    PASSWORD_GIVEN,
    PASSWORD_GENERATED,
    PASSWORD_HASHED, /* imported_hash.h */
    PASSWORD_NONE,   /* user add: sends from its networks only */
};

struct new_password {
    enum password_source source;
    struct slice text;                       /* the password, or the hash */
    char generated[GENERATED_PASSWORD_SIZE]; /* out; the asker wipes it */
};

struct user_add_request {
    struct registry_request request;
    struct slice name;
    struct new_password password;
    const struct slice *senders;  /* ADDRESS, DOMAIN or '*'; a user named like an address may */
    uint32_t n_senders;           /*   send as its domain besides */
    const struct slice *networks; /* CIDR */
    uint32_t n_networks;
    uint32_t user_id; /* out */
};
MUST_USE bool registry_user_add(struct registry *registry, struct user_add_request *request);

struct user_password_request {
    struct registry_request request;
    struct slice name;
    struct new_password password;
    bool is_reset; /* by somebody else: the user's app passwords go with the old one */
};
MUST_USE bool registry_user_password(struct registry *registry,
                                     struct user_password_request *request);

struct user_request {
    struct registry_request request;
    struct slice name;
};
MUST_USE bool registry_user_enable(struct registry *registry, struct user_request *request);
MUST_USE bool registry_user_disable(struct registry *registry, struct user_request *request);
MUST_USE bool registry_user_delete(struct registry *registry, struct user_request *request);

/* "trace", "bounces", "class", "default_class", "must_sign", "refuse_over_quota", "brake",
 * "contact", or a limit's name; a value as text: full | no_client, dsn | digest | none,
 * transactional | bulk, yes | no, an address, a number (0: the service's own limit; of a quota also
 * none). */
struct user_option {
    struct slice name, value;
};
struct user_options_request {
    struct registry_request request;
    struct slice name;
    const struct user_option *options;
    uint32_t n_options;
    const struct slice *senders; /* NULL: unchanged; else these replace all */
    uint32_t n_senders;
};
MUST_USE bool registry_user_options(struct registry *registry,
                                    struct user_options_request *request);

/* What the snapshot does not hold: when credentials were used last. */
struct user_use_request {
    struct registry_request request;
    struct slice name;
    int64_t last_used_utc_ms; /* out; 0: never */
    bool is_imported;         /* out: still the hash of another program */
};
MUST_USE bool registry_user_use(struct registry *registry, struct user_use_request *request);

/* The same of everybody, by id; users without credentials are not in it. */
struct last_use {
    uint32_t user_id;
    int64_t utc_ms; /* 0: never */
};
struct last_uses_request {
    struct registry_request request;
    struct buffer uses; /* out: array of struct last_use; the asker frees */
};
MUST_USE bool registry_last_uses(struct registry *registry, struct last_uses_request *request);

struct network_request {
    struct registry_request request;
    struct slice cidr;
    struct slice user; /* add only */
};
MUST_USE bool registry_network_add(struct registry *registry, struct network_request *request);
MUST_USE bool registry_network_delete(struct registry *registry, struct network_request *request);
