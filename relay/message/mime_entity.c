#include "relay/message/mime_entity.h"

#include <errno.h>

#include "relay/message/header.h"
#include "relay/message/line_scan.h"

static void skip_comment(struct slice *rest)
{
    size_t depth = 0;

    while (rest->len) {
        char c = rest->data[0];

        *rest = slice_skip(*rest, c == '\\' ? 2 : 1);
        if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return;
    }
}

static void skip_blanks(struct slice *rest)
{
    while (rest->len) {
        if (rest->data[0] == '(')
            skip_comment(rest);
        else if (rest->data[0] == ' ' || rest->data[0] == '\t')
            *rest = slice_skip(*rest, 1);
        else
            return;
    }
}

static bool is_token_byte(char c)
{
    return c > ' ' && c < '\x7f' && !strchr("()<>@,;:\\\"/[]?=", c);
}

static struct slice read_token(struct slice *rest)
{
    struct slice token;
    size_t len = 0;

    skip_blanks(rest);
    while (len < rest->len && is_token_byte(rest->data[len]))
        len++;
    token = slice_head(*rest, len);
    *rest = slice_skip(*rest, len);
    skip_blanks(rest);
    return token;
}

static bool read_char(struct slice *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != c)
        return false;
    *rest = slice_skip(*rest, 1);
    return true;
}

/* Boundaries are written without quotes even where their bytes ask for them; up to ; or a blank. */
static struct slice read_loose(struct slice *rest)
{
    struct slice word;
    size_t len = 0;

    while (len < rest->len && rest->data[len] > ' ' && rest->data[len] != ';')
        len++;
    word = slice_head(*rest, len);
    *rest = slice_skip(*rest, len);
    return word;
}

/* value = token / quoted-string; the escapes of the latter are undone in out. */
static void read_value(struct slice *rest, struct buffer *out)
{
    skip_blanks(rest);
    if (!read_char(rest, '"')) {
        buffer_append(out, read_loose(rest));
        return;
    }
    while (rest->len && rest->data[0] != '"') {
        if (rest->data[0] == '\\' && rest->len > 1)
            *rest = slice_skip(*rest, 1);
        buffer_append_byte(out, rest->data[0]);
        *rest = slice_skip(*rest, 1);
    }
    (void)read_char(rest, '"');
}

/* bchars end in no blank; bytes above 127 cannot stay in a 7-bit form. */
static void set_boundary(struct mime_entity *entity, struct slice value)
{
    while (value.len && value.data[value.len - 1] == ' ')
        value.len--;
    if (value.len >= MIME_BOUNDARY_SIZE || has_eight_bit(value) || slice_find(value, '\0') >= 0)
        return;
    (void)slice_copy_to(value, entity->boundary, sizeof(entity->boundary));
}

static int read_parameters(struct slice rest, struct mime_entity *entity)
{
    struct buffer CLEANUP(buffer) value = BUFFER_INIT;

    while (rest.len) {
        struct slice name;

        if (!read_char(&rest, ';')) { /* sloppy: look for the next one */
            rest = slice_skip(rest, 1);
            continue;
        }
        name = read_token(&rest);
        if (!read_char(&rest, '='))
            continue;
        buffer_clear(&value);
        read_value(&rest, &value);
        if (!entity->boundary[0] && slice_equal_ignoring_case(name, SLICE_LITERAL("boundary")))
            set_boundary(entity, buffer_slice(&value));
    }
    return buffer_error(&value);
}

static enum mime_kind kind_of(struct slice type, struct slice subtype)
{
    if (slice_equal_ignoring_case(type, SLICE_LITERAL("multipart")))
        return MIME_MULTIPART;
    if (slice_equal_ignoring_case(type, SLICE_LITERAL("text")))
        return MIME_TEXT;
    if (!slice_equal_ignoring_case(type, SLICE_LITERAL("message")))
        return MIME_OTHER;
    if (slice_equal_ignoring_case(subtype, SLICE_LITERAL("rfc822")))
        return MIME_MESSAGE;
    if (slice_equal_ignoring_case(subtype, SLICE_LITERAL("partial")))
        return MIME_PARTIAL;
    return MIME_TEXT; /* delivery-status, feedback-report, global ...: lines to be read */
}

static int read_type(struct slice value, struct mime_entity *entity)
{
    struct slice rest = value;
    struct slice type = read_token(&rest);
    struct slice subtype;

    entity->has_type = true;
    if (!read_char(&rest, '/')) {
        entity->kind = MIME_TEXT; /* RFC 2045 5.2: what cannot be read is plain text */
        return 0;
    }
    subtype = read_token(&rest);
    entity->kind = kind_of(type, subtype);
    entity->is_digest = entity->kind == MIME_MULTIPART &&
                        slice_equal_ignoring_case(subtype, SLICE_LITERAL("digest"));
    return entity->kind == MIME_MULTIPART ? read_parameters(rest, entity) : 0;
}

static void read_encoding(struct slice value, struct mime_entity *entity)
{
    static const struct {
        const char *word;
        enum mime_encoding encoding;
        bool is_labelled;
    } words[] = {
        {"7bit",             MIME_IDENTITY,         false},
        {"8bit",             MIME_IDENTITY,         true },
        {"binary",           MIME_IDENTITY,         true },
        {"quoted-printable", MIME_QUOTED_PRINTABLE, false},
        {"base64",           MIME_BASE64,           false}
    };
    struct slice word = read_token(&value);

    entity->encoding = word.len ? MIME_STRANGE : MIME_IDENTITY;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!slice_equal_ignoring_case(word, slice_of(words[i].word)))
            continue;
        entity->encoding = words[i].encoding;
        entity->is_labelled = words[i].is_labelled;
    }
}

int mime_read_entity(struct slice header, enum mime_kind default_kind, struct mime_entity *entity)
{
    struct buffer CLEANUP(buffer) value = BUFFER_INIT;
    struct header_field field;
    int error = 0;

    *entity = (struct mime_entity){.kind = default_kind};
    if (header_find(header, "Content-Type", &field)) {
        header_unfold(field.value, &value);
        error = read_type(buffer_slice(&value), entity);
    }
    if (header_find(header, "Content-Transfer-Encoding", &field)) {
        buffer_clear(&value);
        header_unfold(field.value, &value);
        read_encoding(buffer_slice(&value), entity);
    }
    entity->has_version = header_find(header, "MIME-Version", &field);
    return error ? error : buffer_error(&value);
}
