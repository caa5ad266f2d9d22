#include "webui/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/password.h"
#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "webui/password_call.h"
#include "webui/preseed.h"
#include "webui/registry_call.h"
#include "webui/routes.h"
#include "webui/second_factor.h"
#include "webui/sign_in.h"
#include "webui/webui_private.h"

enum { GROUPS = 8, GROUP = 4, MOST_TRIES = 5, PAUSE_MS = 10 * 60 * 1000, PATH_SIZE = 4096 };

static bool has_admin(const struct webui *webui)
{
    return webui->access.book && webui->access.book->n_admins > 0;
}

/* ---- the code ---- */

static void make_code(char out[sizeof(((struct access *)0)->setup_code)])
{
    char letters[2][GENERATED_PASSWORD_SIZE];
    size_t at = 0;

    password_generate(letters[0]);
    password_generate(letters[1]);
    for (size_t i = 0; i < (size_t)GROUPS * GROUP; i++) {
        if (i && i % GROUP == 0)
            out[at++] = '-';
        out[at++] = letters[i % 2][i / 2];
    }
    out[at] = '\0';
    secret_wipe(letters, sizeof(letters));
}

static void path_of(const struct webui *webui, char out[PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "%s/setup-code", webui->parts.settings->run_dir);
}

static void write_file(const struct webui *webui, const char *path)
{
    CLEANUP(close_fd) int fd = -1;

    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || dprintf(fd, "%s\n", webui->access.setup_code) < 0)
        (void)FAULT(-errno); /* the log has it too */
}

void setup_make_code(struct webui *webui)
{
    char path[PATH_SIZE];

    make_code(webui->access.setup_code);
    path_of(webui, path);
    write_file(webui, path);
    EVENT(EVENT_SETUP_CODE, field_text("code", webui->access.setup_code), field_text("file", path));
}

void setup_begin(struct webui *webui)
{
    if (!has_admin(webui) && webui->parts.settings && !preseed_begin(webui))
        setup_make_code(webui);
}

static void forget_code(struct webui *webui)
{
    char path[PATH_SIZE];

    path_of(webui, path);
    (void)unlink(path);
    secret_wipe(webui->access.setup_code, sizeof(webui->access.setup_code));
}

/* Blanks, dashes and capitals are as people type them. */
static bool is_the_code(const struct access *access, struct slice typed)
{
    char given[GROUPS * GROUP] = {0}, wanted[GROUPS * GROUP] = {0};
    size_t n_given = 0, n_wanted = 0;

    for (size_t i = 0; i < typed.len; i++)
        if (typed.data[i] != '-' && typed.data[i] != ' ') {
            if (n_given == sizeof(given))
                return false;
            given[n_given++] = ascii_lower(typed.data[i]);
        }
    for (const char *c = access->setup_code; *c; c++)
        if (*c != '-' && n_wanted < sizeof(wanted))
            wanted[n_wanted++] = *c;
    return n_wanted == sizeof(wanted) && n_given == n_wanted &&
           secret_equal(given, wanted, sizeof(given));
}

/* ---- the routes ---- */

static bool expect_none(struct exchange *exchange)
{
    if (!has_admin(exchange->webui))
        return true;
    exchange_problem(exchange, 410, "has_admin", "This service has an administrator already.");
    return false;
}

void api_setup_show(struct exchange *exchange)
{
    if (expect_none(exchange))
        exchange_answer(exchange, 200, json_pack("{s:b, s:b}", "code_needed", 1, "has_admin", 0));
}

/* `staffetta admin setup-code`: who may use the socket may make the owner. */
void api_setup_code(struct exchange *exchange)
{
    struct access *access = &exchange->webui->access;

    if (!expect_none(exchange))
        return;
    if (!*access->setup_code)
        setup_make_code(exchange->webui);
    exchange_answer(exchange, 200, json_pack("{s:s}", "code", access->setup_code));
}

/* False after answering: wrong, or too often wrong. */
static bool judge_code(struct exchange *exchange, const char *code)
{
    struct access *access = &exchange->webui->access;
    int64_t now_ms = clock_monotonic_ms();

    if (access->setup_paused_ms > now_ms) {
        answer_too_many_tries(exchange, access->setup_paused_ms - now_ms);
        return false;
    }
    if (is_the_code(access, slice_of(code)))
        return true;
    EVENT(EVENT_PANEL_LOGIN_FAILED, field_text("user", "setup"),
          field_text("client", exchange->from), field_text("reason", "setup code"));
    if (++access->setup_tries >= MOST_TRIES) {
        access->setup_tries = 0;
        access->setup_paused_ms = now_ms + PAUSE_MS;
    }
    exchange_problem_with(
        exchange, 403, "wrong_code", "This is not the code of the log.",
        json_pack("{s:i}", "tries_left",
                  access->setup_paused_ms > now_ms ? 0 : (int)(MOST_TRIES - access->setup_tries)));
    return false;
}

static void on_language(struct registry_request *base)
{
    struct access_request *request = (struct access_request *)(void *)base;
    struct exchange *exchange = registry_call_exchange(base);

    access_take_book(&exchange->webui->access, request);
    /* A language that was not kept can be chosen again. */
    sign_in_finish(exchange, request->account, (struct slice){NULL, 0});
}

static void on_made(struct registry_request *base)
{
    struct access_request *request = (struct access_request *)(void *)base;
    struct exchange *exchange = registry_call_exchange(base);
    const struct admin *admin;

    access_take_book(&exchange->webui->access, request);
    if (!registry_call_went_well(base))
        return;
    forget_code(exchange->webui);
    admin = access_book_admin(exchange->webui->access.book, request->name);
    (void)snprintf(exchange->by, sizeof(exchange->by), "%.*s", (int)request->name.len,
                   request->name.data);
    request->account = (struct account){ACCOUNT_ADMIN, admin ? admin->id : 0};
    base->done = on_language;
    if (!registry_access(exchange->webui->parts.registry, ACCESS_SET_PREFERENCES, request))
        sign_in_finish(exchange, request->account, (struct slice){NULL, 0});
}

static void on_hashed(struct password_call *call)
{
    struct access_request *request = call->owner;
    struct exchange *exchange = call->exchange;

    request->hash = arena_copy(&exchange->arena, slice_of(call->hash));
    if (!registry_access(exchange->webui->parts.registry, ACCESS_FIRST_ADMIN, request))
        exchange_busy(exchange);
}

void api_setup(struct exchange *exchange)
{
    const char *code = expect_none(exchange) ? exchange_expect_text(exchange, "code") : NULL;
    const char *user = code ? exchange_expect_text(exchange, "user") : NULL;
    const char *password = user ? exchange_expect_text(exchange, "password") : NULL;
    const char *language = exchange_text(exchange, "language");
    struct access_request *request;

    if (!password || !judge_code(exchange, code))
        return;
    request = registry_call_memory(exchange, sizeof(*request));
    if (!request)
        return;
    (void)snprintf(exchange->by, sizeof(exchange->by), "setup");
    registry_call_begin(exchange, &request->request, on_made);
    request->name = slice_of(user);
    request->language = slice_of(language && strcmp(language, "it") == 0 ? "it" : "en");
    request->theme = slice_of("");
    password_call_start(exchange, slice_of(password), request->name, request, on_hashed);
}
