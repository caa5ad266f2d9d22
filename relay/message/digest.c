#include "relay/message/digest.h"

#include <assert.h>

#include "relay/base/clock.h"
#include "relay/message/line_scan.h"
#include "relay/message/report_writer.h"

enum {
    SUBJECT_MAX = 120,
    MOST_CAUSES = 32, /* the rest counts as one */
    STATUS_MAX = 12,  /* bytes of "5.123.123" */
};

/* What a status is about, RFC 3463 3; the first that fits its beginning. */
static const struct {
    const char *status, *word;
} words[] = {
    {"4.4.7",  "not delivered in time"      },
    {"5.4.7",  "not delivered in time"      },
    {"5.1.1",  "no such mailbox"            },
    {"5.1.2",  "no such domain"             },
    {"5.1.10", "a domain that takes no mail"},
    {"5.1.",   "wrong address"              },
    {"5.2.2",  "mailbox full"               },
    {"5.2.",   "mailbox does not take it"   },
    {"5.3.4",  "message too long"           },
    {"5.3.",   "the receiving system"       },
    {"5.4.",   "the way there"              },
    {"5.5.",   "a protocol error"           },
    {"5.6.",   "the message's form"         },
    {"5.7.",   "refused by policy"          },
};

struct cause {
    struct slice status;
    unsigned n;
};

static bool begins_with(struct slice text, const char *start)
{
    return slice_equal(slice_head(text, strlen(start)), slice_of(start));
}

static const char *word_of(struct slice status)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (begins_with(status, words[i].status) &&
            (words[i].status[strlen(words[i].status) - 1] == '.' ||
             status.len == strlen(words[i].status)))
            return words[i].word;
    return "other reasons";
}

/* Its place among those seen; the last place takes what is one too many. */
static struct cause *find_cause(struct cause *causes, unsigned *n_causes, struct slice status)
{
    for (unsigned i = 0; i < *n_causes; i++)
        if (slice_equal(causes[i].status, status))
            return &causes[i];
    if (*n_causes == MOST_CAUSES) {
        causes[MOST_CAUSES - 1].status = SLICE_LITERAL("");
        return &causes[MOST_CAUSES - 1];
    }
    causes[*n_causes] = (struct cause){status, 0};
    return &causes[(*n_causes)++];
}

static int by_number(const void *a, const void *b)
{
    const struct cause *first = a, *second = b;

    return (first->n < second->n) - (first->n > second->n);
}

static void write_causes(struct report_writer *writer, const struct digest *digest)
{
    struct cause causes[MOST_CAUSES];
    unsigned n_causes = 0;

    for (unsigned i = 0; i < digest->n_entries; i++)
        find_cause(causes, &n_causes, slice_head(digest->entries[i].recipient.status, STATUS_MAX))
            ->n++;
    qsort(causes, n_causes, sizeof(causes[0]), by_number);
    for (unsigned i = 0; i < n_causes; i++) {
        report_begin(writer, "");
        buffer_printf(&writer->line, "%8u  ", causes[i].n);
        report_add(writer, causes[i].status, STATUS_MAX);
        buffer_append_text(&writer->line, causes[i].status.len ? "  " : "");
        buffer_append_text(&writer->line, word_of(causes[i].status));
        report_end(writer, "    ");
    }
    buffer_append_text(writer->out, "\r\n");
}

/* Its message: when, which. */
static void write_origin(struct report_writer *writer, const struct digest_entry *entry)
{
    char date[CLOCK_DATE_SIZE];

    clock_format_date(entry->recipient.last_attempt_utc_ms, date);
    report_begin(writer, "    ");
    buffer_append_text(&writer->line, date);
    buffer_append_text(&writer->line, ", message ");
    report_add(writer, entry->queue_id, REPORT_WORD_MAX);
    if (entry->message_id.len) {
        buffer_append_text(&writer->line, ", ");
        report_add(writer, entry->message_id, REPORT_WORD_MAX);
    }
    report_end(writer, "    ");
    if (entry->subject.len) {
        report_begin(writer, "    Subject: ");
        report_add(writer, entry->subject, SUBJECT_MAX);
        report_end(writer, "    ");
    }
}

static void write_text(struct report_writer *writer, const struct digest *digest)
{
    char since[CLOCK_DATE_SIZE];

    report_begin_text(writer, digest->hostname);
    clock_format_date(digest->entries[0].recipient.last_attempt_utc_ms, since);
    report_begin(writer, "");
    buffer_printf(&writer->line,
                  "Since %s your messages could not be delivered to %u recipient%s. They will not "
                  "be tried again.",
                  since, digest->n_entries, digest->n_entries == 1 ? "" : "s");
    report_end(writer, "");
    buffer_append_text(writer->out, "\r\n");
    write_causes(writer, digest);
    for (unsigned i = 0; i < digest->n_entries; i++) {
        report_write_story(writer, &digest->entries[i].recipient);
        write_origin(writer, &digest->entries[i]);
        buffer_append_text(writer->out, "\r\n");
    }
}

static void write_status(struct report_writer *writer, const struct digest *digest)
{
    report_begin_status(writer, digest->hostname);
    buffer_append_text(writer->out, "\r\n");
    for (unsigned i = 0; i < digest->n_entries; i++) {
        const struct digest_entry *entry = &digest->entries[i];

        report_write_recipient(writer, &entry->recipient);
        report_field(writer, "X-Staffetta-Queue-ID: ", entry->queue_id, REPORT_WORD_MAX);
        report_xtext_field(writer, "X-Staffetta-Envelope-ID: ", entry->envid);
        if (entry->message_id.len)
            report_field(writer, "X-Staffetta-Message-ID: ", entry->message_id, REPORT_WORD_MAX);
        buffer_append_text(writer->out, "\r\n");
    }
}

static void write_header(struct report_writer *writer, const struct digest *digest)
{
    CLEANUP(buffer) struct buffer subject = BUFFER_INIT;
    struct report_header header = {
        .hostname = digest->hostname,
        .sender = digest->sender,
        .report_id = digest->report_id,
        .auto_submitted = "auto-generated", /* at its time, answering no one message */
        .now_utc_ms = digest->now_utc_ms,
        .has_eight_bit = writer->utf8,
    };

    buffer_printf(&subject, "Mail delivery failed for %u recipient%s", digest->n_entries,
                  digest->n_entries == 1 ? "" : "s");
    if (buffer_error(&subject) < 0)
        writer->out->failed = true;
    header.subject = buffer_slice(&subject);
    report_write_header(writer, &header);
}

static bool has_utf8_address(const struct digest *digest)
{
    bool found = has_eight_bit(digest->sender);

    for (unsigned i = 0; i < digest->n_entries && !found; i++)
        found = has_eight_bit(digest->entries[i].recipient.address);
    return found;
}

int digest_write(const struct digest *digest, struct buffer *out, struct dsn_facts *facts)
{
    struct report_writer writer = {.out = out, .utf8 = has_utf8_address(digest)};
    size_t start = out->len;

    assert(digest->sender.len && digest->n_entries);
    /* Foreign words never begin a line here, so none can be a boundary. */
    report_choose_boundary(&writer, digest->report_id, (struct slice){NULL, 0});
    write_header(&writer, digest);
    facts->header_bytes = out->len - start;
    write_text(&writer, digest);
    write_status(&writer, digest);
    report_close(&writer);
    buffer_fini(&writer.line);
    facts->has_eight_bit_header = has_eight_bit(slice_from(out->data + start, facts->header_bytes));
    facts->has_eight_bit = has_eight_bit(slice_skip(buffer_slice(out), start));
    return buffer_error(out);
}
