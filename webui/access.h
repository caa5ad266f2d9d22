/* Who is signed in, and who may be: the panel's copy of the access book and its open sessions.
 * What changes them is stored by the settings thread first (registry_access.h) and then taken over
 * here.  Thread: the panel's. */
#pragma once

#include "policy/registry_access.h"
#include "relay/base/list.h"

struct webui;

enum {
    SESSION_IDLE_MS = 12 * 3600 * 1000,
    SESSION_LONGEST_MS = 7 * 86400 * 1000,
    SESSION_CONFIRMED_MS = 15 * 60 * 1000, /* how long a password counts as just given */
    SESSION_SECRET_BYTES = 32,
    SESSION_SECRET_SIZE = 2 * SESSION_SECRET_BYTES + 1, /* in hexadecimal, NUL */
};

/* Who asks, as guard.h found. */
struct caller {
    bool is_signed_in; /* over the socket always */
    struct account account;
    enum admin_role role; /* of administrators; of a token its maker's */
    int64_t session_id;   /* 0: by a token, or over the socket */
    uint32_t token_id;    /* 0: by no token */
    struct slice scopes;  /* the token's */
    bool is_confirmed;    /* the password was given a moment ago */
};

struct panel_session {
    struct list links;
    struct stored_session row;
    int64_t stored_seen_ms; /* what the database knows of row.seen_utc_ms */
};

/* Wrong codes of a second factor: the password was right, so nobody else is kept out by them. */
struct code_tries {
    struct list links;
    struct account account;
    unsigned n_failures;
    int64_t next_ms; /* monotonic */
};

struct access {
    struct access_book *book;
    struct list sessions; /* oldest first */
    struct list tries;
    unsigned n_sessions;
    unsigned n_changes; /* sessions ended, books taken: whoever is admitted must be asked again */
    int64_t swept_utc_ms;
    /* The first owner is made by this code: setup.h. */
    char setup_code[48];
    unsigned setup_tries;
    int64_t setup_paused_ms; /* monotonic; no try before */
};

MUST_USE int access_open(struct access *access, struct registry *registry); /* before it starts */
void access_close(struct access *access);

/* Takes the book of a request that was answered; harmless without one. */
void access_take_book(struct access *access, struct access_request *request);

/* ---- sessions ---- */

/* The session of that cookie's secret, if it is still good; it has been seen now. */
struct panel_session *access_find_session(struct webui *webui, struct slice secret);
struct panel_session *access_session(struct access *access, int64_t id); /* NULL: ended */
bool access_is_open(const struct panel_session *session);                /* not past its time */

/* Remembers a session that was stored; the oldest goes, here and in the database, when the account
 * has SESSIONS_OF_ONE or there are MOST_SESSIONS.  NULL without memory. */
struct panel_session *access_add_session(struct webui *webui, const struct stored_session *row);

/* Takes one that was stored, and nobody has yet, out of the database. */
void access_discard_session(struct webui *webui, const struct stored_session *row);

/* Ends them here and in the database; but_id 0: all of the account. */
void access_end_session(struct webui *webui, struct panel_session *session);
void access_end_sessions_of(struct webui *webui, struct account account, int64_t but_id);

/* Drops them here alone: the verb that was stored has ended them in the database. */
void access_forget_sessions_of(struct access *access, struct account account, int64_t but_id);

/* ---- accounts ---- */

/* Its name and role; false when it is gone or disabled. */
bool access_account_name(const struct webui *webui, struct account account, struct slice *name,
                         enum admin_role *role);

/* ---- tries of second factors ---- */

int64_t access_code_wait_ms(struct access *access, struct account account); /* 0: may try */
void access_code_failed(struct access *access, struct account account);
void access_code_succeeded(struct access *access, struct account account);

/* A request to the settings thread of which nobody awaits the answer.  Zeroed, `bytes` long, of a
 * struct that begins with its registry_request; NULL without memory.  Post it with
 * access_posted(webui, request, registry_…(registry, …)). */
void *access_note(struct webui *webui, size_t bytes);
void access_posted(struct webui *webui, void *request, bool is_posted);
