/* A server's reply: the same however its octets arrive, and clean once it is complete; printed as
 * ours it reads back as it was, in lines of at most 512 octets.  First octet: size of the pieces.
 */
#include "test/fuzz/fuzz.h"

#include "relay/smtp/reply_reader.h"

enum { LONGEST_TEXT = 480 }; /* longer lines are broken by the printer, and so come back as two */

/* What came of the input: every reply until one is malformed. */
struct result {
    struct buffer seen;
    size_t taken;
};

static void check_text(struct smtp_reply reply)
{
    PROMISE(reply.code >= 200 && reply.code <= 599);
    PROMISE(reply.text.len <= REPLY_MAX_BYTES);
    PROMISE(!reply.status.class || reply.status.class == reply.code / 100);
    for (size_t i = 0; i < reply.text.len; i++) {
        unsigned char c = (unsigned char)reply.text.data[i];

        PROMISE(c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f));
    }
}

static void check_lines(struct slice printed)
{
    while (printed.len) {
        ptrdiff_t end = slice_search(printed, SLICE_LITERAL("\r\n"));

        PROMISE(end >= 4 && end <= 510);
        for (ptrdiff_t i = 0; i < end; i++)
            PROMISE((unsigned char)printed.data[i] >= ' ' && printed.data[i] != '\x7f');
        printed = slice_skip(printed, (size_t)end + 2);
    }
}

/* Whether printing loses nothing: no byte that becomes '?', no line that is broken, no empty line
 * at the end, and no text that looks like a status of its own. */
static bool is_plain(struct smtp_reply reply)
{
    struct slice rest = reply.text;
    struct enhanced_status ignored;

    for (size_t i = 0; i < rest.len; i++)
        if (rest.data[i] == '\t' || (unsigned char)rest.data[i] > '~')
            return false;
    if (rest.len && rest.data[rest.len - 1] == '\n')
        return false;
    while (rest.len) {
        ptrdiff_t end = slice_find(rest, '\n');
        struct slice line = slice_head(rest, end < 0 ? rest.len : (size_t)end), text = line;

        if (line.len > LONGEST_TEXT || enhanced_status_read(&text, &ignored) ||
            (line.len && line.data[0] == ' '))
            return false;
        rest = slice_skip(rest, line.len + 1);
    }
    return true;
}

static void check_printed(struct smtp_reply reply)
{
    CLEANUP(buffer) struct buffer printed = BUFFER_INIT;
    struct slice input;
    struct smtp_reply again;
    struct reply_reader reader;

    smtp_reply_print(&printed, reply);
    check_lines(buffer_slice(&printed));
    input = buffer_slice(&printed);
    reply_reader_init(&reader);
    PROMISE(reply_reader_feed(&reader, &input) == REPLY_COMPLETE && input.len == 0);
    again = reply_reader_reply(&reader);
    PROMISE(again.code == reply.code);
    if (is_plain(reply)) {
        PROMISE(enhanced_status_equal(again.status, reply.status));
        PROMISE(slice_equal(again.text, reply.text));
    }
    reply_reader_fini(&reader);
}

static void note(struct result *result, struct reply_reader *reader)
{
    struct smtp_reply reply = reply_reader_reply(reader);

    check_text(reply);
    buffer_append_u16(&result->seen, reply.code);
    enhanced_status_print(&result->seen, reply.status);
    buffer_append_counted(&result->seen, reply.text);
    check_printed(reply);
}

static void read_replies(struct slice text, size_t piece, struct result *result)
{
    enum reply_progress progress = REPLY_MORE;
    struct reply_reader reader;

    reply_reader_init(&reader);
    while (text.len && progress != REPLY_MALFORMED) {
        char *copy = slice_to_string(slice_head(text, piece));
        struct slice input = {copy, slice_head(text, piece).len};

        text = slice_skip(text, input.len);
        while ((progress = reply_reader_feed(&reader, &input)) == REPLY_COMPLETE) {
            note(result, &reader);
            reply_reader_next(&reader);
        }
        PROMISE(progress == REPLY_MALFORMED || input.len == 0);
        free(copy);
    }
    PROMISE((progress == REPLY_MALFORMED) == (reader.problem != NULL));
    buffer_append_text(&result->seen, reader.problem ? reader.problem : "");
    PROMISE(reply_reader_excerpt(&reader).len <= REPLY_EXCERPT_BYTES);
    reply_reader_fini(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result whole = {0}, in_pieces = {0};

    if (size < 1)
        return 0;
    read_replies(slice_from(data + 1, size - 1), size, &whole);
    read_replies(slice_from(data + 1, size - 1), data[0] % 8 + 1U, &in_pieces);
    PROMISE(slice_equal(buffer_slice(&whole.seen), buffer_slice(&in_pieces.seen)));
    buffer_fini(&whole.seen);
    buffer_fini(&in_pieces.seen);
    return 0;
}
