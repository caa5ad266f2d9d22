#include "relay/message/notice.h"

#include <string.h>

#include "relay/message/line_scan.h"
#include "relay/message/report_writer.h"

enum { PARAGRAPH_MAX = 900 };

static void write_body(struct report_writer *writer, const struct notice *notice)
{
    report_begin(writer, "This is the mail system at ");
    report_add(writer, notice->hostname, REPORT_WORD_MAX);
    buffer_append_byte(&writer->line, '.');
    report_end(writer, "");
    buffer_append_text(writer->out, "\r\n");
    for (const char *const *text = notice->paragraphs; *text; text++) {
        report_begin(writer, "");
        report_add(writer, slice_of(*text), PARAGRAPH_MAX);
        report_end(writer, "");
        buffer_append_text(writer->out, "\r\n");
    }
}

int notice_write(const struct notice *notice, struct buffer *out, struct dsn_facts *facts)
{
    struct report_writer writer = {.out = out, .utf8 = has_eight_bit(notice->recipient)};
    struct report_header header = {
        .hostname = notice->hostname,
        .sender = notice->recipient,
        .report_id = notice->notice_id,
        .subject = slice_of(notice->subject),
        .auto_submitted = "auto-generated",
        .now_utc_ms = notice->now_utc_ms,
    };
    size_t start = out->len;

    report_write_origin(&writer, &header);
    buffer_append_text(out, "Content-Type: text/plain; charset=utf-8\r\n");
    if (writer.utf8)
        buffer_append_text(out, "Content-Transfer-Encoding: 8bit\r\n");
    buffer_append_text(out, "\r\n");
    facts->header_bytes = out->len - start;
    write_body(&writer, notice);
    buffer_fini(&writer.line);
    facts->has_eight_bit_header = writer.utf8;
    facts->has_eight_bit = has_eight_bit(slice_skip(buffer_slice(out), start));
    return buffer_error(out);
}
