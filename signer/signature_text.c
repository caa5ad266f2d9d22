#include "signer/signature_text.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 78 }; /* RFC 5322, 2.1.1 */

static size_t column_of(const struct buffer *out)
{
    ptrdiff_t line = slice_find_last(buffer_slice(out), '\n');

    return out->len - (size_t)(line + 1);
}

/* A tag, after a space or on a line of its own. */
static void put_tag(struct buffer *out, const char *tag)
{
    bool fits = column_of(out) + 1 + strlen(tag) <= LINE_MAX_BYTES;

    buffer_append_text(out, fits ? " " : "\r\n\t");
    buffer_append_text(out, tag);
}

/* What may not have a space in front: a name in h=, followed by its colon or semicolon. */
static void put_piece(struct buffer *out, const char *piece, char end)
{
    if (column_of(out) + strlen(piece) + 1 > LINE_MAX_BYTES)
        buffer_append_text(out, "\r\n\t");
    buffer_append_text(out, piece);
    buffer_append_byte(out, end);
}

static void put_text_tag(struct buffer *out, const char *name, const char *value)
{
    char tag[320];

    snprintf(tag, sizeof(tag), "%s=%s;", name, value);
    put_tag(out, tag);
}

static void put_time_tag(struct buffer *out, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    put_text_tag(out, name, text);
}

static void put_names(struct buffer *out, const struct signed_headers *headers)
{
    buffer_append_text(out, "\r\n\th=");
    for (unsigned i = 0; i < headers->n_names; i++)
        put_piece(out, signed_names[headers->names[i]].name, i + 1 < headers->n_names ? ':' : ';');
}

void signature_text_begin(struct buffer *out, const struct signature_fields *fields)
{
    buffer_append_text(out, "DKIM-Signature: v=1;");
    put_text_tag(out, "a", fields->algorithm);
    put_tag(out, "c=relaxed/relaxed;");
    put_text_tag(out, "d", fields->domain);
    put_text_tag(out, "s", fields->selector);
    put_time_tag(out, "t", fields->now_s);
    if (fields->life_s)
        put_time_tag(out, "x", fields->now_s + fields->life_s);
    put_names(out, fields->headers);
    buffer_append_text(out, "\r\n\tbh=");
    buffer_append_text(out, fields->digest);
    buffer_append_text(out, ";\r\n\tb=");
}

void signature_text_end(struct buffer *out, const char *signature)
{
    struct slice rest = slice_of(signature);
    size_t room = LINE_MAX_BYTES - column_of(out);

    while (rest.len) {
        struct slice part = slice_head(rest, room);

        buffer_append(out, part);
        rest = slice_skip(rest, part.len);
        if (rest.len)
            buffer_append_text(out, "\r\n\t");
        room = LINE_MAX_BYTES - 1;
    }
    buffer_append_text(out, "\r\n");
}
