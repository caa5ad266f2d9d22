/* Any bytes out of the queue: refused unless they are lines that end in CRLF; else what goes to the
 * wire is read back by our own server's reader as it was, in one body and with nothing behind it.
 * First octet: size of the pieces. */
#include "test/fuzz/fuzz.h"

#include "relay/smtp/body_reader.h"
#include "relay/smtp/body_writer.h"

static int write_body(struct slice body, size_t piece, struct buffer *out)
{
    struct body_writer writer = {0};
    size_t len = body.len;

    for (; body.len; body = slice_skip(body, piece)) {
        int error = body_writer_write(&writer, slice_head(body, piece), out);

        PROMISE(error == 0 || error == BODY_UNCLEAN);
        if (error) {
            PROMISE(body_writer_end(&writer, out) == BODY_UNCLEAN);
            return error;
        }
    }
    PROMISE(writer.n_bytes == len);
    return body_writer_end(&writer, out);
}

static bool is_clean(struct slice body)
{
    for (size_t i = 0; i < body.len; i++) {
        char c = body.data[i];

        if (c == '\0' || (c == '\r' && (i + 1 == body.len || body.data[i + 1] != '\n')) ||
            (c == '\n' && (i == 0 || body.data[i - 1] != '\r')))
            return false;
    }
    return true;
}

/* A last line without its end gets one. */
static void check_wire(struct slice wire, struct slice body)
{
    struct buffer read = BUFFER_INIT;
    struct body_reader reader;
    enum body_step step;
    struct slice chunk;

    body_reader_init(&reader, SIZE_MAX / 2, false, false);
    while ((step = body_reader_feed(&reader, &wire, &chunk)) == BODY_CHUNK)
        buffer_append(&read, chunk);
    PROMISE(step == BODY_END && wire.len == 0 && reader.verdict == BODY_CLEAN);
    PROMISE(read.len == body.len || read.len == body.len + 2);
    PROMISE(slice_equal(slice_head(buffer_slice(&read), body.len), body));
    if (read.len != body.len)
        PROMISE(slice_equal(slice_skip(buffer_slice(&read), body.len), SLICE_LITERAL("\r\n")));
    buffer_fini(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buffer) struct buffer whole = BUFFER_INIT, in_pieces = BUFFER_INIT;
    struct slice body = slice_from(data, size);
    int error;

    if (size < 1)
        return 0;
    body = slice_skip(body, 1);
    error = write_body(body, size, &whole);
    PROMISE((error == 0) == is_clean(body));
    PROMISE(write_body(body, data[0] % 8 + 1U, &in_pieces) == error);
    if (error)
        return 0;
    PROMISE(slice_equal(buffer_slice(&whole), buffer_slice(&in_pieces)));
    check_wire(buffer_slice(&whole), body);
    return 0;
}
