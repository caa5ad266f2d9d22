/* Bodies: the same however the octets arrive; what comes out clean has CRLF lines alone; DATA ends
 * at the first CRLF.CRLF and nowhere else.  First octet: mode, second: size of the pieces. */
#include "test/fuzz/fuzz.h"

#include "relay/base/buffer.h"
#include "relay/smtp/body_reader.h"

struct result {
    struct buffer body;
    struct body_reader reader;
    size_t taken;
    bool has_ended;
};

static void read_body(struct slice text, uint8_t mode, size_t piece, struct result *result)
{
    enum body_step step = BODY_MORE;
    struct slice chunk;

    body_reader_init(&result->reader, 300, mode & 1, mode & 2);
    while (text.len && step != BODY_END) {
        char *copy = slice_to_string(slice_head(text, piece));
        struct slice input = {copy, slice_head(text, piece).len};
        size_t before = input.len;

        while ((step = body_reader_feed(&result->reader, &input, &chunk)) == BODY_CHUNK)
            buffer_append(&result->body, chunk);
        PROMISE(step == BODY_END || input.len == 0);
        result->taken += before - input.len;
        text = slice_skip(text, before - input.len);
        free(copy);
    }
    result->has_ended = step == BODY_END;
    if (mode & 1) {
        body_reader_finish(&result->reader, &chunk);
        buffer_append(&result->body, chunk);
    }
}

static bool has_stray(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '\0' || (c == '\r' && (i + 1 == text.len || text.data[i + 1] != '\n')) ||
            (c == '\n' && (i == 0 || text.data[i - 1] != '\r')))
            return true;
    }
    return false;
}

static void check_end(struct slice text, const struct result *result)
{
    ptrdiff_t end = slice_search(text, SLICE_LITERAL("\r\n.\r\n"));
    bool at_start = slice_starts_with(text, SLICE_LITERAL(".\r\n"));
    size_t taken = at_start ? 3 : end >= 0 ? (size_t)end + 5 : text.len;

    if (result->reader.verdict == BODY_ENDLESS)
        return;
    PROMISE(result->has_ended == (at_start || end >= 0));
    PROMISE(result->taken == taken);
}

static void check(struct slice text, uint8_t mode, const struct result *result)
{
    if (!(mode & 1))
        check_end(text, result);
    if (result->reader.verdict != BODY_CLEAN)
        return;
    PROMISE(result->reader.n_octets == result->body.len && result->body.len <= 300);
    if (result->has_ended || mode & 1) {
        PROMISE(!has_stray(buffer_slice(&result->body)));
        PROMISE(result->body.len == 0 || result->body.data[result->body.len - 1] == '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result whole = {0}, in_pieces = {0};
    struct slice text = slice_from(data, size);

    if (size < 2)
        return 0;
    text = slice_skip(text, 2);
    read_body(text, data[0], size, &whole);
    read_body(text, data[0], data[1] % 8 + 1U, &in_pieces);
    check(text, data[0], &whole);
    PROMISE(whole.reader.verdict == in_pieces.reader.verdict);
    PROMISE(whole.taken == in_pieces.taken && whole.has_ended == in_pieces.has_ended);
    /* how much of a refused body came out before the refusal is left open */
    PROMISE(whole.reader.verdict != BODY_CLEAN ||
            slice_equal(buffer_slice(&whole.body), buffer_slice(&in_pieces.body)));
    buffer_fini(&whole.body);
    buffer_fini(&in_pieces.body);
    return 0;
}
