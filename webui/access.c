#include "webui/access.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "webui/webui_private.h"

enum {
    SEEN_EVERY_MS = 5 * 60 * 1000, /* what a restart may forget of a session's last use */
    SWEEP_EVERY_MS = 3600 * 1000,
    FREE_CODES = 3,
    LONGEST_CODE_WAIT_MS = 15 * 60 * 1000,
    MOST_TRIES = 1000,
};

/* ---- requests that nobody waits for ---- */

struct note {
    struct webui *webui;
    _Alignas(16) char request[];
};

static struct note *note_of(void *request)
{
    return (struct note *)(void *)((char *)request - offsetof(struct note, request));
}

static void note_done(struct registry_request *request)
{
    struct note *note = note_of(request);

    note->webui->n_waiting--;
    free(note);
}

void *access_note(struct webui *webui, size_t bytes)
{
    struct note *note = calloc(1, sizeof(*note) + bytes);
    struct registry_request *request;

    if (!note)
        return NULL;
    note->webui = webui;
    request = (struct registry_request *)(void *)note->request;
    request->answer_to = webui->mailbox;
    request->done = note_done;
    request->by = SLICE_LITERAL("panel");
    return note->request;
}

void access_posted(struct webui *webui, void *request, bool is_posted)
{
    if (is_posted)
        webui->n_waiting++;
    else
        free(note_of(request));
}

static void note_session(struct webui *webui, enum session_verb verb,
                         const struct stored_session *row)
{
    struct session_request *request = access_note(webui, sizeof(*request));

    if (!request)
        return;
    request->row = *row;
    access_posted(webui, request, registry_session(webui->parts.registry, verb, request));
}

/* ---- the book ---- */

static struct panel_session *remember(struct access *access, const struct stored_session *row)
{
    struct panel_session *session = calloc(1, sizeof(*session));

    if (!session)
        return NULL;
    session->row = *row;
    session->stored_seen_ms = row->seen_utc_ms;
    list_append(&access->sessions, &session->links);
    access->n_sessions++;
    return session;
}

int access_open(struct access *access, struct registry *registry)
{
    int error;

    list_init(&access->sessions);
    list_init(&access->tries);
    error = registry_load_access(registry, &access->book);
    for (uint32_t i = 0; error == 0 && i < access->book->n_sessions; i++)
        if (!remember(access, &access->book->sessions[i]))
            error = FAULT(-ENOMEM);
    return error;
}

static void drop(struct access *access, struct panel_session *session)
{
    list_remove(&session->links);
    access->n_sessions--;
    access->n_changes++;
    secret_wipe(session, sizeof(*session));
    free(session);
}

void access_close(struct access *access)
{
    struct list *links;

    while (access->sessions.next && (links = list_take_first(&access->sessions)))
        free(CONTAINER_OF(links, struct panel_session, links));
    while (access->tries.next && (links = list_take_first(&access->tries)))
        free(CONTAINER_OF(links, struct code_tries, links));
    access->book = access_book_free(access->book);
    secret_wipe(access->setup_code, sizeof(access->setup_code));
}

void access_take_book(struct access *access, struct access_request *request)
{
    if (request->book && request->request.result == REGISTRY_OK) {
        access_book_free(access->book);
        access->book = request->book;
        access->n_changes++;
    } else {
        access_book_free(request->book);
    }
    request->book = NULL;
}

/* ---- sessions ---- */

static bool is_past(const struct stored_session *row, int64_t now_ms)
{
    return now_ms - row->seen_utc_ms >= SESSION_IDLE_MS ||
           now_ms - row->created_utc_ms >= SESSION_LONGEST_MS;
}

bool access_is_open(const struct panel_session *session)
{
    return !is_past(&session->row, clock_utc_ms());
}

/* Now and then, for those that nobody asks for any more. */
static void sweep(struct webui *webui, int64_t now_ms)
{
    struct stored_session past = {.seen_utc_ms = now_ms - SESSION_IDLE_MS,
                                  .created_utc_ms = now_ms - SESSION_LONGEST_MS};

    if (now_ms - webui->access.swept_utc_ms < SWEEP_EVERY_MS)
        return;
    webui->access.swept_utc_ms = now_ms;
    LIST_FOR_EACH(links, &webui->access.sessions)
    {
        struct panel_session *session = CONTAINER_OF(links, struct panel_session, links);

        if (is_past(&session->row, now_ms))
            drop(&webui->access, session);
    }
    note_session(webui, SESSION_DELETE_PAST, &past);
}

static struct panel_session *find_hash(struct access *access, const uint8_t hash[DIGEST_BYTES])
{
    LIST_FOR_EACH(links, &access->sessions)
    {
        struct panel_session *session = CONTAINER_OF(links, struct panel_session, links);

        if (secret_equal(session->row.hash, hash, DIGEST_BYTES))
            return session;
    }
    return NULL;
}

struct panel_session *access_find_session(struct webui *webui, struct slice secret)
{
    int64_t now_ms = clock_utc_ms();
    struct panel_session *session;
    uint8_t hash[DIGEST_BYTES];

    if (secret.len != SESSION_SECRET_SIZE - 1)
        return NULL;
    plain_digest(hash, secret);
    sweep(webui, now_ms);
    session = find_hash(&webui->access, hash);
    if (!session)
        return NULL;
    if (is_past(&session->row, now_ms)) {
        access_end_session(webui, session);
        return NULL;
    }
    session->row.seen_utc_ms = now_ms;
    if (now_ms - session->stored_seen_ms >= SEEN_EVERY_MS) {
        session->stored_seen_ms = now_ms;
        note_session(webui, SESSION_SEE, &session->row);
    }
    return session;
}

struct panel_session *access_session(struct access *access, int64_t id)
{
    LIST_FOR_EACH(links, &access->sessions)
    {
        struct panel_session *session = CONTAINER_OF(links, struct panel_session, links);

        if (session->row.id == id)
            return session;
    }
    return NULL;
}

/* The least recently made of the account, when it has as many as it may. */
static void make_room(struct webui *webui, struct account account)
{
    struct access *access = &webui->access;
    struct panel_session *oldest = NULL;
    unsigned n = 0;

    LIST_FOR_EACH(links, &access->sessions)
    {
        struct panel_session *session = CONTAINER_OF(links, struct panel_session, links);

        if (!account_equal(session->row.account, account))
            continue;
        if (!n++)
            oldest = session;
    }
    if (n >= SESSIONS_OF_ONE)
        access_end_session(webui, oldest);
    else if (access->n_sessions >= MOST_SESSIONS)
        access_end_session(webui, CONTAINER_OF(access->sessions.next, struct panel_session, links));
}

struct panel_session *access_add_session(struct webui *webui, const struct stored_session *row)
{
    make_room(webui, row->account);
    return remember(&webui->access, row);
}

void access_discard_session(struct webui *webui, const struct stored_session *row)
{
    note_session(webui, SESSION_DELETE, row);
}

void access_end_session(struct webui *webui, struct panel_session *session)
{
    note_session(webui, SESSION_DELETE, &session->row);
    drop(&webui->access, session);
}

void access_forget_sessions_of(struct access *access, struct account account, int64_t but_id)
{
    LIST_FOR_EACH(links, &access->sessions)
    {
        struct panel_session *session = CONTAINER_OF(links, struct panel_session, links);

        if (account_equal(session->row.account, account) && session->row.id != but_id)
            drop(access, session);
    }
}

void access_end_sessions_of(struct webui *webui, struct account account, int64_t but_id)
{
    struct stored_session row = {.id = but_id, .account = account};

    note_session(webui, SESSION_DELETE_OTHERS, &row);
    access_forget_sessions_of(&webui->access, account, but_id);
}

/* ---- accounts ---- */

bool access_account_name(const struct webui *webui, struct account account, struct slice *name,
                         enum admin_role *role)
{
    const struct admin *admin;
    const struct user *user;

    if (account.kind == ACCOUNT_ADMIN) {
        admin = access_book_admin_by_id(webui->access.book, account.id);
        if (!admin || !admin->is_enabled)
            return false;
        *name = admin->name;
        *role = admin->role;
        return true;
    }
    user = webui->directory ? directory_user_by_id(webui->directory, account.id) : NULL;
    if (!user || !user->is_enabled)
        return false;
    *name = user->name;
    return true;
}

/* ---- tries of second factors ---- */

static struct code_tries *find_tries(struct access *access, struct account account)
{
    LIST_FOR_EACH(links, &access->tries)
    {
        struct code_tries *tries = CONTAINER_OF(links, struct code_tries, links);

        if (account_equal(tries->account, account))
            return tries;
    }
    return NULL;
}

int64_t access_code_wait_ms(struct access *access, struct account account)
{
    const struct code_tries *tries = find_tries(access, account);
    int64_t wait_ms = tries ? tries->next_ms - clock_monotonic_ms() : 0;

    return wait_ms > 0 ? wait_ms : 0;
}

static struct code_tries *new_tries(struct access *access, struct account account)
{
    struct code_tries *tries = calloc(1, sizeof(*tries));
    unsigned n = 0;

    if (!tries)
        return NULL;
    LIST_FOR_EACH(links, &access->tries)
    {
        n++;
    }
    if (n >= MOST_TRIES)
        free(CONTAINER_OF(list_take_first(&access->tries), struct code_tries, links));
    tries->account = account;
    list_append(&access->tries, &tries->links);
    return tries;
}

void access_code_failed(struct access *access, struct account account)
{
    struct code_tries *tries = find_tries(access, account);
    int64_t wait_ms = 1000;

    if (!tries)
        tries = new_tries(access, account);
    if (!tries || ++tries->n_failures < FREE_CODES)
        return;
    for (unsigned i = FREE_CODES; i < tries->n_failures && wait_ms < LONGEST_CODE_WAIT_MS; i++)
        wait_ms *= 2;
    tries->next_ms = clock_monotonic_ms() + wait_ms;
}

void access_code_succeeded(struct access *access, struct account account)
{
    struct code_tries *tries = find_tries(access, account);

    if (!tries)
        return;
    list_remove(&tries->links);
    free(tries);
}
