#include "webui/framing.h"

#include <string.h>
#include <strings.h>

#include "relay/base/slice.h"

/* RFC 9110 5.6.2.  A blank before the colon, or a field name with one inside, is how two programs
 * come to see two different requests. */
static bool is_token(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              strchr(marks, *c)))
            return false;
    return *name != '\0';
}

void framing_note(struct framing *framing, const char *name, const char *value)
{
    const char *text = value ? value : "";

    framing->header_bytes += strlen(name) + strlen(text);
    framing->is_malformed |= !is_token(name);
    framing->n_host += strcasecmp(name, "Host") == 0;
    framing->n_authorization += strcasecmp(name, "Authorization") == 0;
    if (strcasecmp(name, "Content-Length") == 0) {
        framing->n_content_length++;
        framing->is_malformed |=
            !slice_to_number(slice_of(text), UINT64_MAX, &framing->content_length);
    }
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->n_transfer_encoding++;
        framing->is_malformed |= strcasecmp(text, "chunked") != 0;
    }
    /* A compressed body could grow a thousandfold. */
    framing->is_malformed |= strcasecmp(name, "Content-Encoding") == 0;
}

struct framing_verdict framing_judge(const struct framing *framing, uint64_t max_body)
{
    if (framing->is_malformed || framing->n_content_length + framing->n_transfer_encoding > 1 ||
        framing->n_host > 1 || framing->n_authorization > 1)
        return (struct framing_verdict){400, "bad_framing",
                                        "Repeated, contradicting or malformed header fields."};
    if (framing->header_bytes > FRAMING_MAX_HEADER)
        return (struct framing_verdict){431, "header_too_large", "The header is above 8 KiB."};
    if (framing->content_length > max_body)
        return (struct framing_verdict){413, "too_large", "The body is above 1 MiB."};
    return (struct framing_verdict){0};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t framing_unescape(char *text)
{
    char *out = text;

    for (const char *in = text; *in;) {
        int high = in[0] == '%' ? hex_digit(in[1]) : -1;
        int low = high >= 0 ? hex_digit(in[2]) : -1;

        if (low >= 0 && high + low > 0) {
            *out++ = (char)(high * 16 + low);
            in += 3;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}
