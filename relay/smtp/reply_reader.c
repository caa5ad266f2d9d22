#include "relay/smtp/reply_reader.h"

/* Position in the line. */
enum { FIRST_DIGIT, SECOND_DIGIT, THIRD_DIGIT, SEPARATOR, TEXT, LINE_FEED };

enum { KEPT_BYTES = 4096 }; /* a reply's memory above this is given back after it */

void reply_reader_init(struct reply_reader *reader)
{
    *reader = (struct reply_reader){0};
    buffer_init(&reader->text, REPLY_MAX_BYTES);
}

void reply_reader_fini(struct reply_reader *reader)
{
    buffer_fini(&reader->text);
}

void reply_reader_next(struct reply_reader *reader)
{
    struct buffer text = reader->text;

    if (text.capacity > KEPT_BYTES)
        buffer_fini(&text);
    buffer_clear(&text);
    *reader = (struct reply_reader){.text = text};
}

static enum reply_progress malformed(struct reply_reader *reader, const char *problem)
{
    reader->problem = problem;
    return REPLY_MALFORMED;
}

static bool is_text(char byte)
{
    return (unsigned char)byte >= ' ' ? byte != '\x7f' : byte == '\t';
}

static enum reply_progress read_digit(struct reply_reader *reader, char byte)
{
    char first = reader->at == FIRST_DIGIT ? '2' : '0';
    char last = reader->at == FIRST_DIGIT ? '5' : '9';

    if (byte < first || byte > last)
        return malformed(reader, "no reply code");
    reader->line_code = (uint16_t)(reader->line_code * 10 + (byte - '0'));
    reader->at++;
    return REPLY_MORE;
}

static enum reply_progress read_separator(struct reply_reader *reader, char byte)
{
    if (reader->code && reader->code != reader->line_code)
        return malformed(reader, "differing reply codes");
    if (byte != ' ' && byte != '-' && byte != '\r')
        return malformed(reader, "no blank behind the reply code");
    reader->has_lines = reader->code != 0;
    if (reader->has_lines)
        buffer_append_byte(&reader->text, '\n');
    reader->code = reader->line_code;
    reader->is_last = byte != '-';
    reader->at = byte == '\r' ? LINE_FEED : TEXT;
    return REPLY_MORE;
}

static enum reply_progress read_text(struct reply_reader *reader, char byte)
{
    if (byte == '\r') {
        reader->at = LINE_FEED;
        return REPLY_MORE;
    }
    reader->is_whole_but_cr = byte == '\n' && reader->is_last && !reader->has_lines;
    if (!is_text(byte))
        return malformed(reader, byte == '\n' ? "bare LF in reply" : "control character in reply");
    buffer_append_byte(&reader->text, byte);
    return REPLY_MORE;
}

static enum reply_progress read_line_feed(struct reply_reader *reader, char byte)
{
    if (byte != '\n')
        return malformed(reader, "bare CR in reply");
    reader->at = FIRST_DIGIT;
    reader->line_code = 0;
    return reader->is_last ? REPLY_COMPLETE : REPLY_MORE;
}

static enum reply_progress read_byte(struct reply_reader *reader, char byte)
{
    if (++reader->n_bytes > REPLY_MAX_BYTES)
        return malformed(reader, "reply above 64 KiB");
    if (reader->n_excerpt < REPLY_EXCERPT_BYTES)
        reader->excerpt[reader->n_excerpt++] = byte;
    if (reader->at <= THIRD_DIGIT)
        return read_digit(reader, byte);
    if (reader->at == SEPARATOR)
        return read_separator(reader, byte);
    return reader->at == TEXT ? read_text(reader, byte) : read_line_feed(reader, byte);
}

/* What stands behind the offending byte tells more than the byte. */
static void extend_excerpt(struct reply_reader *reader, struct slice *input)
{
    struct slice more = slice_head(*input, (size_t)(REPLY_EXCERPT_BYTES - reader->n_excerpt));

    if (more.len)
        memcpy(reader->excerpt + reader->n_excerpt, more.data, more.len);
    reader->n_excerpt = (uint8_t)(reader->n_excerpt + more.len);
    *input = slice_skip(*input, more.len);
}

enum reply_progress reply_reader_feed(struct reply_reader *reader, struct slice *input)
{
    enum reply_progress progress = REPLY_MORE;

    while (input->len && progress == REPLY_MORE) {
        char byte = input->data[0];

        *input = slice_skip(*input, 1);
        progress = read_byte(reader, byte);
    }
    if (buffer_error(&reader->text) < 0)
        progress = malformed(reader, "no memory for the reply");
    if (progress == REPLY_MALFORMED)
        extend_excerpt(reader, input);
    return progress;
}

struct slice reply_reader_excerpt(const struct reply_reader *reader)
{
    return slice_from(reader->excerpt, reader->n_excerpt);
}

/* Moves line to the end of what is kept of the text, its enhanced code left out. */
static size_t keep_line(struct buffer *text, size_t kept, struct slice line,
                        struct enhanced_status wanted)
{
    struct slice rest = line;
    struct enhanced_status status;

    if (enhanced_status_read(&rest, &status) && enhanced_status_equal(status, wanted))
        line = rest;
    memmove(text->data + kept, line.data, line.len);
    return kept + line.len;
}

static void remove_status(struct buffer *text, struct enhanced_status status)
{
    struct slice rest = buffer_slice(text);
    size_t kept = 0;

    while (rest.len) {
        ptrdiff_t end = slice_find(rest, '\n');
        size_t len = end < 0 ? rest.len : (size_t)end;

        kept = keep_line(text, kept, slice_head(rest, len), status);
        if (end >= 0)
            text->data[kept++] = '\n';
        rest = slice_skip(rest, len + 1);
    }
    text->len = kept;
}

struct smtp_reply reply_reader_reply(struct reply_reader *reader)
{
    struct slice first = buffer_slice(&reader->text);
    struct smtp_reply reply = {.code = reader->code};

    /* A status that contradicts its code is text: the code decides (RFC 2034 4). */
    if (enhanced_status_read(&first, &reply.status)) {
        if (reply.status.class == reader->code / 100)
            remove_status(&reader->text, reply.status);
        else
            reply.status = (struct enhanced_status){0};
    }
    reply.text = buffer_slice(&reader->text);
    return reply;
}
