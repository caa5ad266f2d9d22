#include "relay/spool/envelope.h"

#include <errno.h>

enum { ENVELOPE_VERSION = 1 };

void envelope_encode(struct buffer *out, const struct envelope *envelope)
{
    buffer_append_u8(out, ENVELOPE_VERSION);
    buffer_append_u64(out, envelope->id);
    buffer_append_u64(out, (uint64_t)envelope->arrived_utc_ms);
    buffer_append_u64(out, (uint64_t)envelope->expires_utc_ms);
    buffer_append_u32(out, envelope->user_id);
    buffer_append_u32(out, envelope->flags);
    buffer_append_u8(out, (uint8_t)envelope->class);
    buffer_append_u8(out, (uint8_t)envelope->ret);
    buffer_append_counted(out, envelope->user);
    buffer_append_counted(out, envelope->sender);
    buffer_append_counted(out, envelope->envid);
    buffer_append_counted(out, envelope->campaign);
    buffer_append_counted(out, envelope->client);
    buffer_append_counted(out, envelope->from_domain);
    buffer_append_u32(out, envelope->n_recipients);
    for (uint32_t i = 0; i < envelope->n_recipients; i++) {
        buffer_append_counted(out, envelope->recipients[i].address);
        buffer_append_counted(out, envelope->recipients[i].orcpt);
        buffer_append_u8(out, envelope->recipients[i].notify);
    }
}

static void decode_fields(struct envelope *out, struct reader *reader)
{
    out->id = reader_u64(reader);
    out->arrived_utc_ms = (int64_t)reader_u64(reader);
    out->expires_utc_ms = (int64_t)reader_u64(reader);
    out->user_id = reader_u32(reader);
    out->flags = reader_u32(reader);
    out->class = (enum message_class)reader_u8(reader);
    out->ret = (enum message_ret)reader_u8(reader);
    out->user = reader_counted(reader);
    out->sender = reader_counted(reader);
    out->envid = reader_counted(reader);
    out->campaign = reader_counted(reader);
    out->client = reader_counted(reader);
    out->from_domain = reader_counted(reader);
    out->n_recipients = reader_u32(reader);
}

static int decode_recipients(struct envelope *out, struct reader *reader, struct arena *arena)
{
    enum { LEAST_BYTES = 9 }; /* of one recipient: two lengths and a byte */
    struct recipient *recipients;

    /* The number is a stranger's until the bytes for it are there. */
    if (out->n_recipients > ENVELOPE_MAX_RECIPIENTS ||
        out->n_recipients > reader->rest.len / LEAST_BYTES)
        return -EBADMSG;
    recipients = arena_alloc(arena, out->n_recipients * sizeof(*recipients));
    if (!recipients && out->n_recipients)
        return FAULT(-ENOMEM);
    for (uint32_t i = 0; i < out->n_recipients; i++) {
        recipients[i].address = reader_counted(reader);
        recipients[i].orcpt = reader_counted(reader);
        recipients[i].notify = reader_u8(reader);
    }
    out->recipients = recipients;
    return 0;
}

int envelope_decode(struct envelope *out, struct slice bytes, struct arena *arena)
{
    struct reader reader = {.rest = bytes};
    struct envelope envelope = {0};
    int error;

    if (reader_u8(&reader) != ENVELOPE_VERSION)
        return -EBADMSG;
    decode_fields(&envelope, &reader);
    if (reader.failed || envelope.class > CLASS_BULK || envelope.ret > RET_HEADERS)
        return -EBADMSG;
    error = decode_recipients(&envelope, &reader, arena);
    if (error)
        return error;
    if (reader.failed || reader.rest.len)
        return -EBADMSG;
    *out = envelope;
    return 0;
}
