#include "relay/message/mime_encode.h"

enum {
    LINE_WIDTH = 76,
    BASE64_LINE_BYTES = LINE_WIDTH / 4 * 3, /* octets that fill a line */
};

void mime_flush(struct mime_writer *writer)
{
    if (writer->used && !writer->error)
        writer->error =
            writer->sink->write(writer->sink->owner, slice_from(writer->room, writer->used));
    writer->used = 0;
}

void mime_write(struct mime_writer *writer, struct slice bytes)
{
    if (bytes.len > sizeof(writer->room) - writer->used)
        mime_flush(writer);
    if (bytes.len > sizeof(writer->room)) {
        if (!writer->error)
            writer->error = writer->sink->write(writer->sink->owner, bytes);
        return;
    }
    if (bytes.len)
        memcpy(writer->room + writer->used, bytes.data, bytes.len);
    writer->used += bytes.len;
}

static void write_byte(struct mime_writer *writer, char byte)
{
    mime_write(writer, slice_from(&byte, 1));
}

void mime_write_seven_bit(struct mime_writer *writer, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char byte = bytes.data[i];

        if (byte & '\x80')
            byte = '?';
        write_byte(writer, byte);
    }
}

/* A line of quoted-printable being written. */
struct quoted_line {
    struct mime_writer *writer;
    size_t width;   /* bytes on it */
    bool is_broken; /* it follows a soft line break */
};

static bool is_line_end(struct slice rest)
{
    return rest.len > 1 && rest.data[0] == '\r' && rest.data[1] == '\n';
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* At the start of a line: nothing that dot-stuffing, mbox files or boundaries would notice. */
static bool is_unsafe_start(const struct quoted_line *line, struct slice rest)
{
    if (line->width)
        return false;
    return rest.data[0] == '.' || (line->is_broken && rest.data[0] == '-') ||
           slice_starts_with(rest, SLICE_LITERAL("From "));
}

static bool is_literal(const struct quoted_line *line, struct slice rest)
{
    char c = rest.data[0];

    if (c == ' ' || c == '\t') /* blanks at the end of a line get lost on the way */
        return rest.len > 1 && !is_line_end(slice_skip(rest, 1));
    return c > ' ' && c < '\x7f' && c != '=' && !is_unsafe_start(line, rest);
}

/* Breaks the line unless more bytes fit; one place is kept for the soft break. */
static void make_room(struct quoted_line *line, size_t more)
{
    if (line->width + more <= LINE_WIDTH - 1)
        return;
    mime_write(line->writer, SLICE_LITERAL("=\r\n"));
    *line = (struct quoted_line){line->writer, 0, true};
}

static void put(struct quoted_line *line, struct slice bytes)
{
    make_room(line, bytes.len);
    mime_write(line->writer, bytes);
    line->width += bytes.len;
}

static void put_quoted(struct quoted_line *line, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    char quoted[3] = {'=', digits[(unsigned char)byte >> 4], digits[byte & 15]};

    put(line, slice_from(quoted, sizeof(quoted)));
}

static void end_line(struct quoted_line *line)
{
    mime_write(line->writer, SLICE_LITERAL("\r\n"));
    *line = (struct quoted_line){line->writer, 0, false};
}

static void put_byte(struct quoted_line *line, struct slice rest)
{
    make_room(line, 1); /* before asking: what starts a line is quoted more often */
    if (is_literal(line, rest))
        put(line, slice_head(rest, 1));
    else
        put_quoted(line, rest.data[0]);
}

void mime_write_quoted_printable(struct mime_writer *writer, struct slice body)
{
    struct quoted_line line = {writer, 0, false};

    while (body.len) {
        if (is_line_end(body)) {
            end_line(&line);
            body = slice_skip(body, 2);
            continue;
        }
        put_byte(&line, body);
        body = slice_skip(body, 1);
    }
}

/* Bytes of what stands at the start and is quoted-printable as it is; 0: it must be quoted. */
static size_t quoted_length(struct slice rest)
{
    char c = rest.data[0];

    if (c == '=')
        return rest.len > 2 && is_hex(rest.data[1]) && is_hex(rest.data[2]) ? 3 : 0;
    return c == ' ' || c == '\t' || (c > ' ' && c < '\x7f') ? 1 : 0;
}

void mime_mend_quoted_printable(struct mime_writer *writer, struct slice body)
{
    struct quoted_line line = {writer, 0, false};

    while (body.len) {
        bool is_soft_break = body.data[0] == '=' && is_line_end(slice_skip(body, 1));
        size_t len;

        if (is_soft_break)
            mime_write(writer, SLICE_LITERAL("="));
        if (is_soft_break || is_line_end(body)) {
            end_line(&line);
            body = slice_skip(body, is_soft_break ? 3 : 2);
            continue;
        }
        len = quoted_length(body);
        make_room(&line, 1);
        if (len && !is_unsafe_start(&line, body))
            put(&line, slice_head(body, len));
        else
            put_quoted(&line, body.data[0]);
        body = slice_skip(body, len > 1 ? len : 1);
    }
}

static void write_group(struct mime_writer *writer, struct slice three)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    char out[4];

    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < three.len ? (unsigned char)three.data[i] : 0);
    memset(out, '=', sizeof(out));
    for (size_t i = 0; i <= three.len; i++)
        out[i] = digits[bits >> (18 - 6 * i) & 63];
    mime_write(writer, slice_from(out, sizeof(out)));
}

void mime_write_base64(struct mime_writer *writer, struct slice body)
{
    for (size_t at = 0; at < body.len; at += 3) {
        if (at && at % BASE64_LINE_BYTES == 0)
            mime_write(writer, SLICE_LITERAL("\r\n"));
        write_group(writer, slice_head(slice_skip(body, at), 3));
    }
}

static bool is_base64(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

/* Decoders skip what is not of the alphabet (RFC 2045 6.8), so leaving it out changes nothing. */
void mime_mend_base64(struct mime_writer *writer, struct slice body)
{
    size_t width = 0;

    for (size_t i = 0; i < body.len; i++) {
        if (!is_base64(body.data[i]))
            continue;
        if (width == LINE_WIDTH) {
            mime_write(writer, SLICE_LITERAL("\r\n"));
            width = 0;
        }
        write_byte(writer, body.data[i]);
        width++;
    }
}
