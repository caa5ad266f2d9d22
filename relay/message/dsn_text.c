#include "relay/message/dsn_text.h"

#include "relay/message/line_scan.h"

enum { LINE_WIDTH = 76 };

/* Bytes of the UTF-8 character at the start that may be shown; 0: none. */
static size_t shown_character(struct slice text)
{
    size_t len = 2;

    while (len <= 4 && len <= text.len && !is_utf8(slice_head(text, len)))
        len++;
    if (len > 4 || len > text.len)
        return 0;
    /* U+0080 to U+009F are controls as well. */
    return text.data[0] == '\xc2' && (unsigned char)text.data[1] < 0xa0 ? 0 : len;
}

static size_t append_character(struct buffer *out, struct slice text, bool utf8)
{
    char c = text.data[0];
    size_t len = 1;

    if (c & '\x80') {
        len = utf8 ? shown_character(text) : 0;
        buffer_append(out, len ? slice_head(text, len) : SLICE_LITERAL("?"));
        return len ? len : 1;
    }
    if (c == '\r' || c == '\n' || c == '\t')
        c = ' ';
    if (c < ' ' || c == '\x7f')
        c = '?';
    buffer_append_byte(out, c);
    return len;
}

void dsn_append_clean(struct buffer *out, struct slice text, size_t max, bool utf8)
{
    struct slice rest = slice_trim(text);
    size_t start = out->len;

    while (rest.len && !out->failed && out->len < start + max) {
        rest = slice_skip(rest, append_character(out, rest, utf8));
        /* Of blanks one: a line folded amid many would be empty to look at. */
        while (out->len > start && out->data[out->len - 1] == ' ' && rest.len &&
               strchr(" \t\r\n", rest.data[0]) && rest.data[0])
            rest = slice_skip(rest, 1);
    }
    if (rest.len)
        buffer_append_text(out, "...");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void dsn_append_xtext(struct buffer *out, struct slice encoded, size_t max, bool utf8)
{
    struct buffer CLEANUP(buffer) plain = BUFFER_INIT;

    for (size_t i = 0; i < encoded.len; i++) {
        int high = -1, low = -1;

        if (encoded.data[i] == '+' && i + 2 < encoded.len) {
            high = hex_digit(encoded.data[i + 1]);
            low = hex_digit(encoded.data[i + 2]);
        }
        if (high < 0 || low < 0) {
            buffer_append_byte(&plain, encoded.data[i]);
            continue;
        }
        buffer_append_byte(&plain, (char)(high * 16 + low));
        i += 2;
    }
    if (buffer_error(&plain) < 0)
        out->failed = true;
    dsn_append_clean(out, buffer_slice(&plain), max, utf8);
}

/* Where to break rest: the last blank that keeps the line short, else the first one. */
static size_t break_at(struct slice rest, size_t width)
{
    size_t best = 0, first = 1;

    while (first < rest.len && rest.data[first - 1] == ' ')
        first++;
    for (size_t i = first; i + 1 < rest.len; i++) {
        if (rest.data[i] != ' ')
            continue;
        if (i > width)
            return best ? best : i;
        best = i;
    }
    return best ? best : rest.len;
}

void dsn_append_folded(struct buffer *out, struct slice line, const char *indent)
{
    size_t width = LINE_WIDTH;

    while (line.len > width) {
        size_t len = break_at(line, width);

        if (len >= line.len)
            break;
        buffer_append(out, slice_head(line, len));
        buffer_append_text(out, "\r\n");
        buffer_append_text(out, indent);
        line = slice_skip(line, len + 1);
        width = LINE_WIDTH - strlen(indent);
    }
    buffer_append(out, line);
    buffer_append_text(out, "\r\n");
}
