#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/smtp/command_line.h"

enum { MAX = 32 };

/* Reads text in pieces and writes down what came: lines in brackets, "L" too long, "F" bare LF. */
static void read_all(struct buffer *seen, struct slice text, size_t piece, size_t max)
{
    struct command_line_reader reader;

    command_line_reader_init(&reader);
    buffer_clear(seen);
    while (text.len) {
        char *copy = slice_to_string(slice_head(text, piece));
        struct slice input = {copy, slice_head(text, piece).len}, line;
        enum command_line_result result;

        text = slice_skip(text, input.len);
        while ((result = command_line_read(&reader, &input, max, &line)) != COMMAND_LINE_MORE) {
            if (result == COMMAND_LINE_READY) {
                buffer_append_byte(seen, '[');
                buffer_append(seen, line);
                buffer_append_byte(seen, ']');
            } else {
                buffer_append_byte(seen, result == COMMAND_LINE_TOO_LONG ? 'L' : 'F');
            }
        }
        assert_int_equal(input.len, 0);
        free(copy);
    }
    assert_true(reader.partial.len <= COMMAND_AUTH_LINE_MAX);
    command_line_reader_fini(&reader);
}

static void lines_are_the_same_however_they_arrive(void **state)
{
    static const struct {
        const char *text, *seen;
    } rows[] = {
        {"NOOP\r\n",                                                                       "[NOOP]"         },
        {"\r\n\r\n",                                                                       "[][]"           },
        {"A\r\nB\r\nC",                                                                    "[A][B]"         },
        {"A\rB\r\n",                                                                       "[A\rB]"         },
        {"A\r\r\n",                                                                        "[A\r]"          },
        {"A\nB\r\nC\r\n",                                                                  "F[C]"           },
        {"\nB\r\n\nC\r\nD\r\n",                                                            "FF[D]"          },
        {"A\nB\nC\n\r\nD\r\n",                                                             "F[D]"           },
        {"A\n\r\nB\r\n",                                                                   "F[B]"           },
        {"123456789012345678901234567890\r\nB\r\n",                                        "[123456789012345678901234567890]"
                                                    "[B]"},
        {"1234567890123456789012345678901\r\nB\r\n",                                       "L[B]"           },
        {"12345678901234567890123456789012\r\nB\r\n",                                      "L[B]"           },
        {"123456789012345678901234567890123\nA\r\nB\r\n",                                  "L[B]"           },
        {"12345678901234567890123456789012\nA\r\nB\r\n",                                   "L[B]"           },
        {"123456789012345678901234567890123456789012345678901234567890123456789\r\nB\r\n", "L[B]"           },
        {"AUTH 6789012345678901234567890123456789\r\nB\r\n",
         "[AUTH 6789012345678901234567890123456789][B]"                                                     },
        {"auth 6789012345678901234567890123456789\nx\r\nB\r\n",                            "F[B]"           },
        {"AUTHX789012345678901234567890123456789\r\nB\r\n",                                "L[B]"           },
    };
    CLEANUP(buffer) struct buffer seen = BUFFER_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t piece = 1; piece <= 80; piece++) {
            read_all(&seen, slice_of(rows[i].text), piece, MAX);
            assert_slice_is(buffer_slice(&seen), rows[i].seen);
        }
}

static void a_nul_does_not_shorten_a_line(void **state)
{
    CLEANUP(buffer) struct buffer seen = BUFFER_INIT;

    (void)state;
    for (size_t piece = 1; piece <= 8; piece++) {
        read_all(&seen, SLICE_LITERAL("A\0B\r\n"), piece, MAX);
        assert_int_equal(seen.len, 5);
        assert_memory_equal(seen.data, "[A\0B]", 5);
    }
}

static void a_line_without_end_takes_constant_memory(void **state)
{
    struct command_line_reader reader;
    char part[1000];
    struct slice line;
    size_t most = 0;

    (void)state;
    memset(part, 'x', sizeof(part));
    command_line_reader_init(&reader);
    for (unsigned i = 0; i < 10000; i++) {
        struct slice input = {part, sizeof(part)};

        while (command_line_read(&reader, &input, COMMAND_LINE_MAX, &line) != COMMAND_LINE_MORE)
            assert_true(i < 3);
        if (reader.partial.capacity > most)
            most = reader.partial.capacity;
    }
    assert_true(most <= 4096);
    assert_int_equal(reader.partial.capacity, 0);
    command_line_reader_fini(&reader);
}

static void put(char *at, struct slice text)
{
    memcpy(at, text.data, text.len);
}

static void auth_lines_may_have_12288_octets_and_no_more(void **state)
{
    char text[COMMAND_AUTH_LINE_MAX + 3] = "AUTH ";
    CLEANUP(buffer) struct buffer seen = BUFFER_INIT;

    (void)state;
    memset(text + 5, 'x', sizeof(text) - 5);
    put(text + COMMAND_AUTH_LINE_MAX - 2, SLICE_LITERAL("\r\n"));
    read_all(&seen, slice_from(text, COMMAND_AUTH_LINE_MAX), 5000, COMMAND_LINE_MAX);
    assert_int_equal(seen.len, COMMAND_AUTH_LINE_MAX);
    put(text + COMMAND_AUTH_LINE_MAX - 2, SLICE_LITERAL("xx\r\n"));
    read_all(&seen, slice_from(text, COMMAND_AUTH_LINE_MAX + 2), 5000, COMMAND_LINE_MAX);
    assert_slice_is(buffer_slice(&seen), "L");
}

static void the_worst_octet_decides(void **state)
{
    (void)state;
    assert_int_equal(command_line_check(slice_of("NOOP ~ ")), COMMAND_BYTES_CLEAN);
    assert_int_equal(command_line_check(slice_of("NOOP \xc3\xa9")), COMMAND_BYTES_EIGHT_BIT);
    assert_int_equal(command_line_check(slice_of("\xc3\xa9\t")), COMMAND_BYTES_CONTROL);
    assert_int_equal(command_line_check(slice_of("\x7f")), COMMAND_BYTES_CONTROL);
    assert_int_equal(command_line_check(SLICE_LITERAL("a\0")), COMMAND_BYTES_CONTROL);
    assert_int_equal(command_line_check(slice_of("")), COMMAND_BYTES_CLEAN);
}

static void words_are_taken_one_by_one(void **state)
{
    struct slice rest = slice_of("  MAIL   FROM:<a@b>  X ");

    (void)state;
    assert_slice_is(command_line_word(&rest), "MAIL");
    assert_slice_is(command_line_word(&rest), "FROM:<a@b>");
    assert_slice_is(command_line_word(&rest), "X");
    assert_slice_is(rest, "");
    assert_slice_is(command_line_word(&rest), "");
}

static void parameters_are_keyword_and_value(void **state)
{
    struct slice rest = slice_of(" SIZE=1000 SMTPUTF8  x-1=a;b");
    struct esmtp_parameter given;

    (void)state;
    assert_int_equal(esmtp_parameter_next(&rest, &given), ESMTP_PARAMETER);
    assert_slice_is(given.keyword, "SIZE");
    assert_slice_is(given.value, "1000");
    assert_int_equal(esmtp_parameter_next(&rest, &given), ESMTP_PARAMETER);
    assert_slice_is(given.keyword, "SMTPUTF8");
    assert_false(given.has_value);
    assert_int_equal(esmtp_parameter_next(&rest, &given), ESMTP_PARAMETER);
    assert_slice_is(given.value, "a;b");
    assert_int_equal(esmtp_parameter_next(&rest, &given), ESMTP_PARAMETERS_END);
}

static void malformed_parameters_are_told(void **state)
{
    static const char *const rows[] = {"=",    "=x",   "A=",         "A=b=c",
                                       "-A=b", "A_=b", "\xc3\xa9=b", "<>"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice rest = slice_of(rows[i]);
        struct esmtp_parameter given;

        assert_int_equal(esmtp_parameter_next(&rest, &given), ESMTP_PARAMETER_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_the_same_however_they_arrive),
        cmocka_unit_test(a_nul_does_not_shorten_a_line),
        cmocka_unit_test(a_line_without_end_takes_constant_memory),
        cmocka_unit_test(auth_lines_may_have_12288_octets_and_no_more),
        cmocka_unit_test(the_worst_octet_decides),
        cmocka_unit_test(words_are_taken_one_by_one),
        cmocka_unit_test(parameters_are_keyword_and_value),
        cmocka_unit_test(malformed_parameters_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
