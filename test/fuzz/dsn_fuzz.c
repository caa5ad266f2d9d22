/* Foreign text in every place of a report (parted by byte 0xFF): no control characters come out,
 * no line over 998, and the fields are the ones we wrote. */
#include "test/fuzz/report_promises.h"

#include "relay/message/dsn.h"

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
        if (is_host(dsn.hostname))
            check_header(buffer_slice(&report), &facts);
        PROMISE(count(buffer_slice(&report), SLICE_LITERAL("\r\nAction: ")) == 1);
        PROMISE(count(buffer_slice(&report), SLICE_LITERAL("\r\n--=_report_0_7Q2F")) == 3);
    }
    buffer_fini(&report);
    return 0;
}
