#include "test/support/test_support.h"

#include <string.h>

#include "relay/message/header.h"
#include "relay/message/notice.h"

static struct buffer letter;
static struct dsn_facts facts;

static void write_to(const char *recipient, const char *word)
{
    const char *const paragraphs[] = {word, "The second.", NULL};
    const struct notice notice = {
        .hostname = SLICE_LITERAL("relay.example"),
        .recipient = slice_of(recipient),
        .notice_id = SLICE_LITERAL("T123"),
        .now_utc_ms = 1795392000000,
        .subject = "Your quota",
        .paragraphs = paragraphs,
    };

    buffer_clear(&letter);
    assert_int_equal(notice_write(&notice, &letter, &facts), 0);
}

static int tear_down(void **state)
{
    (void)state;
    buffer_fini(&letter);
    return 0;
}

static bool has_field(const char *name, const char *value)
{
    struct header_field field;

    return header_find(slice_head(buffer_slice(&letter), facts.header_bytes), name, &field) &&
           slice_equal(slice_trim(field.value), slice_of(value));
}

static void a_letter_is_plain_text_that_answers_nothing(void **state)
{
    bool is_complete;

    (void)state;
    write_to("news@shop.example", "The first.");
    assert_int_equal(header_length(buffer_slice(&letter), &is_complete), facts.header_bytes);
    assert_true(is_complete);
    assert_true(has_field("From", "Mail Delivery System <mailer-daemon@relay.example>"));
    assert_true(has_field("To", "<news@shop.example>"));
    assert_true(has_field("Subject", "Your quota"));
    assert_true(has_field("Message-ID", "<T123@relay.example>"));
    assert_true(has_field("Auto-Submitted", "auto-generated"));
    assert_true(has_field("Content-Type", "text/plain; charset=utf-8"));
    assert_false(facts.has_eight_bit);
    assert_true(slice_search(buffer_slice(&letter),
                             SLICE_LITERAL("\r\nThe first.\r\n\r\nThe second.\r\n")) > 0);
}

static void foreign_words_add_no_line_and_no_field(void **state)
{
    (void)state;
    write_to("a@b.example\r\nBcc: x@y.example", "one\r\n.\r\nMAIL FROM:<x@y>");
    assert_true(slice_search(buffer_slice(&letter), SLICE_LITERAL("\nBcc:")) < 0);
    assert_true(slice_search(buffer_slice(&letter), SLICE_LITERAL("\nMAIL")) < 0);
    assert_true(slice_search(buffer_slice(&letter), SLICE_LITERAL("\r\n.\r\n")) < 0);
}

static void an_address_beyond_ascii_needs_utf8(void **state)
{
    (void)state;
    write_to("n\xc3\xa9@shop.example", "The first.");
    assert_true(facts.has_eight_bit_header);
    assert_true(has_field("Content-Transfer-Encoding", "8bit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_letter_is_plain_text_that_answers_nothing, tear_down),
        cmocka_unit_test_teardown(foreign_words_add_no_line_and_no_field, tear_down),
        cmocka_unit_test_teardown(an_address_beyond_ascii_needs_utf8, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
