#include "test/support/test_support.h"

#include "relay/smtp/reply.h"

static struct buffer out;

static struct slice print(struct smtp_reply reply)
{
    buffer_clear(&out);
    smtp_reply_print(&out, reply);
    return buffer_slice(&out);
}

static void a_reply_is_code_status_and_text(void **state)
{
    (void)state;
    assert_slice_is(print(SMTP_REPLY(250, 2, 1, 0, "Ok")), "250 2.1.0 Ok\r\n");
    assert_slice_is(print(SMTP_REPLY(354, 0, 0, 0, "Go on")), "354 Go on\r\n");
    assert_slice_is(print(SMTP_REPLY(334, 0, 0, 0, "")), "334 \r\n");
    assert_slice_is(print(SMTP_REPLY(250, 2, 0, 0, "")), "250 2.0.0\r\n");
}

static void each_line_of_text_is_a_line_of_the_reply(void **state)
{
    (void)state;
    assert_slice_is(print(SMTP_REPLY(550, 5, 7, 1, "one\ntwo\nthree")),
                    "550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n");
    assert_slice_is(print(SMTP_REPLY(550, 5, 7, 1, "one\n")), "550 5.7.1 one\r\n");
    assert_slice_is(print(SMTP_REPLY(250, 0, 0, 0, "\nb")), "250-\r\n250 b\r\n");
}

static void text_cannot_forge_a_second_reply(void **state)
{
    (void)state;
    assert_slice_is(print(SMTP_REPLY(550, 5, 7, 1, "a\r\n250 ok\x00\x1b[\xc3\xa8")),
                    "550-5.7.1 a?\r\n550 5.7.1 250 ok??[??\r\n");
}

static void no_line_is_above_512_octets(void **state)
{
    char text[2000];
    struct slice rest;
    size_t n_letters = 0;

    (void)state;
    memset(text, 'x', sizeof(text));
    rest = print(smtp_reply_with(550, SMTP_STATUS(5, 123, 123), slice_from(text, sizeof(text))));
    while (rest.len) {
        ptrdiff_t end = slice_search(rest, SLICE_LITERAL("\r\n"));

        assert_in_range(end, 14, 510);
        assert_int_equal(rest.data[3], rest.len > (size_t)end + 2 ? '-' : ' ');
        n_letters += (size_t)end - 14;
        rest = slice_skip(rest, (size_t)end + 2);
    }
    assert_int_equal(n_letters, sizeof(text));
}

static void one_line_for_logs_and_reports(void **state)
{
    (void)state;
    buffer_clear(&out);
    smtp_reply_print_line(&out, SMTP_REPLY(550, 5, 1, 1, "no\nuser"));
    assert_slice_is(buffer_slice(&out), "550 5.1.1 no user");
    buffer_clear(&out);
    smtp_reply_print_line(&out, SMTP_REPLY(421, 0, 0, 0, ""));
    assert_slice_is(buffer_slice(&out), "421");
}

static void kinds_follow_the_first_digit(void **state)
{
    (void)state;
    assert_true(smtp_reply_is_positive(SMTP_REPLY(250, 0, 0, 0, "")));
    assert_false(smtp_reply_is_positive(SMTP_REPLY(354, 0, 0, 0, "")));
    assert_true(smtp_reply_is_temporary(SMTP_REPLY(421, 0, 0, 0, "")));
    assert_false(smtp_reply_is_temporary(SMTP_REPLY(550, 0, 0, 0, "")));
    assert_true(smtp_reply_is_permanent(SMTP_REPLY(550, 0, 0, 0, "")));
    assert_false(smtp_reply_is_permanent(SMTP_REPLY(0, 0, 0, 0, "")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_code_status_and_text),
        cmocka_unit_test(each_line_of_text_is_a_line_of_the_reply),
        cmocka_unit_test(text_cannot_forge_a_second_reply),
        cmocka_unit_test(no_line_is_above_512_octets),
        cmocka_unit_test(one_line_for_logs_and_reports),
        cmocka_unit_test(kinds_follow_the_first_digit),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&out);
    return n_failed;
}
