#include "relay/smtp/body_writer.h"

#include "relay/smtp/plain_lines.h"

static int unclean(struct body_writer *writer)
{
    writer->is_unclean = true;
    return BODY_UNCLEAN;
}

/* The first byte of chunk answers for a CR at the end of the last one. */
static int end_held_line(struct body_writer *writer, struct slice *chunk, struct buffer *out)
{
    if (chunk->data[0] != '\n')
        return unclean(writer);
    buffer_append(out, SLICE_LITERAL("\r\n"));
    *chunk = slice_skip(*chunk, 1);
    writer->has_cr = false;
    writer->is_inside_line = false;
    return 0;
}

/* Bytes before the CR or LF at hand, if they may leave. */
static int write_text(struct body_writer *writer, struct slice text, struct buffer *out)
{
    if (text.len == 0)
        return 0;
    if (slice_find(text, '\0') >= 0)
        return unclean(writer);
    if (!writer->is_inside_line && text.data[0] == '.')
        buffer_append_byte(out, '.');
    buffer_append(out, text);
    writer->is_inside_line = true;
    return 0;
}

static size_t text_length(struct slice chunk)
{
    ptrdiff_t feed = slice_find(chunk, '\n');
    struct slice line = slice_head(chunk, feed < 0 ? chunk.len : (size_t)feed);
    ptrdiff_t cr = slice_find(line, '\r');

    return cr < 0 ? line.len : (size_t)cr;
}

/* What may leave as it is, at a stretch. */
static struct slice write_plain_lines(struct body_writer *writer, struct slice chunk,
                                      struct buffer *out)
{
    struct plain_lines lines = {
        .line_octets = writer->is_inside_line, .line_limit = SIZE_MAX, .stops_at_dots = true};
    size_t taken = writer->has_cr ? 0 : plain_lines_take(&lines, chunk);

    if (taken == 0)
        return chunk;
    buffer_append(out, slice_head(chunk, taken));
    writer->is_inside_line = lines.line_octets > 0;
    return slice_skip(chunk, taken);
}

int body_writer_write(struct body_writer *writer, struct slice chunk, struct buffer *out)
{
    int error = writer->is_unclean ? BODY_UNCLEAN : 0;

    writer->n_bytes += chunk.len;
    while (!error && chunk.len) {
        size_t len;

        chunk = write_plain_lines(writer, chunk, out);
        if (chunk.len == 0)
            break;
        if (writer->has_cr) {
            error = end_held_line(writer, &chunk, out);
            continue;
        }
        len = text_length(chunk);
        error = write_text(writer, slice_head(chunk, len), out);
        chunk = slice_skip(chunk, len);
        if (!error && chunk.len && chunk.data[0] == '\n')
            return unclean(writer);
        writer->has_cr = chunk.len > 0;
        chunk = slice_skip(chunk, 1);
    }
    return error ? error : buffer_error(out);
}

int body_writer_end(struct body_writer *writer, struct buffer *out)
{
    if (writer->is_unclean || writer->has_cr)
        return unclean(writer);
    buffer_append_text(out, writer->is_inside_line ? "\r\n.\r\n" : ".\r\n");
    return buffer_error(out);
}
