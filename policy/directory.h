/* Who may send, and as whom: users, their networks and sender rules, signing domains with the
 * public halves of their keys, operators' orders.  One immutable snapshot of staffetta.db; a
 * change makes a new one, and whoever holds the old one finishes with it.  Everything a snapshot
 * points at lives as long as a reference to it.
 * Thread: any. */
#pragma once

#include "policy/networks.h"
#include "policy/orders.h"
#include "policy/sender_rules.h"

enum trace_mode { TRACE_NO_CLIENT, TRACE_FULL };
enum bounce_mode { BOUNCES_DSN, BOUNCES_DIGEST, BOUNCES_NONE };

/* What a user may have a figure for; 0 is "the service's own limit", of quotas USER_LIMIT_NONE is
 * "no limit, whatever the service's". */
enum user_limit {
    USER_LIMIT_SESSIONS,
    USER_LIMIT_RECIPIENTS,
    USER_LIMIT_MESSAGE_SIZE,
    USER_LIMIT_WEIGHT, /* of its share of a destination among the other users' */
    USER_LIMIT_MESSAGES_PER_MINUTE,
    USER_LIMIT_RECIPIENTS_PER_MINUTE,
    USER_LIMIT_MESSAGES_PER_HOUR,
    USER_LIMIT_MESSAGES_PER_DAY,
    USER_LIMIT_MESSAGES_PER_MONTH,
    USER_LIMIT_RECIPIENTS_PER_HOUR,
    USER_LIMIT_RECIPIENTS_PER_DAY,
    USER_LIMIT_RECIPIENTS_PER_MONTH,
    USER_LIMIT_TRANSACTIONAL_PER_HOUR, /* recipients */
    N_USER_LIMITS
};
enum {
    USER_WEIGHT_MOST = 100,
    USER_LIMIT_FIRST_QUOTA = USER_LIMIT_MESSAGES_PER_MINUTE,
    N_USER_QUOTAS = N_USER_LIMITS - USER_LIMIT_FIRST_QUOTA,
    USER_LIMIT_NONE = -1
};

struct credential; /* policy/credential.h: hashes are for the authenticator alone */

struct user {
    uint32_t id; /* never used again after the user is deleted */
    struct slice name;
    bool is_enabled;
    bool may_use_class;     /* X-Staffetta-Class counts */
    bool must_sign;         /* held rather than sent without a DKIM signature */
    bool refuse_over_quota; /* instead of holding */
    bool has_brake;         /* for stolen passwords (brake_book.h) */
    bool is_transactional;  /* mail that says nothing of its class */
    int64_t braked_utc_ms;  /* since when its mail is held; 0: it is not */
    struct slice braked_reason;
    struct slice contact; /* who is warned; empty: its name, if that is an address */
    enum trace_mode trace;
    enum bounce_mode bounces;
    int64_t limits[N_USER_LIMITS];
    int64_t created_utc_ms;
    uint32_t n_senders, n_credentials;
    const struct sender_rule *senders;
    const struct credential *credentials;
};

enum domain_key_type { DOMAIN_KEY_RSA, DOMAIN_KEY_ED25519 };

struct domain_key {
    uint32_t id;
    enum domain_key_type type;
    struct slice selector;
    struct slice public_key; /* base64, as in p= of the DNS record */
    bool is_judged;          /* its first signature was verified by libopendkim */
    bool is_active;          /* signs */
    int64_t created_utc_ms;
};

struct signing_domain {
    uint32_t id;
    struct slice name; /* lower-case A-label */
    bool requires_signing;
    uint32_t n_keys;
    const struct domain_key *keys;
    int64_t created_utc_ms;
};

struct directory {
    uint64_t version; /* grows with every snapshot */
    uint32_t n_users, n_networks, n_domains, n_orders;
    const struct user *users;             /* by name */
    const struct network_rule *networks;  /* in the order they were added */
    const struct signing_domain *domains; /* by name */
    const struct order *orders;           /* by name */
};

struct directory *directory_ref(struct directory *directory);
void directory_unref(struct directory *directory); /* accepts NULL */

/* Each is NULL when there is none.  Users are found whether enabled or not: ask is_enabled. */
const struct user *directory_user(const struct directory *directory, struct slice name);
const struct user *directory_user_by_id(const struct directory *directory, uint32_t id);
const struct user *directory_user_of_network(const struct directory *directory,
                                             struct ip_address peer);
const struct signing_domain *directory_domain(const struct directory *directory, struct slice name);

bool signing_domain_has_active_key(const struct signing_domain *domain);

/* Has the domain, or one above it, a key that signs?  Which of those above may sign is the signer's
 * to say (public suffixes): true is "perhaps", false is sure. */
bool directory_may_sign(const struct directory *directory, struct slice domain);

/* The order in force at utc_ms, or NULL; name is in its one form but for the case of letters. */
const struct order *directory_order(const struct directory *directory, enum order_scope scope,
                                    enum order_action action, struct slice name, int64_t utc_ms);

static inline bool user_may_send_as(const struct user *user, struct slice address)
{
    return sender_rules_allow(user->senders, user->n_senders, address);
}

const char *trace_mode_name(enum trace_mode mode);           /* "full", "no_client" */
const char *bounce_mode_name(enum bounce_mode mode);         /* "dsn", "digest", "none" */
const char *user_limit_name(enum user_limit limit);          /* "sessions", … */
const char *domain_key_type_name(enum domain_key_type type); /* "rsa", "ed25519" */
bool trace_mode_parse(struct slice name, enum trace_mode *out);
bool bounce_mode_parse(struct slice name, enum bounce_mode *out);
bool user_limit_parse(struct slice name, enum user_limit *out);
bool domain_key_type_parse(struct slice name, enum domain_key_type *out);
