#include "policy/access_book.h"

#include <errno.h>
#include <stdlib.h>

#include "sql/staffetta_schema.h"

static const char *const role_names[N_ADMIN_ROLES] = {"viewer", "operator", "admin", "owner"};

const char *admin_role_name(enum admin_role role)
{
    return role_names[role];
}

bool admin_role_parse(struct slice name, enum admin_role *out)
{
    for (unsigned i = 0; i < N_ADMIN_ROLES; i++)
        if (slice_equal(name, slice_of(role_names[i]))) {
            *out = (enum admin_role)i;
            return true;
        }
    return false;
}

const char *account_kind_name(enum account_kind kind)
{
    return kind == ACCOUNT_ADMIN ? "admin" : "user";
}

/* ---- rows ---- */

static struct slice copy(struct access_book *book, struct statement *row, int column)
{
    struct slice bytes = column_blob(row, column);

    return bytes.len ? arena_copy(&book->arena, bytes) : (struct slice){"", 0};
}

static struct account account_of(struct statement *row, int column)
{
    bool is_user = slice_equal(column_text(row, column), SLICE_LITERAL("user"));

    return (struct account){is_user ? ACCOUNT_USER : ACCOUNT_ADMIN,
                            (uint32_t)column_number(row, column + 1)};
}

static void copy_digest(uint8_t out[DIGEST_BYTES], struct slice bytes)
{
    memset(out, 0, DIGEST_BYTES);
    if (bytes.len == DIGEST_BYTES)
        memcpy(out, bytes.data, DIGEST_BYTES);
}

static void read_admin(struct access_book *book, struct statement *row, struct buffer *rows)
{
    struct admin admin = {
        .id = (uint32_t)column_number(row, 0),
        .name = copy(book, row, 1),
        .hash = copy(book, row, 3),
        .is_enabled = column_number(row, 4) != 0,
        .created_utc_ms = column_number(row, 5),
        .last_login_utc_ms = column_number(row, 6),
    };

    if (!admin_role_parse(column_text(row, 2), &admin.role))
        return; /* of a newer program: it may nothing here */
    buffer_append(rows, slice_from(&admin, sizeof(admin)));
    book->n_admins++;
}

static void read_profile(struct access_book *book, struct statement *row, struct buffer *rows)
{
    struct profile profile = {
        .account = account_of(row, 0),
        .language = copy(book, row, 2),
        .theme = copy(book, row, 3),
        .secret = copy(book, row, 4),
        .has_second_factor = column_number(row, 5) != 0,
        .last_step = column_number(row, 6),
    };

    buffer_append(rows, slice_from(&profile, sizeof(profile)));
    book->n_profiles++;
}

static void read_recovery_code(struct access_book *book, struct statement *row, struct buffer *rows)
{
    struct recovery_code code = {.account = account_of(row, 0)};

    copy_digest(code.hash, column_blob(row, 2));
    buffer_append(rows, slice_from(&code, sizeof(code)));
    book->n_recovery_codes++;
}

static void read_token(struct access_book *book, struct statement *row, struct buffer *rows)
{
    struct access_token token = {
        .id = (uint32_t)column_number(row, 0),
        .name = copy(book, row, 1),
        .scopes = copy(book, row, 3),
        .networks = copy(book, row, 4),
        .by = copy(book, row, 5),
        .created_utc_ms = column_number(row, 6),
        .expires_utc_ms = column_number(row, 7),
        .last_used_utc_ms = column_number(row, 8),
    };

    copy_digest(token.hash, column_blob(row, 2));
    buffer_append(rows, slice_from(&token, sizeof(token)));
    book->n_tokens++;
}

static void read_session(struct access_book *book, struct statement *row, struct buffer *rows)
{
    struct stored_session session = {
        .id = column_number(row, 0),
        .account = account_of(row, 2),
        .created_utc_ms = column_number(row, 6),
        .seen_utc_ms = column_number(row, 7),
        .confirmed_utc_ms = column_number(row, 8),
    };

    copy_digest(session.hash, column_blob(row, 1));
    slice_copy_to(column_text(row, 4), session.address, sizeof(session.address));
    slice_copy_to(column_text(row, 5), session.agent, sizeof(session.agent));
    buffer_append(rows, slice_from(&session, sizeof(session)));
    book->n_sessions++;
}

/* ---- the whole ---- */

static const struct {
    enum staffetta_statement statement;
    void (*read)(struct access_book *book, struct statement *row, struct buffer *rows);
} steps[] = {
    {STAFFETTA_ALL_ADMINS,         read_admin        },
    {STAFFETTA_ALL_PROFILES,       read_profile      },
    {STAFFETTA_ALL_RECOVERY_CODES, read_recovery_code},
    {STAFFETTA_ALL_TOKENS,         read_token        },
    {STAFFETTA_ALL_PANEL_SESSIONS, read_session      },
};

enum { STEP_SESSIONS = 4, N_STEPS = sizeof(steps) / sizeof(steps[0]) };

static int read_all(struct access_book *book, struct db *db, size_t step)
{
    struct statement *rows = db_statement(db, steps[step].statement);
    int result;

    while ((result = statement_step(rows)) == STATEMENT_ROW)
        steps[step].read(book, rows, &book->rows[step]);
    return result < 0 ? result : buffer_error(&book->rows[step]);
}

int access_book_load(struct access_book **out, struct db *db, bool with_sessions)
{
    struct access_book *book = calloc(1, sizeof(*book));
    int error = 0;

    if (!book)
        return FAULT(-ENOMEM);
    for (size_t i = 0; error == 0 && i < N_STEPS; i++)
        if (i != STEP_SESSIONS || with_sessions)
            error = read_all(book, db, i);
    if (error < 0) {
        access_book_free(book);
        return error;
    }
    book->admins = (void *)book->rows[0].data;
    book->profiles = (void *)book->rows[1].data;
    book->recovery_codes = (void *)book->rows[2].data;
    book->tokens = (void *)book->rows[3].data;
    book->sessions = (void *)book->rows[STEP_SESSIONS].data;
    *out = book;
    return 0;
}

static void wipe(struct slice secret)
{
    if (secret.len)
        secret_wipe((void *)secret.data, secret.len);
}

struct access_book *access_book_free(struct access_book *book)
{
    if (!book)
        return NULL;
    for (uint32_t i = 0; book->admins && i < book->n_admins; i++)
        wipe(book->admins[i].hash);
    for (uint32_t i = 0; book->profiles && i < book->n_profiles; i++)
        wipe(book->profiles[i].secret);
    for (size_t i = 0; i < N_STEPS; i++)
        buffer_fini(&book->rows[i]);
    arena_reset(&book->arena);
    free(book);
    return NULL;
}

/* ---- finding ---- */

const struct admin *access_book_admin(const struct access_book *book, struct slice name)
{
    for (uint32_t i = 0; book && i < book->n_admins; i++)
        if (slice_equal_ignoring_case(book->admins[i].name, name))
            return &book->admins[i];
    return NULL;
}

const struct admin *access_book_admin_by_id(const struct access_book *book, uint32_t id)
{
    for (uint32_t i = 0; book && i < book->n_admins; i++)
        if (book->admins[i].id == id)
            return &book->admins[i];
    return NULL;
}

const struct profile *access_book_profile(const struct access_book *book, struct account account)
{
    for (uint32_t i = 0; book && i < book->n_profiles; i++)
        if (account_equal(book->profiles[i].account, account))
            return &book->profiles[i];
    return NULL;
}

const struct access_token *access_book_token(const struct access_book *book,
                                             const uint8_t hash[DIGEST_BYTES])
{
    for (uint32_t i = 0; book && i < book->n_tokens; i++)
        if (secret_equal(book->tokens[i].hash, hash, DIGEST_BYTES))
            return &book->tokens[i];
    return NULL;
}
