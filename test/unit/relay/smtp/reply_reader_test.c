#include "test/support/test_support.h"

#include "relay/smtp/reply_reader.h"

static struct reply_reader reader;

/* Feeds in pieces of n bytes; *rest is what was not taken. */
static enum reply_progress feed(struct slice input, size_t n, struct slice *rest)
{
    enum reply_progress progress = REPLY_MORE;

    while (input.len && progress == REPLY_MORE) {
        struct slice piece = slice_head(input, n);
        size_t given = piece.len;

        progress = reply_reader_feed(&reader, &piece);
        input = slice_skip(input, given - piece.len);
    }
    *rest = input;
    return progress;
}

static void replies_are_read_whatever_the_pieces(void **state)
{
    static const struct {
        const char *bytes;
        uint16_t code, class, subject, detail;
        const char *text;
    } rows[] = {
        {"250 ok\r\n",                                            250, 0, 0,   0,   "ok"                 },
        {"250\r\n",                                               250, 0, 0,   0,   ""                   },
        {"250 \r\n",                                              250, 0, 0,   0,   ""                   },
        {"250-\r\n250\r\n",                                       250, 0, 0,   0,   "\n"                 },
        {"550 5.1.1 No such user\r\n",                            550, 5, 1,   1,   "No such user"       },
        {"550-5.7.1 One\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n", 550, 5, 7,   1,   "One\ntwo\nthree"    },
        {"550-5.7.1 One\r\n550 two\r\n",                          550, 5, 7,   1,   "One\ntwo"           },
        {"450 4.7.1\r\n",                                         450, 4, 7,   1,   ""                   },
        {"550 4.7.1 contradiction\r\n",                           550, 0, 0,   0,   "4.7.1 contradiction"},
        {"421 a\tb \xc3\xa8\xff\r\n",                             421, 0, 0,   0,   "a\tb \xc3\xa8\xff"  },
        {"599 5.999.999 x\r\n",                                   599, 5, 999, 999, "x"                  },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t piece = 1; piece < 9; piece++) {
            struct slice rest;
            struct smtp_reply reply;

            assert_int_equal(feed(slice_of(rows[i].bytes), piece, &rest), REPLY_COMPLETE);
            assert_int_equal(rest.len, 0);
            reply = reply_reader_reply(&reader);
            assert_int_equal(reply.code, rows[i].code);
            assert_int_equal(reply.status.class, rows[i].class);
            assert_int_equal(reply.status.subject, rows[i].subject);
            assert_int_equal(reply.status.detail, rows[i].detail);
            assert_slice_is(reply.text, rows[i].text);
            reply_reader_next(&reader);
        }
    }
}

static void the_next_reply_is_left_alone(void **state)
{
    struct slice rest;

    (void)state;
    assert_int_equal(feed(SLICE_LITERAL("250 a\r\n550 b\r\n"), 100, &rest), REPLY_COMPLETE);
    assert_slice_is(rest, "550 b\r\n");
    reply_reader_next(&reader);
}

static void malformed_replies_name_their_problem(void **state)
{
    static const struct {
        struct slice bytes;
        const char *problem;
    } rows[] = {
        {SLICE_LITERAL("<html>\r\n"),         "no reply code"                 },
        {SLICE_LITERAL("150 x\r\n"),          "no reply code"                 },
        {SLICE_LITERAL("2x0 x\r\n"),          "no reply code"                 },
        {SLICE_LITERAL("250ok\r\n"),          "no blank behind the reply code"},
        {SLICE_LITERAL("250\n"),              "no blank behind the reply code"},
        {SLICE_LITERAL("250 ok\n"),           "bare LF in reply"              },
        {SLICE_LITERAL("250 ok\rx"),          "bare CR in reply"              },
        {SLICE_LITERAL("250\r250"),           "bare CR in reply"              },
        {SLICE_LITERAL("250 o\0k\r\n"),       "control character in reply"    },
        {SLICE_LITERAL("250 \x1b[1m\r\n"),    "control character in reply"    },
        {SLICE_LITERAL("250 \x7f\r\n"),       "control character in reply"    },
        {SLICE_LITERAL("250-a\r\n251 b\r\n"), "differing reply codes"         },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t piece = 1; piece < 20; piece += 18) {
            struct slice rest;

            assert_int_equal(feed(rows[i].bytes, piece, &rest), REPLY_MALFORMED);
            assert_string_equal(reader.problem, rows[i].problem);
            assert_true(reply_reader_excerpt(&reader).len > 0);
            reply_reader_next(&reader);
        }
    }
}

static void only_one_line_lacks_just_a_cr(void **state)
{
    static const struct {
        const char *bytes;
        bool is_whole;
    } rows[] = {
        {"250 taken\n",           true },
        {"250 taken\n\n",         true },
        {"250 taken\n250 more\n", true },
        {"250-taken\n",           false},
        {"250-a\r\n250 b\n",      false},
        {"250 a\rb\n",            false},
        {"250 a\x01\n",           false},
        {"250\n",                 false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct slice rest = slice_of(rows[i].bytes);

        assert_int_equal(reply_reader_feed(&reader, &rest), REPLY_MALFORMED);
        assert_int_equal(reader.is_whole_but_cr, rows[i].is_whole);
        reply_reader_next(&reader);
    }
}

static void a_reply_ends_at_64_KiB(void **state)
{
    struct slice line = SLICE_LITERAL("250-0123456789012345678901234567890123456789012345\r\n");
    enum reply_progress progress = REPLY_MORE;
    size_t n_bytes = 0;

    (void)state;
    while (progress == REPLY_MORE) {
        struct slice rest = line;

        progress = reply_reader_feed(&reader, &rest);
        n_bytes += line.len - rest.len;
    }
    assert_int_equal(progress, REPLY_MALFORMED);
    assert_in_range(n_bytes, REPLY_MAX_BYTES, REPLY_MAX_BYTES + line.len);
    reply_reader_next(&reader);
    assert_int_equal(reader.text.capacity, 0); /* and its memory is given back */
}

static void a_line_without_end_stops_at_64_KiB(void **state)
{
    enum reply_progress progress = REPLY_MORE;
    struct slice rest;

    (void)state;
    assert_int_equal(feed(SLICE_LITERAL("250 "), 4, &rest), REPLY_MORE);
    for (size_t i = 0; i < REPLY_MAX_BYTES && progress == REPLY_MORE; i++) {
        rest = SLICE_LITERAL("x");
        progress = reply_reader_feed(&reader, &rest);
    }
    assert_int_equal(progress, REPLY_MALFORMED);
    reply_reader_next(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read_whatever_the_pieces),
        cmocka_unit_test(the_next_reply_is_left_alone),
        cmocka_unit_test(malformed_replies_name_their_problem),
        cmocka_unit_test(only_one_line_lacks_just_a_cr),
        cmocka_unit_test(a_reply_ends_at_64_KiB),
        cmocka_unit_test(a_line_without_end_stops_at_64_KiB),
    };
    int n_failed;

    reply_reader_init(&reader);
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    reply_reader_fini(&reader);
    return n_failed;
}
