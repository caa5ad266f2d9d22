/* Who gets into the panel: administrators, what accounts chose for themselves, tokens.  A copy of
 * the rows of staffetta.db, made after each change (registry_access.h) and owned by whoever asked.
 * It holds what passwords are compared with and is wiped when it goes.
 * Thread: the owner's (the panel's). */
#pragma once

#include "relay/base/arena.h"
#include "relay/base/buffer.h"
#include "relay/base/secret.h"

struct db;

/* An administrator (admins.id) or an SMTP user (users.id). */
enum account_kind { ACCOUNT_ADMIN, ACCOUNT_USER };
struct account {
    enum account_kind kind;
    uint32_t id; /* never used again after the account is deleted */
};

/* Each may what those before may. */
enum admin_role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_OWNER, N_ADMIN_ROLES };

struct admin {
    uint32_t id;
    struct slice name, hash;
    enum admin_role role;
    bool is_enabled;
    int64_t created_utc_ms, last_login_utc_ms; /* 0: never */
};

struct profile {
    struct account account;
    struct slice language, theme; /* empty: the browser's */
    struct slice secret;          /* of the second factor; empty: none */
    bool has_second_factor;       /* its first code was given */
    int64_t last_step;            /* no code of this one or before is taken again */
};

struct recovery_code {
    struct account account;
    uint8_t hash[DIGEST_BYTES];
};

struct access_token {
    uint32_t id;
    struct slice name, scopes, networks, by; /* scopes, networks: separated by blanks */
    uint8_t hash[DIGEST_BYTES];
    int64_t created_utc_ms, expires_utc_ms, last_used_utc_ms; /* 0: never */
};

enum {
    SESSION_ADDRESS_SIZE = 64,
    SESSION_AGENT_SIZE = 200,
    SESSIONS_OF_ONE = 20, /* the oldest goes */
    MOST_SESSIONS = 5000,
};

struct stored_session {
    int64_t id;
    uint8_t hash[DIGEST_BYTES]; /* of the cookie */
    struct account account;
    char address[SESSION_ADDRESS_SIZE], agent[SESSION_AGENT_SIZE];
    int64_t created_utc_ms, seen_utc_ms, confirmed_utc_ms; /* confirmed: until then */
};

struct access_book {
    struct admin *admins; /* by name */
    struct profile *profiles;
    struct recovery_code *recovery_codes;
    struct access_token *tokens;
    struct stored_session *sessions; /* of the first book only */
    uint32_t n_admins, n_profiles, n_recovery_codes, n_tokens, n_sessions;
    struct arena arena;
    struct buffer rows[5]; /* what the arrays lie in */
};

/* 0 or -errno. */
MUST_USE int access_book_load(struct access_book **out, struct db *db, bool with_sessions);
struct access_book *access_book_free(struct access_book *book); /* accepts NULL, returns NULL */

/* NULL when there is none.  Names in any case. */
const struct admin *access_book_admin(const struct access_book *book, struct slice name);
const struct admin *access_book_admin_by_id(const struct access_book *book, uint32_t id);
const struct profile *access_book_profile(const struct access_book *book, struct account account);
const struct access_token *access_book_token(const struct access_book *book,
                                             const uint8_t hash[DIGEST_BYTES]);

const char *account_kind_name(enum account_kind kind); /* "admin", "user" */
const char *admin_role_name(enum admin_role role);     /* "viewer", … */
bool admin_role_parse(struct slice name, enum admin_role *out);

static inline bool account_equal(struct account a, struct account b)
{
    return a.kind == b.kind && a.id == b.id;
}
