#include "signer/protocol.h"

#include <errno.h>

enum { RECORD_HEAD_BYTES = 1 + 8 }; /* what the length counts before the body */

int signer_record_next(struct reader *datagram, struct signer_record *out)
{
    struct reader record = {.rest = SLICE_LITERAL("")};

    if (datagram->rest.len == 0)
        return 0;
    record.rest = reader_counted(datagram);
    if (datagram->failed || record.rest.len < RECORD_HEAD_BYTES)
        return -EBADMSG;
    out->kind = (enum signer_record_kind)reader_u8(&record);
    out->id = reader_u64(&record);
    out->body = record;
    return 1;
}

size_t signer_record_begin(struct buffer *out, enum signer_record_kind kind, uint64_t id)
{
    size_t begin = out->len;

    buffer_append_u32(out, 0);
    buffer_append_u8(out, (uint8_t)kind);
    buffer_append_u64(out, id);
    return begin;
}

void signer_record_end(struct buffer *out, size_t begin)
{
    size_t len = out->len - begin - 4;

    if (out->failed)
        return;
    for (unsigned i = 0; i < 4; i++)
        out->data[begin + i] = (char)(len >> (8 * i));
}

static bool is_whole(const struct signer_record *record)
{
    return !record->body.failed && record->body.rest.len == 0;
}

static bool is_key_type(uint8_t type)
{
    return type == DKIM_KEY_RSA || type == DKIM_KEY_ED25519;
}

void wire_put_file(struct buffer *out, uint16_t slot)
{
    size_t begin = signer_record_begin(out, RECORD_FILE, 0);

    buffer_append_u16(out, slot);
    signer_record_end(out, begin);
}

bool wire_get_file(struct signer_record *record, uint16_t *slot)
{
    *slot = reader_u16(&record->body);
    return is_whole(record) && *slot < SIGNER_FILE_SLOTS;
}

void wire_put_sign(struct buffer *out, uint64_t id, const struct wire_sign *sign)
{
    size_t begin = signer_record_begin(out, RECORD_SIGN, id);

    buffer_append_u16(out, sign->slot);
    buffer_append_u64(out, sign->offset);
    buffer_append_u64(out, sign->length);
    buffer_append_u32(out, sign->crc);
    buffer_append_u32(out, sign->life_s);
    buffer_append_counted(out, sign->domain);
    buffer_append_counted(out, sign->selector);
    buffer_append_counted(out, sign->prefix);
    signer_record_end(out, begin);
}

bool wire_get_sign(struct signer_record *record, struct wire_sign *out)
{
    struct reader *body = &record->body;

    out->slot = reader_u16(body);
    out->offset = reader_u64(body);
    out->length = reader_u64(body);
    out->crc = reader_u32(body);
    out->life_s = reader_u32(body);
    out->domain = reader_counted(body);
    out->selector = reader_counted(body);
    out->prefix = reader_counted(body);
    return is_whole(record) && out->prefix.len <= SIGNER_PREFIX_MAX &&
           (out->slot < SIGNER_FILE_SLOTS || out->slot == SIGNER_SLOT_ONCE) &&
           out->offset <= INT64_MAX && out->length <= INT64_MAX - out->offset;
}

void wire_put_signed(struct buffer *out, uint64_t id, const struct wire_signed *done)
{
    size_t begin = signer_record_begin(out, RECORD_SIGNED, id);

    buffer_append_u8(out, (uint8_t)done->result);
    buffer_append_u8(out, done->n_signatures);
    buffer_append_counted(out, done->domain);
    buffer_append_counted(out, done->selectors);
    buffer_append_counted(out, done->header);
    signer_record_end(out, begin);
}

bool wire_get_signed(struct signer_record *record, struct wire_signed *out)
{
    uint8_t result = reader_u8(&record->body);

    out->result = (enum sign_result)result;
    out->n_signatures = reader_u8(&record->body);
    out->domain = reader_counted(&record->body);
    out->selectors = reader_counted(&record->body);
    out->header = reader_counted(&record->body);
    return is_whole(record) && result <= SIGN_FAILED;
}

void wire_put_key(struct buffer *out, uint64_t id, const struct wire_key *key)
{
    size_t begin = signer_record_begin(out, RECORD_KEY, id);

    buffer_append_u8(out, (uint8_t)key->verb);
    buffer_append_u8(out, (uint8_t)key->type);
    buffer_append_counted(out, key->domain);
    buffer_append_counted(out, key->selector);
    buffer_append_counted(out, key->pem);
    signer_record_end(out, begin);
}

bool wire_get_key(struct signer_record *record, struct wire_key *out)
{
    uint8_t verb = reader_u8(&record->body), type = reader_u8(&record->body);

    out->verb = (enum key_verb)verb;
    out->type = (enum dkim_key_type)type;
    out->domain = reader_counted(&record->body);
    out->selector = reader_counted(&record->body);
    out->pem = reader_counted(&record->body);
    return is_whole(record) && verb >= KEY_CREATE && verb <= KEY_DELETE &&
           (verb != KEY_CREATE || is_key_type(type)) && out->pem.len <= SIGNER_PEM_MAX &&
           (verb == KEY_IMPORT || out->pem.len == 0);
}

void wire_put_key_done(struct buffer *out, uint64_t id, const struct wire_key_done *done)
{
    size_t begin = signer_record_begin(out, RECORD_KEY_DONE, id);

    buffer_append_u8(out, (uint8_t)done->result);
    buffer_append_counted(out, done->why);
    buffer_append_u8(out, (uint8_t)done->type);
    buffer_append_u16(out, done->bits);
    buffer_append_u8(out, done->is_active);
    buffer_append_counted(out, done->public_half);
    signer_record_end(out, begin);
}

bool wire_get_key_done(struct signer_record *record, struct wire_key_done *out)
{
    uint8_t result = reader_u8(&record->body), type;

    out->result = (enum key_result)result;
    out->why = reader_counted(&record->body);
    type = reader_u8(&record->body);
    out->type = (enum dkim_key_type)type;
    out->bits = reader_u16(&record->body);
    out->is_active = reader_u8(&record->body) != 0;
    out->public_half = reader_counted(&record->body);
    return is_whole(record) && result <= KEY_FAILED && (type == 0 || is_key_type(type));
}

void wire_put_key_list(struct buffer *out, uint64_t id, struct slice after_domain,
                       struct slice after_selector)
{
    size_t begin = signer_record_begin(out, RECORD_KEY_LIST, id);

    buffer_append_counted(out, after_domain);
    buffer_append_counted(out, after_selector);
    signer_record_end(out, begin);
}

bool wire_get_key_list(struct signer_record *record, struct slice *after_domain,
                       struct slice *after_selector)
{
    *after_domain = reader_counted(&record->body);
    *after_selector = reader_counted(&record->body);
    return is_whole(record);
}

void wire_put_key_item(struct buffer *out, const struct wire_key_item *item)
{
    buffer_append_u8(out, (uint8_t)item->type);
    buffer_append_u8(out, item->is_active);
    buffer_append_counted(out, item->domain);
    buffer_append_counted(out, item->selector);
}

bool wire_get_key_item(struct reader *items, struct wire_key_item *out)
{
    uint8_t type;

    if (items->rest.len == 0)
        return false;
    type = reader_u8(items);
    out->type = (enum dkim_key_type)type;
    out->is_active = reader_u8(items) != 0;
    out->domain = reader_counted(items);
    out->selector = reader_counted(items);
    return !items->failed && is_key_type(type);
}
