/* Header fields as an HTTP library hands them on (lines "name:value"): what passes has one length,
 * one host and only tokens for names, whatever stands beside; a path in percent code decodes to
 * what was encoded, and never to less than all of it.  Cookies, bearer tokens, Host and Origin say
 * one thing or nothing. */
#include "test/fuzz/fuzz.h"

#include <string.h>
#include <strings.h>

#include "relay/base/buffer.h"
#include "webui/framing.h"
#include "webui/request_fields.h"

enum { MAX_BODY = 1000 };

static void check_verdict(const struct framing *framing, unsigned n_lengths, unsigned n_codings,
                          unsigned n_hosts, size_t n_bytes)
{
    struct framing_verdict verdict = framing_judge(framing, MAX_BODY);

    PROMISE(framing->header_bytes == n_bytes);
    PROMISE(!verdict.status == !verdict.code && !verdict.status == !verdict.detail);
    if (verdict.status)
        return;
    PROMISE(n_lengths + n_codings <= 1 && n_hosts <= 1);
    PROMISE(n_bytes <= FRAMING_MAX_HEADER && framing->content_length <= MAX_BODY);
}

static bool is_blank_or_control(const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", *c))
            return true;
    return *name == '\0';
}

static void check_fields(char *text)
{
    unsigned n_lengths = 0, n_codings = 0, n_hosts = 0;
    struct framing framing = {0};
    size_t n_bytes = 0;
    char *line;

    while ((line = strsep(&text, "\n"))) {
        char *value = strchr(line, ':');

        if (value)
            *value++ = '\0';
        framing_note(&framing, line, value);
        n_bytes += strlen(line) + (value ? strlen(value) : 0);
        n_lengths += strcasecmp(line, "content-length") == 0;
        n_codings += strcasecmp(line, "transfer-encoding") == 0;
        n_hosts += strcasecmp(line, "host") == 0;
        if (is_blank_or_control(line))
            PROMISE(framing_judge(&framing, MAX_BODY).status == 400);
    }
    check_verdict(&framing, n_lengths, n_codings, n_hosts, n_bytes);
}

static void check_unescape(struct slice bytes)
{
    CLEANUP(buffer) struct buffer encoded = BUFFER_INIT;
    char *raw = slice_to_string(bytes);

    PROMISE(raw && framing_unescape(raw) <= bytes.len);
    free(raw);
    for (size_t i = 0; i < bytes.len; i++)
        buffer_printf(&encoded, "%%%02x", (unsigned)(unsigned char)bytes.data[i]);
    buffer_append_byte(&encoded, '\0');
    PROMISE(buffer_error(&encoded) == 0);
    PROMISE(framing_unescape(encoded.data) == strlen(encoded.data));
    for (size_t i = 0, at = 0; i < bytes.len; i++) {
        if (bytes.data[i] == '\0') {
            PROMISE(memcmp(encoded.data + at, "%00", 3) == 0);
            at += 3;
        } else {
            PROMISE(encoded.data[at++] == bytes.data[i]);
        }
    }
}

/* What is found lies within the field, is there once, and holds nothing that ends a value. */
static void check_secrets(struct slice field)
{
    struct slice found;

    if (cookie_find(field, "sid", &found)) {
        PROMISE(found.len && found.data >= field.data &&
                found.data + found.len <= field.data + field.len);
        PROMISE(slice_find(found, ';') < 0 && slice_find(found, ' ') < 0);
        PROMISE(memcmp(found.data - 4, "sid=", 4) == 0);
    }
    if (bearer_find(field, &found))
        PROMISE(found.len && slice_find(found, ' ') < 0 && slice_find(found, ',') < 0);
    if (host_is_ours(field, SLICE_LITERAL("relay.example")))
        PROMISE(slice_find(field, '/') < 0 && slice_find(field, '@') < 0 &&
                slice_find(field, ' ') < 0);
    if (origin_is(field, SLICE_LITERAL("relay.example:443"), true))
        PROMISE(field.len == sizeof("https://relay.example:443") - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = slice_to_string(slice_from(data, size));

    PROMISE(text);
    check_fields(text);
    check_unescape(slice_from(data, size));
    check_secrets(slice_from(data, size));
    free(text);
    return 0;
}
