/* Command lines: the same lines and errors however the octets arrive, words and parameters that
 * stay inside their line.  The first octet says how big the pieces are. */
#include "test/fuzz/fuzz.h"

#include "relay/smtp/command_line.h"

enum { LINE_MAX = 64 };

static void take_apart(struct slice line)
{
    struct slice rest = line;
    struct esmtp_parameter given;

    (void)command_line_check(line);
    (void)command_line_word(&rest);
    while (esmtp_parameter_next(&rest, &given) == ESMTP_PARAMETER)
        PROMISE(given.keyword.data >= line.data &&
                given.keyword.data + given.keyword.len <= line.data + line.len);
}

static void read_lines(struct slice text, size_t piece, struct buffer *seen)
{
    struct command_line_reader reader;

    command_line_reader_init(&reader);
    while (text.len) {
        char *copy = slice_to_string(slice_head(text, piece));
        struct slice input = {copy, slice_head(text, piece).len}, line;
        enum command_line_result result;

        text = slice_skip(text, input.len);
        while ((result = command_line_read(&reader, &input, LINE_MAX, &line)) !=
               COMMAND_LINE_MORE) {
            buffer_append_u8(seen, (uint8_t)result);
            if (result != COMMAND_LINE_READY)
                continue;
            PROMISE(slice_find(line, '\n') < 0);
            buffer_append_counted(seen, line);
            take_apart(line);
        }
        PROMISE(input.len == 0);
        free(copy);
    }
    command_line_reader_fini(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buffer) struct buffer whole = BUFFER_INIT;
    CLEANUP(buffer) struct buffer in_pieces = BUFFER_INIT;
    struct slice text = slice_from(data, size);

    if (size == 0)
        return 0;
    read_lines(slice_skip(text, 1), size, &whole);
    read_lines(slice_skip(text, 1), data[0] % 16 + 1U, &in_pieces);
    PROMISE(slice_equal(buffer_slice(&whole), buffer_slice(&in_pieces)));
    return 0;
}
