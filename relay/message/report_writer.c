#include "relay/message/report_writer.h"

#include <assert.h>
#include <stdio.h>

#include "relay/base/clock.h"
#include "relay/message/dsn_text.h"
#include "relay/message/line_scan.h"

static const struct {
    const char *word, *status;
} actions[] = {
    [DSN_FAILED] = {"failed",    "5.0.0"},
      [DSN_DELAYED] = {"delayed",   "4.0.0"},
    [DSN_DELIVERED] = {"delivered", "2.0.0"},
      [DSN_RELAYED] = {"relayed",   "2.0.0"},
    [DSN_EXPANDED] = {"expanded",  "2.0.0"},
};
enum { N_ACTIONS = sizeof(actions) / sizeof(*actions) };

void report_choose_boundary(struct report_writer *writer, struct slice report_id,
                            struct slice inside)
{
    unsigned n = 0;

    do
        snprintf(writer->boundary, sizeof(writer->boundary), "=_report_%u_%.*s", n++,
                 (int)slice_head(report_id, 60).len, report_id.data);
    while (slice_search(inside, slice_of(writer->boundary)) >= 0);
}

void report_begin(struct report_writer *writer, const char *start)
{
    buffer_clear(&writer->line);
    buffer_append_text(&writer->line, start);
}

void report_add(struct report_writer *writer, struct slice text, size_t max)
{
    dsn_append_clean(&writer->line, text, max, writer->utf8);
}

void report_end(struct report_writer *writer, const char *indent)
{
    if (buffer_error(&writer->line) < 0)
        writer->out->failed = true;
    dsn_append_folded(writer->out, buffer_slice(&writer->line), indent);
}

void report_field(struct report_writer *writer, const char *name, struct slice value, size_t max)
{
    report_begin(writer, name);
    report_add(writer, value, max);
    report_end(writer, " ");
}

void report_date_field(struct report_writer *writer, const char *name, int64_t utc_ms)
{
    char date[CLOCK_DATE_SIZE];

    if (utc_ms == 0)
        return;
    clock_format_date(utc_ms, date);
    report_field(writer, name, slice_of(date), REPORT_WORD_MAX);
}

void report_xtext_field(struct report_writer *writer, const char *name, struct slice encoded)
{
    if (encoded.len == 0)
        return;
    report_begin(writer, name);
    dsn_append_xtext(&writer->line, encoded, REPORT_WORD_MAX, writer->utf8);
    report_end(writer, " ");
}

void report_sentence(struct report_writer *writer, const char *text)
{
    report_begin(writer, text);
    report_end(writer, "");
    buffer_append_text(writer->out, "\r\n");
}

/* ---- the header ---- */

void report_write_origin(struct report_writer *writer, const struct report_header *header)
{
    report_date_field(writer, "Date: ", header->now_utc_ms);
    report_begin(writer, "From: Mail Delivery System <mailer-daemon@");
    report_add(writer, header->hostname, REPORT_WORD_MAX);
    buffer_append_byte(&writer->line, '>');
    report_end(writer, " ");
    report_begin(writer, "To: <");
    report_add(writer, header->sender, REPORT_ADDRESS_MAX);
    buffer_append_byte(&writer->line, '>');
    report_end(writer, " ");
    report_field(writer, "Subject: ", header->subject, REPORT_WORD_MAX);
    report_begin(writer, "Message-ID: <");
    report_add(writer, header->report_id, REPORT_WORD_MAX);
    buffer_append_byte(&writer->line, '@');
    report_add(writer, header->hostname, REPORT_WORD_MAX);
    buffer_append_byte(&writer->line, '>');
    report_end(writer, " ");
    if (header->about.len) {
        report_field(writer, "In-Reply-To: ", header->about, REPORT_WORD_MAX);
        report_field(writer, "References: ", header->about, REPORT_WORD_MAX);
    }
    report_field(writer, "Auto-Submitted: ", slice_of(header->auto_submitted), REPORT_WORD_MAX);
    buffer_append_text(writer->out, "MIME-Version: 1.0\r\n");
}

void report_write_header(struct report_writer *writer, const struct report_header *header)
{
    report_write_origin(writer, header);
    buffer_append_text(writer->out, "Content-Type: multipart/report; "
                                    "report-type=delivery-status;\r\n boundary=\"");
    buffer_append_text(writer->out, writer->boundary);
    buffer_append_text(writer->out, "\"\r\n");
    if (header->has_eight_bit)
        buffer_append_text(writer->out, "Content-Transfer-Encoding: 8bit\r\n");
    buffer_append_text(writer->out, "\r\n");
}

/* ---- parts ---- */

void report_begin_part(struct report_writer *writer, const char *type, const char *description,
                       bool eight_bit)
{
    struct buffer *out = writer->out;

    buffer_append_text(out, "--");
    buffer_append_text(out, writer->boundary);
    buffer_append_text(out, "\r\nContent-Description: ");
    buffer_append_text(out, description);
    buffer_append_text(out, "\r\nContent-Type: ");
    buffer_append_text(out, type);
    buffer_append_text(out, eight_bit ? "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" : "\r\n\r\n");
}

void report_begin_text(struct report_writer *writer, struct slice hostname)
{
    report_begin_part(writer,
                      writer->utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
                      "Notification", writer->utf8);
    report_begin(writer, "This is the mail system at ");
    report_add(writer, hostname, REPORT_WORD_MAX);
    buffer_append_text(&writer->line, ".");
    report_end(writer, " "); /* a foreign word never begins a line: it could be our boundary */
    buffer_append_text(writer->out, "\r\n");
}

void report_begin_status(struct report_writer *writer, struct slice hostname)
{
    report_begin_part(writer,
                      writer->utf8 ? "message/global-delivery-status" : "message/delivery-status",
                      "Delivery report", writer->utf8);
    report_field(writer, "Reporting-MTA: dns; ", hostname, REPORT_WORD_MAX);
}

void report_close(struct report_writer *writer)
{
    buffer_append_text(writer->out, "--");
    buffer_append_text(writer->out, writer->boundary);
    buffer_append_text(writer->out, "--\r\n");
}

/* ---- recipients ---- */

void report_write_story(struct report_writer *writer, const struct dsn_recipient *recipient)
{
    const char *until = "    It will be tried until ";
    char date[CLOCK_DATE_SIZE];

    report_begin(writer, "<");
    report_add(writer, recipient->address, REPORT_ADDRESS_MAX);
    buffer_append_byte(&writer->line, '>');
    report_end(writer, "    ");
    report_begin(writer, "    ");
    if (recipient->diagnostic.len && recipient->remote_mta.len) {
        report_add(writer, recipient->remote_mta, REPORT_WORD_MAX);
        buffer_append_text(&writer->line, " said: ");
    }
    report_add(writer, recipient->diagnostic.len ? recipient->diagnostic : recipient->reason,
               REPORT_DIAGNOSTIC_MAX);
    if (recipient->diagnostic.len || recipient->reason.len)
        report_end(writer, "    ");
    if (recipient->action == DSN_DELAYED && recipient->retry_until_utc_ms) {
        clock_format_date(recipient->retry_until_utc_ms, date);
        report_field(writer, until, slice_of(date), REPORT_WORD_MAX);
    }
}

/* status-code = DIGIT "." 1*3DIGIT "." 1*3DIGIT  (RFC 3463 2) */
static bool is_status(struct slice status)
{
    unsigned n_dots = 0, n_digits = 0;

    for (size_t i = 0; i < status.len; i++) {
        if (status.data[i] == '.' && n_digits) {
            n_dots++;
            n_digits = 0;
        } else if (status.data[i] < '0' || status.data[i] > '9' || ++n_digits > 3) {
            return false;
        }
    }
    return n_dots == 2 && n_digits > 0 && status.data[1] == '.';
}

/* original-recipient = address-type ";" xtext, and the type is an atom */
static void write_original_recipient(struct report_writer *writer, struct slice orcpt)
{
    ptrdiff_t semicolon = slice_find(orcpt, ';');

    if (semicolon <= 0)
        return;
    report_begin(writer, "Original-Recipient: ");
    report_add(writer, slice_head(orcpt, (size_t)semicolon), REPORT_WORD_MAX);
    buffer_append_text(&writer->line, "; ");
    dsn_append_xtext(&writer->line, slice_skip(orcpt, (size_t)semicolon + 1), REPORT_ADDRESS_MAX,
                     writer->utf8);
    report_end(writer, " ");
}

void report_write_recipient(struct report_writer *writer, const struct dsn_recipient *recipient)
{
    const char *type = has_eight_bit(recipient->address) ? "Final-Recipient: utf-8; "
                                                         : "Final-Recipient: rfc822; ";

    assert((size_t)recipient->action < N_ACTIONS);
    write_original_recipient(writer, recipient->orcpt);
    report_field(writer, type, recipient->address, REPORT_ADDRESS_MAX);
    report_field(writer, "Action: ", slice_of(actions[recipient->action].word), REPORT_WORD_MAX);
    report_field(writer, "Status: ",
                 is_status(recipient->status) ? recipient->status
                                              : slice_of(actions[recipient->action].status),
                 REPORT_WORD_MAX);
    if (recipient->remote_mta.len)
        report_field(writer, "Remote-MTA: dns; ", recipient->remote_mta, REPORT_WORD_MAX);
    if (recipient->diagnostic.len)
        report_field(writer, "Diagnostic-Code: smtp; ", recipient->diagnostic,
                     REPORT_DIAGNOSTIC_MAX);
    else if (recipient->reason.len)
        report_field(writer, "Diagnostic-Code: x-staffetta; ", recipient->reason,
                     REPORT_DIAGNOSTIC_MAX);
    report_date_field(writer, "Last-Attempt-Date: ", recipient->last_attempt_utc_ms);
    if (recipient->action == DSN_DELAYED)
        report_date_field(writer, "Will-Retry-Until: ", recipient->retry_until_utc_ms);
}
