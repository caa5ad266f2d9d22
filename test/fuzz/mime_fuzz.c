/* Any message: the converted form has 7 bits (but for headers that are reported), converting it
 * again changes nothing, its lines are lines, and a body decodes to what it was.  The decoders are
 * this file's own. */
#include "test/fuzz/fuzz.h"

#include "relay/base/buffer.h"
#include "relay/message/header.h"
#include "relay/message/line_scan.h"
#include "relay/message/mime.h"
#include "relay/message/mime_entity.h"
#include "relay/smtp/base64.h"

static int keep(void *owner, struct slice bytes)
{
    buffer_append(owner, bytes);
    return 0;
}

static int convert(struct slice message, struct buffer *out, struct mime_result *result)
{
    struct mime_sink sink = {keep, out};
    int error = mime_to_seven_bit(message, &sink, result);

    PROMISE(error == 0 || error == MIME_UNCONVERTIBLE);
    return error;
}

/* Of clean lines, as intake stores them. */
static bool is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if ((c == '\r' && (i + 1 == text.len || text.data[i + 1] != '\n')) ||
            (c == '\n' && (i == 0 || text.data[i - 1] != '\r')))
            return false;
    }
    return text.len && text.data[text.len - 1] == '\n';
}

static size_t longest_line(struct slice text)
{
    struct line_scan scan = {0};

    line_scan_feed(&scan, text);
    return scan.longest_line;
}

static unsigned char unhex(const char *digits)
{
    char text[3] = {digits[0], digits[1], '\0'}, *end;
    unsigned long byte = strtoul(text, &end, 16);

    PROMISE(*end == '\0');
    return (unsigned char)byte;
}

static void decode_quoted_printable(struct slice text, struct buffer *out)
{
    while (text.len) {
        size_t len = 1;

        if (text.data[0] != '=') {
            buffer_append_byte(out, text.data[0]);
        } else if (slice_starts_with(text, SLICE_LITERAL("=\r\n"))) {
            len = 3;
        } else {
            PROMISE(text.len >= 3);
            buffer_append_u8(out, unhex(text.data + 1));
            len = 3;
        }
        text = slice_skip(text, len);
    }
}

static void decode_base64(struct slice text, struct buffer *out)
{
    CLEANUP(buffer) struct buffer joined = BUFFER_INIT;
    size_t len = 0;
    char *decoded;

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '\r' && text.data[i] != '\n')
            buffer_append_byte(&joined, text.data[i]);
    decoded = malloc(base64_decoded_size(joined.len) + 1);
    PROMISE(decoded && base64_decode(buffer_slice(&joined), decoded, &len));
    buffer_append(out, slice_from(decoded, len));
    free(decoded);
}

/* One body, not a tree of parts, that had to be encoded: it must decode to what it was. */
static void check_content(struct slice before, struct slice after)
{
    CLEANUP(buffer) struct buffer decoded = BUFFER_INIT;
    struct mime_entity was, is;
    bool is_complete;
    size_t header = header_length(before, &is_complete);
    size_t new_header = header_length(after, &is_complete);

    PROMISE(mime_read_entity(slice_head(before, header), MIME_TEXT, &was) == 0);
    PROMISE(mime_read_entity(slice_head(after, new_header), MIME_TEXT, &is) == 0);
    if (!is_complete || was.encoding != MIME_IDENTITY ||
        (was.kind != MIME_TEXT && was.kind != MIME_OTHER))
        return;
    PROMISE(is.encoding == MIME_QUOTED_PRINTABLE || is.encoding == MIME_BASE64);
    if (is.encoding == MIME_BASE64)
        decode_base64(slice_skip(after, new_header), &decoded);
    else
        decode_quoted_printable(slice_skip(after, new_header), &decoded);
    PROMISE(slice_equal(buffer_slice(&decoded), slice_skip(before, header)));
}

static void check_lines(struct slice before, struct slice after)
{
    size_t before_bytes = longest_line(before);

    PROMISE(is_clean(after));
    /* Lines of a header, between parts, or of encodings that are not ours stay as they are. */
    PROMISE(longest_line(after) <= (before_bytes > LINE_LIMIT ? before_bytes : LINE_LIMIT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    struct slice message = slice_from(data, size);
    struct mime_result result;

    if (convert(message, &once, &result) == 0) {
        if (is_clean(message))
            check_lines(message, buffer_slice(&once));
        if (is_clean(message) && result.n_encoded == 1)
            check_content(message, buffer_slice(&once));
        PROMISE(result.has_eight_bit_left || !has_eight_bit(buffer_slice(&once)));
        PROMISE(convert(buffer_slice(&once), &twice, &result) == 0);
        PROMISE(result.n_encoded == 0);
        PROMISE(slice_equal(buffer_slice(&once), buffer_slice(&twice)));
    }
    buffer_fini(&once);
    buffer_fini(&twice);
    return 0;
}
