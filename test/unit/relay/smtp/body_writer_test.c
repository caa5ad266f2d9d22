#include "test/support/test_support.h"

#include "relay/smtp/body_writer.h"

static struct buffer out;

static int write_in_pieces(struct slice body, size_t piece)
{
    struct body_writer writer = {0};
    int error = 0;

    buffer_clear(&out);
    while (body.len && !error) {
        struct slice part = slice_head(body, piece);

        error = body_writer_write(&writer, part, &out);
        body = slice_skip(body, part.len);
    }
    return error ? error : body_writer_end(&writer, &out);
}

static void bodies_are_stuffed_and_ended(void **state)
{
    static const struct {
        const char *body, *wire;
    } rows[] = {
        {"",                      ".\r\n"                     },
        {"Hi\r\n",                "Hi\r\n.\r\n"               },
        {".\r\n",                 "..\r\n.\r\n"               },
        {"..\r\n.a\r\nb.\r\n",    "...\r\n..a\r\nb.\r\n.\r\n" },
        {"\r\n.\r\n",             "\r\n..\r\n.\r\n"           },
        {"\r\n\r\n",              "\r\n\r\n.\r\n"             },
        {"no end",                "no end\r\n.\r\n"           }, /* BDAT may end so */
        {".",                     "..\r\n.\r\n"               },
        {"caff\xc3\xa8 \x80\r\n", "caff\xc3\xa8 \x80\r\n.\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t piece = 1; piece < 12; piece++) {
            assert_int_equal(write_in_pieces(slice_of(rows[i].body), piece), 0);
            assert_slice_is(buffer_slice(&out), rows[i].wire);
        }
    }
}

/* Every look-alike of the end of data, at the start, in the middle and at the end, in every cut:
 * unclean, and what has left by then holds no end of data. */
static void nothing_but_crlf_lines_leaves(void **state)
{
    static const struct slice ends[] = {
        SLICE_LITERAL("\n.\n"),       SLICE_LITERAL("\n.\r\n"),     SLICE_LITERAL("\r.\r"),
        SLICE_LITERAL("\r.\r\n"),     SLICE_LITERAL("\r\n.\n"),     SLICE_LITERAL("\r\n.\r"),
        SLICE_LITERAL("\r\n\0.\r\n"), SLICE_LITERAL("\r\n.\0\r\n"), SLICE_LITERAL("\r\0\n.\r\n"),
        SLICE_LITERAL("\r\r\n.\r\n"), SLICE_LITERAL("\n\r.\n\r"),   SLICE_LITERAL("\r\n.\r\r\n"),
    };
    static const char *const befores[] = {"", "a", "a\r\n", ".\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        for (size_t j = 0; j < sizeof(befores) / sizeof(*befores); j++) {
            for (size_t piece = 1; piece < 14; piece++) {
                struct buffer body = BUFFER_INIT;

                buffer_append_text(&body, befores[j]);
                buffer_append(&body, ends[i]);
                buffer_append_text(&body, "MAIL FROM:<evil>\r\n");
                assert_int_equal(write_in_pieces(buffer_slice(&body), piece), BODY_UNCLEAN);
                assert_int_equal(slice_search(buffer_slice(&out), SLICE_LITERAL("\n.\r")), -1);
                assert_int_equal(slice_search(buffer_slice(&out), SLICE_LITERAL("\n.\n")), -1);
                assert_false(slice_starts_with(buffer_slice(&out), SLICE_LITERAL(".\r")));
                buffer_fini(&body);
            }
        }
    }
}

static void an_unclean_body_stays_unclean(void **state)
{
    struct body_writer writer = {0};

    (void)state;
    buffer_clear(&out);
    assert_int_equal(body_writer_write(&writer, SLICE_LITERAL("a\nb"), &out), BODY_UNCLEAN);
    assert_int_equal(body_writer_write(&writer, SLICE_LITERAL("fine\r\n"), &out), BODY_UNCLEAN);
    assert_int_equal(body_writer_end(&writer, &out), BODY_UNCLEAN);
    assert_int_equal(slice_find(buffer_slice(&out), '.'), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_stuffed_and_ended),
        cmocka_unit_test(nothing_but_crlf_lines_leaves),
        cmocka_unit_test(an_unclean_body_stays_unclean),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&out);
    return n_failed;
}
