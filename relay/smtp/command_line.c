#include "relay/smtp/command_line.h"

#include "relay/base/secret.h"

enum { KEEP_CAPACITY = 512 }; /* what an idle session may hold on to */

static const struct slice auth_start = SLICE_LITERAL("AUTH ");

void command_line_reader_init(struct command_line_reader *reader)
{
    *reader = (struct command_line_reader){0};
    buffer_init(&reader->partial, COMMAND_AUTH_LINE_MAX + 1);
}

void command_line_reader_fini(struct command_line_reader *reader)
{
    command_line_reader_wipe(reader);
}

void command_line_reader_wipe(struct command_line_reader *reader)
{
    if (reader->partial.data)
        secret_wipe(reader->partial.data, reader->partial.capacity);
    buffer_fini(&reader->partial);
    reader->is_delivered = false;
}

/* Big lines are AUTH's or an abuse: neither stays in memory. */
static void clear_partial(struct command_line_reader *reader)
{
    reader->is_delivered = false;
    buffer_clear(&reader->partial);
    if (reader->partial.capacity > KEEP_CAPACITY)
        command_line_reader_wipe(reader);
}

/* Drops input up to the CRLF that ends a bad line; false: it has not come yet. */
static bool skip_line(struct command_line_reader *reader, struct slice *input)
{
    while (input->len && reader->is_skipping) {
        char c = input->data[0];

        *input = slice_skip(*input, 1);
        reader->is_skipping = !(c == '\n' && reader->had_cr);
        reader->had_cr = c == '\r';
    }
    return !reader->is_skipping;
}

/* Whether partial and what follows it begin like an AUTH command. */
static bool is_auth(const struct command_line_reader *reader, struct slice more)
{
    char start[5];
    size_t len = 0;

    for (; len < sizeof(start) && len < reader->partial.len; len++)
        start[len] = reader->partial.data[len];
    for (size_t i = 0; len < sizeof(start) && i < more.len; i++)
        start[len++] = more.data[i];
    return slice_equal_ignoring_case(slice_from(start, len), auth_start);
}

/* Whether partial and more, which holds at most one LF and that at its end, end in CRLF. */
static bool ends_in_crlf(const struct command_line_reader *reader, struct slice more)
{
    if (more.len == 0 || more.data[more.len - 1] != '\n')
        return false;
    if (more.len > 1)
        return more.data[more.len - 2] == '\r';
    return reader->partial.len && reader->partial.data[reader->partial.len - 1] == '\r';
}

static enum command_line_result bad_line(struct command_line_reader *reader, struct slice *input,
                                         struct slice taken, enum command_line_result result)
{
    reader->is_skipping = !ends_in_crlf(reader, taken);
    reader->had_cr = taken.len && taken.data[taken.len - 1] == '\r';
    *input = slice_skip(*input, taken.len);
    clear_partial(reader);
    return result;
}

static enum command_line_result keep_partial(struct command_line_reader *reader,
                                             struct slice *input, struct slice taken)
{
    buffer_append(&reader->partial, taken);
    *input = slice_skip(*input, taken.len);
    return buffer_error(&reader->partial) < 0 ? COMMAND_LINE_NO_MEMORY : COMMAND_LINE_MORE;
}

static enum command_line_result deliver(struct command_line_reader *reader, struct slice *input,
                                        struct slice taken, struct slice *line)
{
    struct slice whole = taken;

    if (reader->partial.len) {
        if (keep_partial(reader, input, taken) == COMMAND_LINE_NO_MEMORY)
            return COMMAND_LINE_NO_MEMORY;
        whole = buffer_slice(&reader->partial);
        reader->is_delivered = true;
    } else {
        *input = slice_skip(*input, taken.len);
    }
    *line = slice_head(whole, whole.len - 2);
    return COMMAND_LINE_READY;
}

enum command_line_result command_line_read(struct command_line_reader *reader, struct slice *input,
                                           size_t max, struct slice *line)
{
    struct slice taken;
    ptrdiff_t lf;

    if (reader->is_delivered)
        clear_partial(reader);
    if (reader->is_skipping && !skip_line(reader, input))
        return COMMAND_LINE_MORE;
    /* One octet more than the most is enough to know that a line is too long. */
    taken = slice_head(*input, COMMAND_AUTH_LINE_MAX + 1 - reader->partial.len);
    lf = slice_find(taken, '\n');
    if (lf >= 0)
        taken.len = (size_t)lf + 1;
    if (reader->partial.len + taken.len > max && is_auth(reader, taken))
        max = COMMAND_AUTH_LINE_MAX;
    if (reader->partial.len + taken.len > max)
        return bad_line(reader, input, slice_head(taken, max + 1 - reader->partial.len),
                        COMMAND_LINE_TOO_LONG);
    if (lf < 0)
        return keep_partial(reader, input, taken);
    if (!ends_in_crlf(reader, taken))
        return bad_line(reader, input, taken, COMMAND_LINE_BARE_LF);
    return deliver(reader, input, taken, line);
}

enum command_bytes command_line_check(struct slice line)
{
    enum command_bytes worst = COMMAND_BYTES_CLEAN;

    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.data[i];

        if (c < ' ' || c == 0x7f)
            return COMMAND_BYTES_CONTROL;
        if (c > 0x7f)
            worst = COMMAND_BYTES_EIGHT_BIT;
    }
    return worst;
}

static struct slice skip_blanks(struct slice text)
{
    while (text.len && text.data[0] == ' ')
        text = slice_skip(text, 1);
    return text;
}

struct slice command_line_word(struct slice *rest)
{
    struct slice text = skip_blanks(*rest);
    ptrdiff_t blank = slice_find(text, ' ');
    struct slice word = blank < 0 ? text : slice_head(text, (size_t)blank);

    *rest = skip_blanks(slice_skip(text, word.len));
    return word;
}

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static bool is_keyword(struct slice text)
{
    if (text.len == 0 || text.data[0] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

enum esmtp_parameter_result esmtp_parameter_next(struct slice *rest, struct esmtp_parameter *out)
{
    struct slice word = command_line_word(rest);
    ptrdiff_t equals = slice_find(word, '=');

    if (word.len == 0)
        return ESMTP_PARAMETERS_END;
    *out = (struct esmtp_parameter){.keyword = word};
    if (equals >= 0) {
        out->keyword = slice_head(word, (size_t)equals);
        out->value = slice_skip(word, (size_t)equals + 1);
        out->has_value = true;
        if (out->value.len == 0 || slice_find(out->value, '=') >= 0)
            return ESMTP_PARAMETER_MALFORMED;
    }
    return is_keyword(out->keyword) ? ESMTP_PARAMETER : ESMTP_PARAMETER_MALFORMED;
}
