#include "relay/message/dsn.h"

#include <assert.h>
#include <errno.h>

#include "relay/message/header.h"
#include "relay/message/line_scan.h"
#include "relay/message/report_writer.h"

/* How each action is told to people. */
/* clang-format off */
static const struct {
    const char *subject, *intro;
} actions[] = {
    [DSN_FAILED] = {"Mail delivery failed",
                    "Your message could not be delivered to the following recipients. It will "
                    "not be tried again."},
    [DSN_DELAYED] = {"Mail delivery delayed",
                     "Your message has not been delivered to the following recipients yet. It "
                     "is kept and will be tried again; please do not send it again."},
    [DSN_DELIVERED] = {"Mail delivered",
                       "Your message was delivered to the following recipients."},
    [DSN_RELAYED] = {"Mail relayed",
                     "Your message was handed on for the following recipients, to systems that "
                     "may not report on its delivery."},
    [DSN_EXPANDED] = {"Mail expanded",
                      "Your message was handed on to the members of the following lists."},
};
/* clang-format on */
enum { N_ACTIONS = sizeof(actions) / sizeof(*actions) };

static bool has_utf8_address(const struct dsn *dsn)
{
    bool found = has_eight_bit(dsn->sender);

    for (unsigned i = 0; i < dsn->n_recipients && !found; i++)
        found = has_eight_bit(dsn->recipients[i].address);
    return found;
}

/* msg-id without anything that could be more than one (RFC 5322 3.6.4). */
static struct slice original_message_id(struct slice original)
{
    struct header_field found;
    struct slice id;

    if (!header_find(original, "Message-ID", &found))
        return (struct slice){0};
    id = slice_trim(found.value);
    if (id.len < 3 || id.len > REPORT_WORD_MAX || id.data[0] != '<' || id.data[id.len - 1] != '>')
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

static void write_header(struct report_writer *writer, const struct dsn *dsn)
{
    const struct report_header header = {
        .hostname = dsn->hostname,
        .sender = dsn->sender,
        .report_id = dsn->report_id,
        .subject = slice_of(subject(dsn)),
        .about = original_message_id(dsn->original),
        .auto_submitted = "auto-replied",
        .now_utc_ms = dsn->now_utc_ms,
        .has_eight_bit = writer->utf8 || has_eight_bit(dsn->original),
    };

    report_write_header(writer, &header);
}

static void write_stories(struct report_writer *writer, const struct dsn *dsn,
                          enum dsn_action action)
{
    bool is_first = true;

    for (unsigned i = 0; i < dsn->n_recipients; i++) {
        if (dsn->recipients[i].action != action)
            continue;
        if (is_first)
            report_sentence(writer, actions[action].intro);
        is_first = false;
        report_write_story(writer, &dsn->recipients[i]);
        buffer_append_text(writer->out, "\r\n");
    }
}

static void write_text(struct report_writer *writer, const struct dsn *dsn)
{
    report_begin_text(writer, dsn->hostname);
    for (int action = 0; action < N_ACTIONS; action++)
        write_stories(writer, dsn, (enum dsn_action)action);
    report_sentence(writer, dsn->is_full ? "The message itself follows the report below."
                                         : "The header of the message follows the report below.");
}

static void write_status(struct report_writer *writer, const struct dsn *dsn)
{
    report_begin_status(writer, dsn->hostname);
    report_xtext_field(writer, "Original-Envelope-Id: ", dsn->envid);
    if (dsn->queue_id.len)
        report_field(writer, "X-Staffetta-Queue-ID: ", dsn->queue_id, REPORT_WORD_MAX);
    report_date_field(writer, "Arrival-Date: ", dsn->arrival_utc_ms);
    buffer_append_text(writer->out, "\r\n");
    for (unsigned i = 0; i < dsn->n_recipients; i++) {
        report_write_recipient(writer, &dsn->recipients[i]);
        buffer_append_text(writer->out, "\r\n");
    }
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

static void write_original(struct report_writer *writer, const struct dsn *dsn)
{
    struct slice original = dsn->original;

    if (original.len) {
        report_begin_part(writer, original_type(dsn),
                          dsn->is_full ? "Original message" : "Header of the original message",
                          has_eight_bit(original));
        buffer_append(writer->out, original);
        if (original.data[original.len - 1] != '\n')
            buffer_append_text(writer->out, "\r\n");
    }
    report_close(writer);
}

int dsn_write(const struct dsn *dsn, struct buffer *out, struct dsn_facts *facts)
{
    struct report_writer writer = {.out = out, .utf8 = has_utf8_address(dsn)};
    size_t start = out->len;
    struct slice whole;

    assert(dsn->sender.len && dsn->n_recipients);
    report_choose_boundary(&writer, dsn->report_id, dsn->original);
    write_header(&writer, dsn);
    facts->header_bytes = out->len - start;
    write_text(&writer, dsn);
    write_status(&writer, dsn);
    write_original(&writer, dsn);
    buffer_fini(&writer.line);
    whole = slice_skip(buffer_slice(out), start);
    facts->has_eight_bit_header = has_eight_bit(slice_head(whole, facts->header_bytes));
    facts->has_eight_bit = has_eight_bit(whole);
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
