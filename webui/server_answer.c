#include "webui/server_answer.h"

#include <stdio.h>

#include "relay/base/secret.h"
#include "webui/assets.h"
#include "webui/request_fields.h"

/* On everything: what is no page has then nothing to run either. */
static const char content_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    if (value && *value)
        MHD_add_response_header(response, name, value);
}

static void add_guards(struct MHD_Response *response)
{
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Content-Security-Policy", content_policy);
    add(response, "Referrer-Policy", "no-referrer");
    add(response, "Cross-Origin-Opener-Policy", "same-origin");
    add(response, "Cross-Origin-Resource-Policy", "same-origin");
    add(response, "X-Frame-Options", "DENY");
    add(response, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
}

static bool takes_gzip(const struct exchange *exchange)
{
    const char *accepted = exchange->fields.accept_encoding;

    return gzip_is_accepted(slice_of(accepted ? accepted : ""));
}

static void add_caching(const struct exchange *exchange, struct MHD_Response *response)
{
    const struct asset *asset = exchange->asset;

    if (!asset) {
        add(response, "Cache-Control", "no-store");
        add(response, "ETag", exchange->etag);
        return;
    }
    add(response, "Cache-Control",
        asset->is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
    add(response, "Vary", "Accept-Encoding");
    if (!takes_gzip(exchange))
        return; /* the tag is the gzipped file's */
    add(response, "ETag", asset->etag);
    if (exchange->status == 200)
        add(response, "Content-Encoding", "gzip");
}

void server_add_headers(const struct exchange *exchange, struct MHD_Response *response)
{
    char seconds[16];

    if (exchange->text || exchange->asset)
        add(response, "Content-Type", exchange->content_type);
    add_guards(response);
    add_caching(exchange, response);
    add(response, "Allow", exchange->allow);
    add(response, "Set-Cookie", exchange->set_cookie);
    if (exchange->status == 401)
        add(response, "WWW-Authenticate", "Bearer");
    if (exchange->retry_after_s) {
        (void)snprintf(seconds, sizeof(seconds), "%u", exchange->retry_after_s);
        add(response, "Retry-After", seconds);
    }
    if (exchange->status >= 400)
        add(response, "Connection", "close");
}

static struct MHD_Response *make_unpacked(const struct exchange *exchange)
{
    struct slice text = unpacked_find(&exchange->webui->unpacked, exchange->asset);

    return text.data ? MHD_create_response_from_buffer(text.len, (void *)text.data,
                                                       MHD_RESPMEM_PERSISTENT)
                     : NULL;
}

/* The text, which may hold a password that was made, is the library's until it has left. */
static struct MHD_Response *make_response(struct exchange *exchange)
{
    const struct asset *asset = exchange->asset;
    struct MHD_Response *response;

    if (asset) {
        size_t len = exchange->status == 200 ? asset->len : 0;

        if (len && !takes_gzip(exchange))
            return make_unpacked(exchange);
        return MHD_create_response_from_buffer(len, (void *)asset->gz, MHD_RESPMEM_PERSISTENT);
    }
    response = MHD_create_response_from_buffer_with_free_callback(exchange->text_len,
                                                                  exchange->text, secret_free);
    return response;
}

enum MHD_Result server_send(struct exchange *exchange)
{
    struct MHD_Response *response = make_response(exchange);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    server_add_headers(exchange, response);
    exchange->text = NULL;
    result = MHD_queue_response(exchange->connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}
