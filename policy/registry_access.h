/* What the settings thread can be asked about who gets into the panel.  Each request begins with
 * its registry_request (registry.h).  Texts and bytes are the asker's until done().
 * Thread: ask from any; done() on the asker's. */
#pragma once

#include "policy/access_book.h"
#include "policy/registry.h"

enum access_verb {
    ACCESS_FIRST_ADMIN,     /* name, hash: the owner, while there is no administrator at all */
    ACCESS_ADD_ADMIN,       /* name, hash, role */
    ACCESS_DELETE_ADMIN,    /* name; never the last owner; and its tokens */
    ACCESS_SET_ROLE,        /* name, role; never the last owner's; ends its sessions */
    ACCESS_SET_HASH,        /* name, hash; ends its sessions but `id`, if that is one */
    ACCESS_RESET,           /* name, hash: enabled again, no second factor, no sessions */
    ACCESS_ENABLE_ADMIN,    /* name, is_on; never the last owner off; ends its sessions */
    ACCESS_NOTE_LOGIN,      /* account */
    ACCESS_SET_PREFERENCES, /* account, language, theme */
    ACCESS_SET_FACTOR,      /* account, secret, is_on, step, codes (when is_on) */
    ACCESS_USE_STEP,        /* account, step: REGISTRY_EXISTS when it was used already */
    ACCESS_USE_CODE,        /* account, hash: REGISTRY_NOT_FOUND when there is none such */
    ACCESS_ADD_TOKEN,       /* name, hash, scopes, networks, until_utc_ms; out: id */
    ACCESS_DELETE_TOKEN,    /* id */
    ACCESS_NOTE_TOKEN,      /* id */
    N_ACCESS_VERBS
};

struct access_request {
    struct registry_request request;
    enum access_verb verb; /* the registry's */
    bool is_note;          /* the registry's */
    struct account account;
    int64_t id;
    struct slice name;
    struct slice hash; /* argon2id as text, or DIGEST_BYTES */
    struct slice language, theme, secret, scopes, networks;
    struct slice codes; /* DIGEST_BYTES each */
    enum admin_role role;
    bool is_on;
    int64_t step, until_utc_ms;
    struct access_book *book; /* out, the asker's: as it stands after the change; or NULL */
};
MUST_USE bool registry_access(struct registry *registry, enum access_verb verb,
                              struct access_request *request);

/* The same for what the asker's book need not show: book stays NULL. */
MUST_USE bool registry_access_note(struct registry *registry, enum access_verb verb,
                                   struct access_request *request);

enum session_verb {
    SESSION_ADD,           /* out: row.id */
    SESSION_SEE,           /* row.id, row.seen_utc_ms */
    SESSION_DELETE,        /* row.id */
    SESSION_DELETE_OTHERS, /* all of row.account but row.id */
    SESSION_DELETE_PAST,   /* seen before row.seen_utc_ms, or made before row.created_utc_ms */
    N_SESSION_VERBS
};

struct session_request {
    struct registry_request request;
    enum session_verb verb; /* the registry's */
    struct stored_session row;
};
MUST_USE bool registry_session(struct registry *registry, enum session_verb verb,
                               struct session_request *request);

/* ---- who changed what ---- */

struct audit_request {
    struct registry_request request; /* .by: who */
    struct slice origin, action, object;
    struct slice before, after; /* JSON; .data NULL: nothing */
    uint32_t user_id;           /* an SMTP user's own doing; 0: an administrator's */
};
MUST_USE bool registry_audit(struct registry *registry, struct audit_request *request);

enum { AUDIT_COLUMNS = 6 };
struct audit_list_request {
    struct registry_request request;
    int64_t below_id; /* newest first, from the one before this */
    uint32_t most;
    struct buffer rows; /* out, the asker's: u64 id, u64 at, then AUDIT_COLUMNS counted texts: who,
                           origin, action, object, before and after (JSON; empty: nothing) */
    uint32_t n_rows;
    bool has_more; /* below the last of them */
};
MUST_USE bool registry_audit_list(struct registry *registry, struct audit_list_request *request);

/* ---- further passwords of SMTP users ---- */

struct app_password_request {
    struct registry_request request;
    uint32_t user_id;
    int64_t id;               /* delete: which; add: out */
    struct slice label, hash; /* add */
    struct buffer rows; /* list, out, the asker's: u64 id, created, last used; counted label */
};
MUST_USE bool registry_app_password_add(struct registry *registry,
                                        struct app_password_request *request);
MUST_USE bool registry_app_password_delete(struct registry *registry,
                                           struct app_password_request *request);
MUST_USE bool registry_app_password_list(struct registry *registry,
                                         struct app_password_request *request);

/* Before registry_start(): the whole book, sessions too, without what nobody owns any more
 * and the sessions beyond the newest of an account and of all. */
MUST_USE int registry_load_access(struct registry *registry, struct access_book **out);
