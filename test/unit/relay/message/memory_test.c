/* Readers and writers with too little memory: each says -ENOMEM, and leaves nothing behind. */
#include "test/support/failing_memory.h"
#include "test/support/test_support.h"

#include <errno.h>

#include "relay/message/dsn.h"
#include "relay/message/header.h"
#include "relay/message/idn.h"
#include "relay/message/mime.h"

static const char message[] = "From: A <a@example.org>, b@example.org\r\n"
                              "Sender: (c) c@example.org\r\n"
                              "Subject: one\r\n two\r\n"
                              "Message-ID: <1@x>\r\n"
                              "List-Id: news <n.example.org>\r\n"
                              "X-Staffetta-Campaign: spring\r\n"
                              "Content-Type: multipart/mixed; boundary=\"b\"\r\n"
                              "Bcc: d@example.org\r\n"
                              "\r\n"
                              "--b\r\n\r\n\xc3\xa9\r\n--b--\r\n";

static int read_facts(void)
{
    struct header_facts facts;
    struct arena arena;
    bool is_complete;
    size_t len = header_length(slice_of(message), &is_complete);
    int error;

    arena_init(&arena, 0);
    error = header_read_facts(slice_from(message, len), &arena, &facts);
    arena_reset(&arena);
    return error;
}

static int tidy(void)
{
    struct header_additions additions = {{0}, SLICE_LITERAL("now"), SLICE_LITERAL("<1@x>")};
    struct header_facts facts = {0};
    struct buffer out = BUFFER_INIT;
    bool is_complete;
    size_t len = header_length(slice_of(message), &is_complete);
    int error = header_tidy(slice_from(message, len), &facts, &additions, &out);

    buffer_fini(&out);
    return error;
}

static int keep(void *owner, struct slice bytes)
{
    buffer_append(owner, bytes);
    return buffer_error(owner);
}

static int convert(void)
{
    struct buffer out = BUFFER_INIT;
    struct mime_sink sink = {keep, &out};
    struct mime_result result;
    int error = mime_to_seven_bit(slice_of(message), &sink, &result);

    buffer_fini(&out);
    return error;
}

static int report(void)
{
    struct dsn_recipient recipient = {.address = SLICE_LITERAL("a@x.org"),
                                      .orcpt = SLICE_LITERAL("rfc822;a+2Bb@x.org"),
                                      .diagnostic = SLICE_LITERAL("550 5.1.1 No")};
    struct dsn dsn = {.hostname = SLICE_LITERAL("relay.example"),
                      .sender = SLICE_LITERAL("s@y.org"),
                      .queue_id = SLICE_LITERAL("7Q2F"),
                      .report_id = SLICE_LITERAL("8ABC"),
                      .now_utc_ms = 1,
                      .recipients = &recipient,
                      .n_recipients = 1};
    struct buffer out = BUFFER_INIT;
    struct dsn_facts facts;
    int error = dsn_write(&dsn, &out, &facts);

    buffer_fini(&out);
    return error;
}

static int name(void)
{
    char ascii[IDN_SIZE];

    return idn_to_ascii(SLICE_LITERAL("b\xc3\xbc"
                                      "cher.example"),
                        ascii);
}

static void no_memory_is_said(void **state)
{
    (void)state;
    assert_true(memory_fail_everywhere(read_facts, -ENOMEM) > 0);
    assert_true(memory_fail_everywhere(tidy, -ENOMEM) > 0);
    assert_true(memory_fail_everywhere(convert, -ENOMEM) > 0);
    assert_true(memory_fail_everywhere(report, -ENOMEM) > 0);
    assert_true(memory_fail_everywhere(name, -ENOMEM) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
