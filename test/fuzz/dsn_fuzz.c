/* Foreign text in every place of a report (parted by byte 0xFF): no control characters come out,
 * no line over 998, and the fields are the ones we wrote. */
#include "test/fuzz/fuzz.h"

#include "relay/message/dsn.h"

static struct slice next_text(struct slice *rest)
{
    ptrdiff_t end = slice_find(*rest, '\xff');
    struct slice text = slice_head(*rest, end < 0 ? rest->len : (size_t)end);

    *rest = slice_skip(*rest, text.len + 1);
    return text;
}

static void check_lines(struct slice report)
{
    while (report.len) {
        ptrdiff_t end = slice_find(report, '\n');

        PROMISE(end > 0 && end <= 999 && report.data[end - 1] == '\r');
        for (ptrdiff_t i = 0; i + 1 < end; i++)
            PROMISE((unsigned char)report.data[i] >= ' ' && report.data[i] != '\x7f');
        report = slice_skip(report, (size_t)end + 1);
    }
}

static unsigned count(struct slice report, struct slice part)
{
    unsigned n = 0;
    ptrdiff_t at;

    while ((at = slice_search(report, part)) >= 0) {
        report = slice_skip(report, (size_t)at + part.len);
        n++;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_from(data, size);
    struct dsn_recipient recipient = {.action = (enum dsn_action)(size % 5)};
    struct dsn dsn = {.recipients = &recipient, .n_recipients = 1, .now_utc_ms = 1};
    struct buffer report = BUFFER_INIT;
    struct dsn_facts facts;

    recipient.address = next_text(&rest);
    recipient.orcpt = next_text(&rest);
    recipient.status = next_text(&rest);
    recipient.remote_mta = next_text(&rest);
    recipient.diagnostic = next_text(&rest);
    recipient.reason = next_text(&rest);
    dsn.hostname = next_text(&rest);
    dsn.sender = next_text(&rest);
    dsn.queue_id = next_text(&rest);
    dsn.envid = next_text(&rest);
    dsn.report_id = SLICE_LITERAL("7Q2F");
    if (dsn.sender.len) {
        PROMISE(dsn_write(&dsn, &report, &facts) == 0);
        check_lines(buffer_slice(&report));
        PROMISE(count(buffer_slice(&report), SLICE_LITERAL("\r\nAction: ")) == 1);
        PROMISE(count(buffer_slice(&report), SLICE_LITERAL("\r\n--=_report_0_7Q2F")) == 3);
    }
    buffer_fini(&report);
    return 0;
}
