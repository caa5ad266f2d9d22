/* One's own second factor: an authenticator program (RFC 6238) and ten recovery codes. */
#include <stdio.h>

#include "policy/totp.h"
#include "relay/base/clock.h"
#include "webui/registry_call.h"
#include "webui/routes.h"
#include "webui/second_factor.h"

struct totp_call {
    struct access_request access; /* first */
    uint8_t secret[TOTP_SECRET_BYTES];
    uint8_t hashes[RECOVERY_CODES][DIGEST_BYTES];
    json_t *answer;
};

static void on_stored(struct registry_request *base)
{
    struct totp_call *call = (struct totp_call *)(void *)base;
    struct exchange *exchange = registry_call_exchange(base);

    access_take_book(&exchange->webui->access, &call->access);
    secret_wipe(call->secret, sizeof(call->secret));
    if (!registry_call_went_well(base))
        json_decref(call->answer);
    else if (call->answer)
        exchange_answer(exchange, 200, call->answer);
    else
        exchange_answer(exchange, 204, NULL);
}

static struct totp_call *begin(struct exchange *exchange)
{
    struct totp_call *call;

    if (!exchange->caller.session_id) {
        exchange_problem(exchange, 422, "no_session", "There is no session.");
        return NULL;
    }
    call = registry_call_memory(exchange, sizeof(*call));
    if (!call)
        return NULL;
    registry_call_begin(exchange, &call->access.request, on_stored);
    call->access.account = exchange->caller.account;
    return call;
}

static void post(struct exchange *exchange, struct totp_call *call)
{
    if (registry_access(exchange->webui->parts.registry, ACCESS_SET_FACTOR, &call->access))
        return;
    json_decref(call->answer);
    exchange_busy(exchange);
}

static bool has_factor(const struct exchange *exchange)
{
    const struct profile *profile =
        access_book_profile(exchange->webui->access.book, exchange->caller.account);

    return profile && profile->has_second_factor;
}

/* otpauth:// as authenticator programs read it from a picture. */
static json_t *begun_json(const struct exchange *exchange, const struct totp_call *call)
{
    char base32[TOTP_BASE32_SIZE];
    CLEANUP(buffer) struct buffer url = BUFFER_INIT;
    json_t *body;

    totp_base32(call->secret, base32);
    buffer_append_text(&url, "otpauth://totp/Staffetta:");
    for (const char *c = exchange->by; *c; c++)
        buffer_printf(&url, "%%%02X", (unsigned)(unsigned char)*c);
    buffer_printf(&url, "?secret=%s&issuer=Staffetta", base32);
    body = json_pack("{s:s, s:o}", "secret", base32, "url", json_slice(buffer_slice(&url)));
    secret_wipe(base32, sizeof(base32));
    if (url.data)
        secret_wipe(url.data, url.capacity);
    return body;
}

void api_totp_begin(struct exchange *exchange)
{
    struct totp_call *call;

    if (has_factor(exchange)) {
        exchange_problem(exchange, 409, "exists", "Take the second factor away first.");
        return;
    }
    call = begin(exchange);
    if (!call)
        return;
    random_bytes(call->secret, sizeof(call->secret));
    call->access.secret = slice_from(call->secret, sizeof(call->secret));
    call->answer = begun_json(exchange, call);
    post(exchange, call);
}

static json_t *make_codes(struct totp_call *call)
{
    json_t *codes = json_array();

    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        char code[RECOVERY_CODE_SIZE];

        recovery_code_make(code, call->hashes[i]);
        json_array_append_new(codes, json_string(code));
        secret_wipe(code, sizeof(code));
    }
    return json_pack("{s:o}", "recovery_codes", codes);
}

void api_totp_enable(struct exchange *exchange)
{
    const char *code = exchange_expect_text(exchange, "code");
    struct totp_call *call = code ? begin(exchange) : NULL;
    const struct profile *profile =
        access_book_profile(exchange->webui->access.book, exchange->caller.account);

    if (!call)
        return;
    if (!profile || !profile->secret.len || profile->has_second_factor) {
        exchange_problem(exchange, 409, "not_begun", "Begin with a new secret first.");
        return;
    }
    if (!totp_check(profile->secret, slice_of(code), clock_utc_ms(), 0, &call->access.step)) {
        exchange_problem(exchange, 422, "wrong_code",
                         "This code is wrong: are the clocks of both right?");
        return;
    }
    memcpy(call->secret, profile->secret.data, sizeof(call->secret));
    call->access.secret = slice_from(call->secret, sizeof(call->secret));
    call->access.is_on = true;
    call->access.codes = slice_from(call->hashes, sizeof(call->hashes));
    call->answer = make_codes(call);
    post(exchange, call);
}

void api_totp_disable(struct exchange *exchange)
{
    struct totp_call *call;

    if (!has_factor(exchange)) {
        exchange_problem(exchange, 409, "no_factor", "There is no second factor to take away.");
        return;
    }
    call = begin(exchange);
    if (call)
        post(exchange, call); /* no secret: none from now on */
}
