/* Foreign text in every place of a digest of one to four failures (parted by byte 0xFF): as many
 * blocks as there are failures, one status each, nothing added by what a peer or a client said. */
#include "test/fuzz/report_promises.h"

#include "relay/message/digest.h"

enum { MOST_ENTRIES = 4 };

static struct digest_entry next_entry(struct slice *rest)
{
    struct digest_entry entry = {.recipient = {.action = DSN_FAILED}};

    entry.recipient.address = next_text(rest);
    entry.recipient.orcpt = next_text(rest);
    entry.recipient.status = next_text(rest);
    entry.recipient.remote_mta = next_text(rest);
    entry.recipient.diagnostic = next_text(rest);
    entry.recipient.reason = next_text(rest);
    entry.queue_id = next_text(rest);
    entry.envid = next_text(rest);
    entry.message_id = next_text(rest);
    entry.subject = next_text(rest);
    entry.recipient.last_attempt_utc_ms = (int64_t)rest->len * 86400000;
    return entry;
}

static void check_digest(const struct digest *digest)
{
    static const char *const fields[] = {"\r\nFinal-Recipient: ", "\r\nAction: ", "\r\nStatus: "};
    struct buffer report = BUFFER_INIT;
    struct dsn_facts facts;

    PROMISE(digest_write(digest, &report, &facts) == 0);
    check_lines(buffer_slice(&report));
    if (is_host(digest->hostname))
        check_header(buffer_slice(&report), &facts);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        PROMISE(count(buffer_slice(&report), slice_of(fields[i])) == digest->n_entries);
    PROMISE(count(buffer_slice(&report), SLICE_LITERAL("\r\n--=_report_0_7Q2F")) == 3);
    PROMISE(facts.has_eight_bit || !facts.has_eight_bit_header);
    buffer_fini(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_from(data, size);
    struct digest_entry entries[MOST_ENTRIES];
    struct digest digest = {.entries = entries,
                            .n_entries = size % MOST_ENTRIES + 1,
                            .report_id = SLICE_LITERAL("7Q2F"),
                            .now_utc_ms = 1};

    digest.hostname = next_text(&rest);
    digest.sender = next_text(&rest);
    if (!digest.sender.len)
        return 0;
    for (unsigned i = 0; i < digest.n_entries; i++)
        entries[i] = next_entry(&rest);
    check_digest(&digest);
    return 0;
}
