#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/message/digest.h"

static struct buffer report;
static struct dsn_facts facts;

static const int64_t now = 1795368363000LL; /* Sun, 22 Nov 2026 17:26:03 */

static struct slice write_digest(const struct digest_entry *entries, unsigned n)
{
    const struct digest digest = {
        .hostname = SLICE_LITERAL("relay.example.com"),
        .sender = SLICE_LITERAL("s@y.org"),
        .report_id = SLICE_LITERAL("8ABC"),
        .now_utc_ms = now,
        .entries = entries,
        .n_entries = n,
    };

    buffer_clear(&report);
    assert_int_equal(digest_write(&digest, &report, &facts), 0);
    return buffer_slice(&report);
}

static struct digest_entry entry_of(const char *address, const char *status)
{
    return (struct digest_entry){
        .recipient = {.address = slice_of(address),
                      .action = DSN_FAILED,
                      .status = slice_of(status),
                      .remote_mta = SLICE_LITERAL("mx.x.org"),
                      .diagnostic = SLICE_LITERAL("550 5.1.1 No such user"),
                      .last_attempt_utc_ms = now - 60000},
        .queue_id = SLICE_LITERAL("7Q2F"),
    };
}

static unsigned count(const char *text)
{
    struct slice rest = buffer_slice(&report);
    ptrdiff_t at;
    unsigned n = 0;

    for (; (at = slice_search(rest, slice_of(text))) >= 0; n++)
        rest = slice_skip(rest, (size_t)at + 1);
    return n;
}

static void one_failure_is_told_byte_for_byte(void **state)
{
    struct digest_entry entry = entry_of("a@x.org", "5.1.1");

    (void)state;
    entry.recipient.orcpt = SLICE_LITERAL("rfc822;first+2Blast@x.org");
    entry.envid = SLICE_LITERAL("QQ+2B1");
    entry.message_id = SLICE_LITERAL("<1@y.org>");
    entry.subject = SLICE_LITERAL("hello");
    assert_slice_is(write_digest(&entry, 1),
                    "Date: Sun, 22 Nov 2026 17:26:03 +0000\r\n"
                    "From: Mail Delivery System <mailer-daemon@relay.example.com>\r\n"
                    "To: <s@y.org>\r\n"
                    "Subject: Mail delivery failed for 1 recipient\r\n"
                    "Message-ID: <8ABC@relay.example.com>\r\n"
                    "Auto-Submitted: auto-generated\r\n"
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
                    "Since Sun, 22 Nov 2026 17:25:03 +0000 your messages could not be delivered\r\n"
                    "to 1 recipient. They will not be tried again.\r\n"
                    "\r\n"
                    "       1  5.1.1  no such mailbox\r\n"
                    "\r\n"
                    "<a@x.org>\r\n"
                    "    mx.x.org said: 550 5.1.1 No such user\r\n"
                    "    Sun, 22 Nov 2026 17:25:03 +0000, message 7Q2F, <1@y.org>\r\n"
                    "    Subject: hello\r\n"
                    "\r\n"
                    "--=_report_0_8ABC\r\n"
                    "Content-Description: Delivery report\r\n"
                    "Content-Type: message/delivery-status\r\n"
                    "\r\n"
                    "Reporting-MTA: dns; relay.example.com\r\n"
                    "\r\n"
                    "Original-Recipient: rfc822; first+last@x.org\r\n"
                    "Final-Recipient: rfc822; a@x.org\r\n"
                    "Action: failed\r\n"
                    "Status: 5.1.1\r\n"
                    "Remote-MTA: dns; mx.x.org\r\n"
                    "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"
                    "Last-Attempt-Date: Sun, 22 Nov 2026 17:25:03 +0000\r\n"
                    "X-Staffetta-Queue-ID: 7Q2F\r\n"
                    "X-Staffetta-Envelope-ID: QQ+1\r\n"
                    "X-Staffetta-Message-ID: <1@y.org>\r\n"
                    "\r\n"
                    "--=_report_0_8ABC--\r\n");
    assert_false(facts.has_eight_bit);
}

static void causes_are_counted_the_most_frequent_first(void **state)
{
    static const char *const statuses[] = {"5.7.1",  "5.1.1", "5.2.2", "5.1.1", "4.4.7",
                                           "5.1.10", "5.1.1", "5.7.1", ""};
    struct digest_entry entries[9];
    ptrdiff_t first, second;

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        entries[i] = entry_of("a@x.org", statuses[i]);
    write_digest(entries, 9);
    first =
        slice_search(buffer_slice(&report), slice_of("\r\n       3  5.1.1  no such mailbox\r\n"));
    second =
        slice_search(buffer_slice(&report), slice_of("\r\n       2  5.7.1  refused by policy\r\n"));
    assert_true(first > 0 && second > first);
    assert_int_equal(count("\r\n       1  4.4.7  not delivered in time\r\n"), 1);
    assert_int_equal(count("\r\n       1  5.1.10  a domain that takes no mail\r\n"), 1);
    assert_int_equal(count("\r\n       1  other reasons\r\n"), 1);
    assert_int_equal(count("Subject: Mail delivery failed for 9 recipients\r\n"), 1);
    assert_int_equal(count("Final-Recipient: rfc822; a@x.org\r\n"), 9);
}

/* A receiver chooses its replies: more causes than are told apart still add up. */
static void many_causes_end_as_others(void **state)
{
    static struct digest_entry entries[100];
    static char statuses[100][12];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(statuses[i], sizeof(statuses[i]), "5.1.%u", 100 + i);
        entries[i] = entry_of("a@x.org", statuses[i]);
    }
    write_digest(entries, 100);
    assert_int_equal(count("\r\n       1  5.1."), 31);
    assert_int_equal(count("\r\n      69  other reasons\r\n"), 1);
}

static void foreign_words_add_no_line_and_no_part(void **state)
{
    struct digest_entry entry = entry_of("a@x.org", "5.1.1");

    (void)state;
    entry.recipient.diagnostic =
        SLICE_LITERAL("550 \r\n--=_report_0_8ABC--\r\nAction: delivered\x1b[2J");
    entry.subject = SLICE_LITERAL("x\r\n--=_report_0_8ABC\r\n\r\nFinal-Recipient: rfc822; b@x.org");
    entry.message_id = SLICE_LITERAL("<1@y.org>\r\nStatus: 2.0.0");
    entry.envid = SLICE_LITERAL("+0D+0AAction:+20delivered");
    write_digest(&entry, 1);
    assert_int_equal(count("\r\n--=_report_0_8ABC"), 3);
    assert_int_equal(count("\r\nAction: "), 1);
    assert_int_equal(count("\r\nStatus: "), 1);
    assert_int_equal(count("\r\nFinal-Recipient: "), 1);
    assert_int_equal(count("\x1b"), 0);
}

static void utf8_addresses_use_the_forms_of_rfc_6533(void **state)
{
    struct digest_entry entry = entry_of("j\xc3\xbcrg@x.org", "5.1.1");

    (void)state;
    write_digest(&entry, 1);
    assert_int_equal(count("Content-Type: message/global-delivery-status\r\n"), 1);
    assert_int_equal(count("Final-Recipient: utf-8; j\xc3\xbcrg@x.org\r\n"), 1);
    assert_true(facts.has_eight_bit);
    assert_false(facts.has_eight_bit_header);
}

static int forget(void **state)
{
    (void)state;
    buffer_fini(&report);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_failure_is_told_byte_for_byte),
        cmocka_unit_test(causes_are_counted_the_most_frequent_first),
        cmocka_unit_test(many_causes_end_as_others),
        cmocka_unit_test(foreign_words_add_no_line_and_no_part),
        cmocka_unit_test(utf8_addresses_use_the_forms_of_rfc_6533),
    };

    return cmocka_run_group_tests(tests, NULL, forget);
}
