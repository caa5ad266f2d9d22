#include "signer/canonical.h"

#include <errno.h>

#include "relay/base/octets.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Bytes of the first line with its continuations, CRLF included. */
static size_t field_length(struct slice block)
{
    size_t len = 0;

    do {
        ptrdiff_t end = slice_search(slice_skip(block, len), SLICE_LITERAL("\r\n"));

        if (end < 0)
            return block.len;
        len += (size_t)end + 2;
    } while (len < block.len && is_blank(block.data[len]));
    return len;
}

static void split_field(struct slice text, struct dkim_field *out)
{
    ptrdiff_t colon = slice_find(text, ':');

    *out = (struct dkim_field){.name = slice_head(text, 0), .value = text};
    if (colon < 0)
        return;
    out->name = slice_head(text, (size_t)colon);
    while (out->name.len && is_blank(out->name.data[out->name.len - 1]))
        out->name.len--; /* RFC 5322 4.5.3: obs-optional, blanks before the colon */
    out->value = slice_skip(text, (size_t)colon + 1);
}

bool dkim_field_next(struct slice *rest, struct dkim_field *out)
{
    size_t len;
    struct slice text;

    if (rest->len == 0 || slice_starts_with(*rest, SLICE_LITERAL("\r\n")))
        return false;
    len = field_length(*rest);
    text = slice_head(*rest, len);
    if (text.len >= 2 && memcmp(text.data + text.len - 2, "\r\n", 2) == 0)
        text.len -= 2;
    *rest = slice_skip(*rest, len);
    split_field(text, out);
    return true;
}

void canonical_header(struct buffer *out, const struct dkim_field *field)
{
    bool has_blank = false, has_content = false;

    if (buffer_reserve(out, field->name.len + 1 + field->value.len)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < field->name.len; i++)
        out->data[out->len++] = ascii_lower(field->name.data[i]);
    out->data[out->len++] = ':';
    for (size_t i = 0; i < field->value.len; i++) {
        char c = field->value.data[i];

        if (is_blank(c) || c == '\r' || c == '\n') { /* unfolded as it is read */
            has_blank = has_content;
            continue;
        }
        if (has_blank)
            out->data[out->len++] = ' ';
        out->data[out->len++] = c;
        has_blank = false;
        has_content = true;
    }
}

ptrdiff_t dkim_header_end(struct slice bytes)
{
    const char *end;

    if (slice_starts_with(bytes, SLICE_LITERAL("\r\n")))
        return 2;
    end = bytes.len ? memmem(bytes.data, bytes.len, "\r\n\r\n", 4) : NULL;
    return end ? end + 4 - bytes.data : -1;
}

void canonical_body_init(struct canonical_body *body, EVP_MD_CTX *digest)
{
    body->digest = digest;
    body->n_line_ends = 0;
    body->has_blank = body->has_cr = body->has_output = body->failed = false;
    body->used = 0;
}

static void flush(struct canonical_body *body)
{
    if (body->used && EVP_DigestUpdate(body->digest, body->output, body->used) != 1)
        body->failed = true;
    body->used = 0;
}

static void put(struct canonical_body *body, struct slice bytes)
{
    if (bytes.len >= CANONICAL_OUTPUT_BYTES / 2) { /* worth no copy */
        flush(body);
        if (EVP_DigestUpdate(body->digest, bytes.data, bytes.len) != 1)
            body->failed = true;
        return;
    }
    while (bytes.len) {
        struct slice part = slice_head(bytes, CANONICAL_OUTPUT_BYTES - body->used);

        memcpy(body->output + body->used, part.data, part.len);
        body->used += part.len;
        bytes = slice_skip(bytes, part.len);
        if (body->used == CANONICAL_OUTPUT_BYTES)
            flush(body);
    }
}

/* Octets that stay, so everything held back before them does too. */
static void put_content(struct canonical_body *body, struct slice bytes)
{
    for (; body->n_line_ends; body->n_line_ends--)
        put(body, SLICE_LITERAL("\r\n"));
    if (body->has_blank)
        put(body, SLICE_LITERAL(" "));
    put(body, bytes);
    body->has_blank = false;
    body->has_output = true;
}

/* Whether the eight octets at data are plain, seen together with the ninth. */
static bool is_plain_word(const char *data)
{
    uint64_t word = octets_load(data), next = octets_load(data + 1);

    return !(octets_equal(word, '\r') | octets_equal(word, '\t') |
             (octets_equal(word, ' ') &
              (octets_equal(next, ' ') | octets_equal(next, '\t') | octets_equal(next, '\r'))));
}

static bool is_plain_vector(const char *data)
{
    octets_vector here = octets_load_vector(data), next = octets_load_vector(data + 1);

    return !octets_or((here == '\r') | (here == '\t') |
                      ((here == ' ') & ((next == ' ') | (next == '\t') | (next == '\r'))));
}

/* How many octets go through unchanged: up to a CR, a tab, or a space that is not single and
 * inside a line.  In most texts that is the whole line. */
static size_t plain_length(struct slice bytes)
{
    size_t i = 0;

    while (bytes.len - i > OCTETS_VECTOR && is_plain_vector(bytes.data + i))
        i += OCTETS_VECTOR;
    while (bytes.len - i > OCTETS_WORD && is_plain_word(bytes.data + i))
        i += OCTETS_WORD;
    for (; i < bytes.len; i++) {
        char c = bytes.data[i];

        if (c == '\r' || c == '\t')
            break;
        if (c == ' ' &&
            (i + 1 == bytes.len || is_blank(bytes.data[i + 1]) || bytes.data[i + 1] == '\r'))
            break;
    }
    return i;
}

/* The same over whole lines, up to the last octet that is none of a line's end. */
static size_t unchanged_length(struct slice bytes)
{
    size_t i = plain_length(bytes), end = i;

    while (end) { /* a blank that is held back ends with the line, so content comes first */
        size_t len;

        if (bytes.len - i < 2 || bytes.data[i] != '\r' || bytes.data[i + 1] != '\n')
            return end;
        len = plain_length(slice_skip(bytes, i + 2));
        i += 2 + len;
        if (len)
            end = i;
    }
    return 0;
}

/* The octet after a CR: together a line end, or the CR was nothing special. */
static size_t resolve_cr(struct canonical_body *body, char c)
{
    body->has_cr = false;
    if (c != '\n') {
        put_content(body, SLICE_LITERAL("\r"));
        return 0;
    }
    body->has_blank = false;
    body->n_line_ends++;
    return 1;
}

void canonical_body_add(struct canonical_body *body, struct slice chunk)
{
    while (chunk.len) {
        size_t len;

        if (body->has_cr) {
            chunk = slice_skip(chunk, resolve_cr(body, chunk.data[0]));
            continue;
        }
        len = is_blank(chunk.data[0]) ? 0 : unchanged_length(chunk);
        if (len) {
            put_content(body, slice_head(chunk, len));
            chunk = slice_skip(chunk, len);
            continue;
        }
        if (chunk.data[0] == '\r')
            body->has_cr = true;
        else
            body->has_blank = true;
        chunk = slice_skip(chunk, 1);
    }
}

int canonical_body_end(struct canonical_body *body)
{
    if (body->has_cr)
        put_content(body, SLICE_LITERAL("\r"));
    if (body->has_output) /* RFC 6376, 3.4.4: an empty body stays empty */
        put(body, SLICE_LITERAL("\r\n"));
    flush(body);
    return body->failed ? FAULT(-EIO) : 0;
}
