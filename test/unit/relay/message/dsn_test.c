#include "test/support/test_support.h"

#include <stdlib.h>
#include <time.h>

#include "relay/message/dsn.h"
#include "relay/message/header.h"

static struct buffer report;
static struct dsn_facts facts;

static const int64_t arrival = 1795368303000LL; /* Sun, 22 Nov 2026 17:25:03 */

static struct slice write_report(const struct dsn *dsn)
{
    buffer_clear(&report);
    assert_int_equal(dsn_write(dsn, &report, &facts), 0);
    return buffer_slice(&report);
}

static bool has(const char *text)
{
    return slice_search(buffer_slice(&report), slice_of(text)) >= 0;
}

/* Lines end in CRLF, none is long, no control character. */
static void assert_is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        assert_true(c >= ' ' || c == '\r' || c == '\n');
        assert_int_equal(c == '\n', i > 0 && text.data[i - 1] == '\r');
        assert_true(c != '\r' || (i + 1 < text.len && text.data[i + 1] == '\n'));
    }
}

static struct dsn plain_report(const struct dsn_recipient *recipients, unsigned n)
{
    return (struct dsn){.hostname = SLICE_LITERAL("relay.example.com"),
                        .sender = SLICE_LITERAL("s@y.org"),
                        .queue_id = SLICE_LITERAL("7Q2F"),
                        .report_id = SLICE_LITERAL("8ABC"),
                        .arrival_utc_ms = arrival,
                        .now_utc_ms = arrival + 60000,
                        .original = SLICE_LITERAL("Subject: x\r\nMessage-ID: <1@y.org>\r\n\r\n"),
                        .recipients = recipients,
                        .n_recipients = n};
}

static void a_failure_is_reported_byte_for_byte(void **state)
{
    struct dsn_recipient recipient = {.address = SLICE_LITERAL("a@x.org"),
                                      .orcpt = SLICE_LITERAL("rfc822;first+2Blast@x.org"),
                                      .action = DSN_FAILED,
                                      .status = SLICE_LITERAL("5.1.1"),
                                      .remote_mta = SLICE_LITERAL("mx.x.org"),
                                      .diagnostic = SLICE_LITERAL("550 5.1.1 No such user"),
                                      .last_attempt_utc_ms = arrival + 1000};
    struct dsn dsn = plain_report(&recipient, 1);

    (void)state;
    dsn.envid = SLICE_LITERAL("QQ+2B1");
    assert_slice_is(
        write_report(&dsn),
        "Date: Sun, 22 Nov 2026 17:26:03 +0000\r\n"
        "From: Mail Delivery System <mailer-daemon@relay.example.com>\r\n"
        "To: <s@y.org>\r\n"
        "Subject: Mail delivery failed\r\n"
        "Message-ID: <8ABC@relay.example.com>\r\n"
        "In-Reply-To: <1@y.org>\r\n"
        "References: <1@y.org>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        " boundary=\"=_report_0_8ABC\"\r\n"
        "\r\n"
        "--=_report_0_8ABC\r\n"
        "Content-Description: Notification\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        "\r\n"
        "This is the mail system at relay.example.com.\r\n"
        "\r\n"
        "Your message could not be delivered to the following recipients. It will not\r\n"
        "be tried again.\r\n"
        "\r\n"
        "<a@x.org>\r\n"
        "    mx.x.org said: 550 5.1.1 No such user\r\n"
        "\r\n"
        "The header of the message follows the report below.\r\n"
        "\r\n"
        "--=_report_0_8ABC\r\n"
        "Content-Description: Delivery report\r\n"
        "Content-Type: message/delivery-status\r\n"
        "\r\n"
        "Reporting-MTA: dns; relay.example.com\r\n"
        "Original-Envelope-Id: QQ+1\r\n"
        "X-Staffetta-Queue-ID: 7Q2F\r\n"
        "Arrival-Date: Sun, 22 Nov 2026 17:25:03 +0000\r\n"
        "\r\n"
        "Original-Recipient: rfc822; first+last@x.org\r\n"
        "Final-Recipient: rfc822; a@x.org\r\n"
        "Action: failed\r\n"
        "Status: 5.1.1\r\n"
        "Remote-MTA: dns; mx.x.org\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"
        "Last-Attempt-Date: Sun, 22 Nov 2026 17:25:04 +0000\r\n"
        "\r\n"
        "--=_report_0_8ABC\r\n"
        "Content-Description: Header of the original message\r\n"
        "Content-Type: text/rfc822-headers\r\n"
        "\r\n"
        "Subject: x\r\nMessage-ID: <1@y.org>\r\n\r\n"
        "--=_report_0_8ABC--\r\n");
    assert_false(facts.has_eight_bit || facts.has_eight_bit_header);
    assert_true(slice_starts_with(slice_skip(buffer_slice(&report), facts.header_bytes),
                                  SLICE_LITERAL("--=_report_0_8ABC\r\n")));
}

static void a_delay_says_until_when(void **state)
{
    struct dsn_recipient recipient = {.address = SLICE_LITERAL("a@x.org"),
                                      .action = DSN_DELAYED,
                                      .status = SLICE_LITERAL("4.4.1"),
                                      .reason = SLICE_LITERAL("No answer from mx.x.org"),
                                      .retry_until_utc_ms = arrival};
    struct dsn dsn = plain_report(&recipient, 1);

    (void)state;
    write_report(&dsn);
    assert_true(has("Subject: Mail delivery delayed\r\n"));
    assert_true(has("Action: delayed\r\nStatus: 4.4.1\r\n"
                    "Diagnostic-Code: x-staffetta; No answer from mx.x.org\r\n"
                    "Will-Retry-Until: Sun, 22 Nov 2026 17:25:03 +0000\r\n"));
    assert_true(has("It will be tried until Sun, 22 Nov 2026 17:25:03 +0000\r\n"));
}

static void recipients_of_several_fates_share_a_report(void **state)
{
    struct dsn_recipient recipients[] = {
        {.address = SLICE_LITERAL("ok@x.org"),    .action = DSN_DELIVERED},
        {                                    .address = SLICE_LITERAL("no@x.org"),                   .action = DSN_FAILED                       },
        { .address = SLICE_LITERAL("on@x.org"),
         .action = DSN_RELAYED,
         .status = SLICE_LITERAL("not.a.status")}
    };
    struct dsn dsn = plain_report(recipients, 3);

    (void)state;
    write_report(&dsn);
    assert_true(has("Subject: Mail delivery failed\r\n"));
    assert_true(has("Final-Recipient: rfc822; ok@x.org\r\nAction: delivered\r\nStatus: 2.0.0\r\n"));
    assert_true(has("Final-Recipient: rfc822; no@x.org\r\nAction: failed\r\nStatus: 5.0.0\r\n"));
    assert_true(has("Final-Recipient: rfc822; on@x.org\r\nAction: relayed\r\nStatus: 2.0.0\r\n"));
}

static void nothing_foreign_adds_a_line(void **state)
{
    static const struct slice evil = SLICE_LITERAL(
        "550 x\r\nAction: delivered\n\rBcc: y\0\x1b[2J\x7f \xc3\xa8 \x80 \t\t\t  \r\n\r\n--b--");
    struct dsn_recipient recipient = {.address = evil,
                                      .orcpt = SLICE_LITERAL("rfc822;a+0D+0ABcc:+20x"),
                                      .action = DSN_FAILED,
                                      .status = evil,
                                      .remote_mta = evil,
                                      .diagnostic = evil};
    struct dsn dsn = plain_report(&recipient, 1);

    (void)state;
    dsn.envid = SLICE_LITERAL("x+0D+0AAction: delivered");
    dsn.hostname = dsn.sender = dsn.queue_id = evil;
    dsn.original = SLICE_LITERAL("Message-ID: <a>\r\n <b>\r\n\r\n");
    write_report(&dsn);
    assert_is_clean(buffer_slice(&report));
    assert_false(has("\r\nAction: delivered"));
    assert_false(has("\r\nBcc"));
    assert_false(has("In-Reply-To"));
}

static void long_replies_are_cut_and_folded(void **state)
{
    char words[5000];
    struct dsn_recipient recipient = {
        .address = SLICE_LITERAL("a@x.org"), .diagnostic = {words, sizeof(words)}
    };
    struct dsn dsn = plain_report(&recipient, 1);
    struct slice rest;

    (void)state;
    for (size_t i = 0; i < sizeof(words); i++)
        words[i] = i % 7 ? 'x' : ' ';
    rest = write_report(&dsn);
    assert_true(rest.len < 5000);
    while (rest.len) {
        ptrdiff_t end = slice_find(rest, '\n');

        assert_in_range(end, 0, 79);
        rest = slice_skip(rest, (size_t)end + 1);
    }
    memset(words, 'x', sizeof(words)); /* one word */
    rest = write_report(&dsn);
    while (rest.len) {
        ptrdiff_t end = slice_find(rest, '\n');

        assert_in_range(end, 0, 998);
        rest = slice_skip(rest, (size_t)end + 1);
    }
}

static void the_original_cannot_end_its_part(void **state)
{
    struct dsn_recipient recipient = {.address = SLICE_LITERAL("a@x.org")};
    struct dsn dsn = plain_report(&recipient, 1);

    (void)state;
    dsn.is_full = true;
    dsn.original = SLICE_LITERAL("A: b\r\n\r\n--=_report_0_8ABC--\r\n--=_report_1_8ABC\r\nno end");
    write_report(&dsn);
    assert_true(has("boundary=\"=_report_2_8ABC\""));
    assert_true(has("Content-Type: message/rfc822\r\n\r\nA: b\r\n"));
    assert_true(has("no end\r\n--=_report_2_8ABC--\r\n"));
}

static void utf8_addresses_use_the_forms_of_rfc_6533(void **state)
{
    struct dsn_recipient recipient = {.address = SLICE_LITERAL("caff\xc3\xa8@x.org"),
                                      .diagnostic = SLICE_LITERAL("550 \xc3\xa8 \xff")};
    struct dsn dsn = plain_report(&recipient, 1);

    (void)state;
    dsn.original = SLICE_LITERAL("Subject: \xc3\xa8\r\n\r\n");
    write_report(&dsn);
    assert_true(has("Content-Type: message/global-delivery-status\r\n"
                    "Content-Transfer-Encoding: 8bit\r\n"));
    assert_true(has("Final-Recipient: utf-8; caff\xc3\xa8@x.org\r\n"));
    assert_true(has("Diagnostic-Code: smtp; 550 \xc3\xa8 ?\r\n"));
    assert_true(has("Content-Type: message/global-headers\r\n"));
    assert_true(facts.has_eight_bit);
    assert_false(facts.has_eight_bit_header);
    dsn.sender = SLICE_LITERAL("\xc3\xa8@y.org");
    write_report(&dsn);
    assert_true(facts.has_eight_bit_header);
}

static void eight_bit_replies_stay_out_of_plain_reports(void **state)
{
    struct dsn_recipient recipient = {.address = SLICE_LITERAL("a@x.org"),
                                      .diagnostic = SLICE_LITERAL("550 caff\xc3\xa8")};
    struct dsn dsn = plain_report(&recipient, 1);

    (void)state;
    write_report(&dsn);
    assert_true(has("550 caff??\r\n"));
    assert_false(facts.has_eight_bit);
}

static void notify_decides_who_hears_what(void **state)
{
    static const struct {
        uint8_t notify;
        bool failed, delayed, delivered;
    } rows[] = {
        {0,                                     true,  true,  false},
        {DSN_NOTIFY_NEVER,                      false, false, false},
        {DSN_NOTIFY_FAILURE,                    true,  false, false},
        {DSN_NOTIFY_SUCCESS,                    false, false, true },
        {DSN_NOTIFY_DELAY | DSN_NOTIFY_FAILURE, true,  true,  false}
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(dsn_is_wanted(rows[i].notify, DSN_FAILED), rows[i].failed);
        assert_int_equal(dsn_is_wanted(rows[i].notify, DSN_DELAYED), rows[i].delayed);
        assert_int_equal(dsn_is_wanted(rows[i].notify, DSN_DELIVERED), rows[i].delivered);
        assert_int_equal(dsn_is_wanted(rows[i].notify, DSN_RELAYED), rows[i].delivered);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_reported_byte_for_byte),
        cmocka_unit_test(a_delay_says_until_when),
        cmocka_unit_test(recipients_of_several_fates_share_a_report),
        cmocka_unit_test(nothing_foreign_adds_a_line),
        cmocka_unit_test(long_replies_are_cut_and_folded),
        cmocka_unit_test(the_original_cannot_end_its_part),
        cmocka_unit_test(utf8_addresses_use_the_forms_of_rfc_6533),
        cmocka_unit_test(eight_bit_replies_stay_out_of_plain_reports),
        cmocka_unit_test(notify_decides_who_hears_what),
    };
    int n_failed;

    setenv("TZ", "UTC", 1);
    tzset();
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_fini(&report);
    return n_failed;
}
