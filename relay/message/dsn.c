#include "relay/message/dsn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "relay/base/clock.h"
#include "relay/message/dsn_text.h"
#include "relay/message/header.h"
#include "relay/message/line_scan.h"

enum {
    ADDRESS_MAX = 400,
    DIAGNOSTIC_MAX = 900, /* with its name still one line of RFC 5322's 998 */
    WORD_MAX = 256,       /* host names, ids */
    BOUNDARY_SIZE = 96
};

/* What each action is called, and how it is told to people. */
/* clang-format off */
static const struct {
    const char *word, *status, *subject, *intro;
} actions[] = {
    [DSN_FAILED] = {"failed", "5.0.0", "Mail delivery failed",
                    "Your message could not be delivered to the following recipients. It will "
                    "not be tried again."},
    [DSN_DELAYED] = {"delayed", "4.0.0", "Mail delivery delayed",
                     "Your message has not been delivered to the following recipients yet. It "
                     "is kept and will be tried again; please do not send it again."},
    [DSN_DELIVERED] = {"delivered", "2.0.0", "Mail delivered",
                       "Your message was delivered to the following recipients."},
    [DSN_RELAYED] = {"relayed", "2.0.0", "Mail relayed",
                     "Your message was handed on for the following recipients, to systems that "
                     "may not report on its delivery."},
    [DSN_EXPANDED] = {"expanded", "2.0.0", "Mail expanded",
                      "Your message was handed on to the members of the following lists."},
};
/* clang-format on */
enum { N_ACTIONS = sizeof(actions) / sizeof(*actions) };

/* One report being written. */
struct writer {
    const struct dsn *dsn;
    struct buffer *out;
    struct buffer line; /* a field or a sentence before it is folded */
    bool utf8;          /* an address needs it: RFC 6533 forms */
    char boundary[BOUNDARY_SIZE];
};

static bool has_utf8_address(const struct dsn *dsn)
{
    bool found = has_eight_bit(dsn->sender);

    for (unsigned i = 0; i < dsn->n_recipients && !found; i++)
        found = has_eight_bit(dsn->recipients[i].address);
    return found;
}

/* A line of the original must not end its own part, whoever guessed the next id. */
static void choose_boundary(struct writer *writer)
{
    unsigned n = 0;

    do
        snprintf(writer->boundary, sizeof(writer->boundary), "=_report_%u_%.*s", n++,
                 (int)slice_head(writer->dsn->report_id, 60).len, writer->dsn->report_id.data);
    while (slice_search(writer->dsn->original, slice_of(writer->boundary)) >= 0);
}

static void begin(struct writer *writer, const char *start)
{
    buffer_clear(&writer->line);
    buffer_append_text(&writer->line, start);
}

static void add(struct writer *writer, struct slice text, size_t max)
{
    dsn_append_clean(&writer->line, text, max, writer->utf8);
}

static void end(struct writer *writer, const char *indent)
{
    if (buffer_error(&writer->line) < 0)
        writer->out->failed = true;
    dsn_append_folded(writer->out, buffer_slice(&writer->line), indent);
}

static void field(struct writer *writer, const char *name, struct slice value, size_t max)
{
    begin(writer, name);
    add(writer, value, max);
    end(writer, " ");
}

static void date_field(struct writer *writer, const char *name, int64_t utc_ms)
{
    char date[CLOCK_DATE_SIZE];

    if (utc_ms == 0)
        return;
    clock_format_date(utc_ms, date);
    field(writer, name, slice_of(date), WORD_MAX);
}

/* msg-id without anything that could be more than one (RFC 5322 3.6.4). */
static struct slice original_message_id(struct slice original)
{
    struct header_field found;
    struct slice id;

    if (!header_find(original, "Message-ID", &found))
        return (struct slice){0};
    id = slice_trim(found.value);
    if (id.len < 3 || id.len > WORD_MAX || id.data[0] != '<' || id.data[id.len - 1] != '>')
        return (struct slice){0};
    for (size_t i = 1; i + 1 < id.len; i++)
        if (id.data[i] <= ' ' || id.data[i] > '~' || id.data[i] == '<' || id.data[i] == '>')
            return (struct slice){0};
    return id;
}

/* The gravest action names the report. */
static const char *subject(const struct dsn *dsn)
{
    enum dsn_action gravest = DSN_EXPANDED;

    for (unsigned i = 0; i < dsn->n_recipients; i++)
        if (dsn->recipients[i].action < gravest)
            gravest = dsn->recipients[i].action;
    return actions[gravest].subject;
}

static void write_header(struct writer *writer)
{
    const struct dsn *dsn = writer->dsn;
    struct slice id = original_message_id(dsn->original);

    date_field(writer, "Date: ", dsn->now_utc_ms);
    begin(writer, "From: Mail Delivery System <mailer-daemon@");
    add(writer, dsn->hostname, WORD_MAX);
    buffer_append_byte(&writer->line, '>');
    end(writer, " ");
    begin(writer, "To: <");
    add(writer, dsn->sender, ADDRESS_MAX);
    buffer_append_byte(&writer->line, '>');
    end(writer, " ");
    field(writer, "Subject: ", slice_of(subject(dsn)), WORD_MAX);
    begin(writer, "Message-ID: <");
    add(writer, dsn->report_id, WORD_MAX);
    buffer_append_byte(&writer->line, '@');
    add(writer, dsn->hostname, WORD_MAX);
    buffer_append_byte(&writer->line, '>');
    end(writer, " ");
    if (id.len) {
        field(writer, "In-Reply-To: ", id, WORD_MAX);
        field(writer, "References: ", id, WORD_MAX);
    }
    buffer_append_text(writer->out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                                    "Content-Type: multipart/report; "
                                    "report-type=delivery-status;\r\n boundary=\"");
    buffer_append_text(writer->out, writer->boundary);
    buffer_append_text(writer->out, "\"\r\n");
    if (writer->utf8 || has_eight_bit(dsn->original))
        buffer_append_text(writer->out, "Content-Transfer-Encoding: 8bit\r\n");
    buffer_append_text(writer->out, "\r\n");
}

static void begin_part(struct writer *writer, const char *type, const char *description,
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

static void sentence(struct writer *writer, const char *text)
{
    begin(writer, text);
    end(writer, "");
    buffer_append_text(writer->out, "\r\n");
}

static void write_story(struct writer *writer, const struct dsn_recipient *recipient)
{
    const char *until = "    It will be tried until ";
    char date[CLOCK_DATE_SIZE];

    begin(writer, "<");
    add(writer, recipient->address, ADDRESS_MAX);
    buffer_append_byte(&writer->line, '>');
    end(writer, "    ");
    begin(writer, "    ");
    if (recipient->diagnostic.len && recipient->remote_mta.len) {
        add(writer, recipient->remote_mta, WORD_MAX);
        buffer_append_text(&writer->line, " said: ");
    }
    add(writer, recipient->diagnostic.len ? recipient->diagnostic : recipient->reason,
        DIAGNOSTIC_MAX);
    if (recipient->diagnostic.len || recipient->reason.len)
        end(writer, "    ");
    if (recipient->action == DSN_DELAYED && recipient->retry_until_utc_ms) {
        clock_format_date(recipient->retry_until_utc_ms, date);
        field(writer, until, slice_of(date), WORD_MAX);
    }
    buffer_append_text(writer->out, "\r\n");
}

static void write_stories(struct writer *writer, enum dsn_action action)
{
    const struct dsn *dsn = writer->dsn;
    bool is_first = true;

    for (unsigned i = 0; i < dsn->n_recipients; i++) {
        if (dsn->recipients[i].action != action)
            continue;
        if (is_first)
            sentence(writer, actions[action].intro);
        is_first = false;
        write_story(writer, &dsn->recipients[i]);
    }
}

static void write_text(struct writer *writer)
{
    begin_part(writer, writer->utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
               "Notification", writer->utf8);
    begin(writer, "This is the mail system at ");
    add(writer, writer->dsn->hostname, WORD_MAX);
    buffer_append_text(&writer->line, ".");
    end(writer, " "); /* a foreign word never begins a line: it could be our boundary */
    buffer_append_text(writer->out, "\r\n");
    for (int action = 0; action < N_ACTIONS; action++)
        write_stories(writer, (enum dsn_action)action);
    sentence(writer, writer->dsn->is_full ? "The message itself follows the report below."
                                          : "The header of the message follows the report below.");
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
static void write_original_recipient(struct writer *writer, struct slice orcpt)
{
    ptrdiff_t semicolon = slice_find(orcpt, ';');

    if (semicolon <= 0)
        return;
    begin(writer, "Original-Recipient: ");
    add(writer, slice_head(orcpt, (size_t)semicolon), WORD_MAX);
    buffer_append_text(&writer->line, "; ");
    dsn_append_xtext(&writer->line, slice_skip(orcpt, (size_t)semicolon + 1), ADDRESS_MAX,
                     writer->utf8);
    end(writer, " ");
}

static void write_recipient(struct writer *writer, const struct dsn_recipient *recipient)
{
    const char *type = has_eight_bit(recipient->address) ? "Final-Recipient: utf-8; "
                                                         : "Final-Recipient: rfc822; ";

    assert((size_t)recipient->action < N_ACTIONS);
    write_original_recipient(writer, recipient->orcpt);
    field(writer, type, recipient->address, ADDRESS_MAX);
    field(writer, "Action: ", slice_of(actions[recipient->action].word), WORD_MAX);
    field(writer, "Status: ",
          is_status(recipient->status) ? recipient->status
                                       : slice_of(actions[recipient->action].status),
          WORD_MAX);
    if (recipient->remote_mta.len)
        field(writer, "Remote-MTA: dns; ", recipient->remote_mta, WORD_MAX);
    if (recipient->diagnostic.len)
        field(writer, "Diagnostic-Code: smtp; ", recipient->diagnostic, DIAGNOSTIC_MAX);
    else if (recipient->reason.len)
        field(writer, "Diagnostic-Code: x-staffetta; ", recipient->reason, DIAGNOSTIC_MAX);
    date_field(writer, "Last-Attempt-Date: ", recipient->last_attempt_utc_ms);
    if (recipient->action == DSN_DELAYED)
        date_field(writer, "Will-Retry-Until: ", recipient->retry_until_utc_ms);
    buffer_append_text(writer->out, "\r\n");
}

static void write_status(struct writer *writer)
{
    const struct dsn *dsn = writer->dsn;

    begin_part(writer, writer->utf8 ? "message/global-delivery-status" : "message/delivery-status",
               "Delivery report", writer->utf8);
    field(writer, "Reporting-MTA: dns; ", dsn->hostname, WORD_MAX);
    if (dsn->envid.len) {
        begin(writer, "Original-Envelope-Id: ");
        dsn_append_xtext(&writer->line, dsn->envid, WORD_MAX, writer->utf8);
        end(writer, " ");
    }
    if (dsn->queue_id.len)
        field(writer, "X-Staffetta-Queue-ID: ", dsn->queue_id, WORD_MAX);
    date_field(writer, "Arrival-Date: ", dsn->arrival_utc_ms);
    buffer_append_text(writer->out, "\r\n");
    for (unsigned i = 0; i < dsn->n_recipients; i++)
        write_recipient(writer, &dsn->recipients[i]);
}

/* RFC 6533 4: the global types where the original's header has UTF-8. */
static const char *original_type(const struct dsn *dsn)
{
    bool is_complete;
    size_t header_bytes = header_length(dsn->original, &is_complete);
    bool is_global = has_eight_bit(slice_head(dsn->original, header_bytes)) &&
                     is_utf8(slice_head(dsn->original, header_bytes));

    if (dsn->is_full)
        return is_global ? "message/global" : "message/rfc822";
    return is_global ? "message/global-headers" : "text/rfc822-headers";
}

static void write_original(struct writer *writer)
{
    struct slice original = writer->dsn->original;

    if (original.len) {
        begin_part(writer, original_type(writer->dsn),
                   writer->dsn->is_full ? "Original message" : "Header of the original message",
                   has_eight_bit(original));
        buffer_append(writer->out, original);
        if (original.data[original.len - 1] != '\n')
            buffer_append_text(writer->out, "\r\n");
    }
    buffer_append_text(writer->out, "--");
    buffer_append_text(writer->out, writer->boundary);
    buffer_append_text(writer->out, "--\r\n");
}

int dsn_write(const struct dsn *dsn, struct buffer *out, struct dsn_facts *facts)
{
    struct writer writer = {.dsn = dsn, .out = out, .utf8 = has_utf8_address(dsn)};
    size_t start = out->len;

    assert(dsn->sender.len && dsn->n_recipients);
    choose_boundary(&writer);
    write_header(&writer);
    facts->header_bytes = out->len - start;
    write_text(&writer);
    write_status(&writer);
    write_original(&writer);
    buffer_fini(&writer.line);
    facts->has_eight_bit_header = has_eight_bit(slice_from(out->data + start, facts->header_bytes));
    facts->has_eight_bit = has_eight_bit(slice_skip(buffer_slice(out), start));
    return buffer_error(out);
}

bool dsn_is_wanted(uint8_t notify, enum dsn_action action)
{
    if (notify == 0)
        return action == DSN_FAILED || action == DSN_DELAYED;
    if (notify & DSN_NOTIFY_NEVER)
        return false;
    if (action == DSN_FAILED)
        return notify & DSN_NOTIFY_FAILURE;
    return notify & (action == DSN_DELAYED ? DSN_NOTIFY_DELAY : DSN_NOTIFY_SUCCESS);
}
