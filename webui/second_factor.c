#include "webui/second_factor.h"

#include "policy/password.h"
#include "policy/totp.h"
#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "webui/registry_call.h"

enum { RECOVERY_LETTERS = 12, RECOVERY_GROUP = 4 };

struct factor_call {
    struct access_request access; /* first */
    void *owner;
    void (*then)(struct exchange *exchange, void *owner);
    uint8_t hash[DIGEST_BYTES];
};

void answer_too_many_tries(struct exchange *exchange, int64_t wait_ms)
{
    unsigned seconds = (unsigned)((wait_ms + 999) / 1000);

    exchange->retry_after_s = seconds ? seconds : 1;
    exchange_problem_with(exchange, 429, "too_many_tries", "Too many tries: wait a little.",
                          json_pack("{s:i}", "seconds", (int)exchange->retry_after_s));
}

static void refuse_code(struct exchange *exchange, struct account account)
{
    struct slice user = slice_of(exchange->by);
    enum admin_role role;

    /* Who signs in is nobody yet: exchange->by knows no name. */
    (void)access_account_name(exchange->webui, account, &user, &role);
    access_code_failed(&exchange->webui->access, account);
    EVENT(EVENT_PANEL_LOGIN_FAILED, field_slice("user", user), field_text("client", exchange->from),
          field_text("reason", "code"));
    exchange_problem(exchange, 401, "wrong_code", "This code is wrong, or was used already.");
}

static void on_used(struct registry_request *request)
{
    struct factor_call *call = (struct factor_call *)(void *)request;
    struct exchange *exchange = registry_call_exchange(request);
    struct account account = call->access.account;

    access_take_book(&exchange->webui->access, &call->access);
    if (request->result == REGISTRY_EXISTS || request->result == REGISTRY_NOT_FOUND) {
        refuse_code(exchange, account);
    } else if (registry_call_went_well(request)) {
        access_code_succeeded(&exchange->webui->access, account);
        call->then(exchange, call->owner);
    }
}

/* Lower-case letters and digits of what was typed; the length. */
static size_t normalize(struct slice code, char out[RECOVERY_LETTERS])
{
    size_t n = 0;

    for (size_t i = 0; i < code.len; i++) {
        char c = ascii_lower(code.data[i]);

        if (c == '-' || c == ' ')
            continue;
        if (n == RECOVERY_LETTERS)
            return 0;
        out[n++] = c;
    }
    return n;
}

static void use_step(struct exchange *exchange, struct factor_call *call, int64_t step)
{
    call->access.step = step;
    if (!registry_access(exchange->webui->parts.registry, ACCESS_USE_STEP, &call->access))
        exchange_busy(exchange);
}

static void use_recovery(struct exchange *exchange, struct factor_call *call, struct slice letters)
{
    plain_digest(call->hash, letters);
    call->access.hash = slice_from(call->hash, sizeof(call->hash));
    if (!registry_access(exchange->webui->parts.registry, ACCESS_USE_CODE, &call->access))
        exchange_busy(exchange);
}

static void check(struct exchange *exchange, const struct profile *profile, struct slice code,
                  struct factor_call *call)
{
    char letters[RECOVERY_LETTERS];
    size_t n = normalize(code, letters);
    int64_t step;

    if (totp_check(profile->secret, slice_from(letters, n), clock_utc_ms(), profile->last_step,
                   &step))
        use_step(exchange, call, step);
    else if (n == RECOVERY_LETTERS)
        use_recovery(exchange, call, slice_from(letters, n));
    else
        refuse_code(exchange, profile->account);
}

void second_factor_check(struct exchange *exchange, struct account account, struct slice code,
                         void *owner, void (*then)(struct exchange *exchange, void *owner))
{
    struct access *access = &exchange->webui->access;
    const struct profile *profile = access_book_profile(access->book, account);
    int64_t wait_ms = access_code_wait_ms(access, account);
    struct factor_call *call;

    if (!profile || !profile->has_second_factor) {
        then(exchange, owner);
        return;
    }
    if (!code.len) {
        exchange_problem(exchange, 401, "second_factor_needed",
                         "Give the code of your authenticator program, or a recovery code.");
        return;
    }
    if (wait_ms) {
        answer_too_many_tries(exchange, wait_ms);
        return;
    }
    call = registry_call_memory(exchange, sizeof(*call));
    if (!call)
        return;
    registry_call_begin(exchange, &call->access.request, on_used);
    call->access.account = account;
    call->owner = owner;
    call->then = then;
    check(exchange, profile, code, call);
}

void recovery_code_make(char out[RECOVERY_CODE_SIZE], uint8_t hash[DIGEST_BYTES])
{
    char password[GENERATED_PASSWORD_SIZE], letters[RECOVERY_LETTERS];
    size_t at = 0, n = 0;

    password_generate(password);
    for (size_t i = 0; password[i] && n < RECOVERY_LETTERS; i++)
        if (password[i] != '-')
            letters[n++] = password[i];
    plain_digest(hash, slice_from(letters, n));
    for (size_t i = 0; i < n; i++) {
        if (i && i % RECOVERY_GROUP == 0)
            out[at++] = '-';
        out[at++] = letters[i];
    }
    out[at] = '\0';
    secret_wipe(password, sizeof(password));
    secret_wipe(letters, sizeof(letters));
}
