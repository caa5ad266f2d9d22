/* What relay and signer say to each other on a loop's channel: records in SEQPACKET datagrams
 * (relay/net/channel.h carries them, kind SIGNER_REQUESTS or SIGNER_REPLIES, with descriptors).
 * A datagram is a row of records, each u32 length, u8 kind, u64 id, body; numbers little-endian,
 * texts with u32 length.  The signer trusts nothing in it: a record that is not exactly as written
 * here ends the connection.  Private keys travel one way, at import; no reply has room for one.
 * Pure.  Thread: any. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/net/channel.h"
#include "signer/key_name.h"

enum signer_message {
    SIGNER_LOOP = CHANNEL_OWN, /* on the link: one descriptor, a loop's channel */
    SIGNER_REQUESTS,
    SIGNER_REPLIES,
};

enum {
    SIGNER_DATAGRAM_MAX = 60000, /* bytes of records */
    SIGNER_BATCH = 8,            /* records of a datagram: they share one worker */
    SIGNER_WINDOW = 32,          /* requests of one channel under way: their replies fit */
    SIGNER_FILE_SLOTS = 64,      /* descriptors that the signer remembers for a channel */
    SIGNER_SLOT_ONCE = 0xffff,   /* instead of a slot: the next descriptor, for this record only */
    SIGNER_PREFIX_MAX = 16384,
    SIGNER_HEADER_MAX = 20000, /* text of the DKIM-Signature fields */
    SIGNER_NAME_MAX = 255,     /* of a domain or a selector, before it is checked */
    SIGNER_PEM_MAX = 16384,
};

enum signer_record_kind {
    RECORD_FILE = 1, /* the next descriptor goes into a slot; no answer */
    RECORD_SIGN,     /* → RECORD_SIGNED */
    RECORD_KEY,      /* → RECORD_KEY_DONE */
    RECORD_KEY_LIST, /* → RECORD_KEYS */
    RECORD_SIGNED,
    RECORD_KEY_DONE,
    RECORD_KEYS,
};

/* What became of a message. */
enum sign_result {
    SIGN_OK,
    SIGN_NO_KEY,  /* nothing signs for this domain, nor for its organisational domain */
    SIGN_DAMAGED, /* not the bytes that were stored: hold the message, never send it */
    SIGN_FAILED,  /* cannot be read, no header block, or the key is unusable: try later */
    SIGN_DOWN,    /* no signer (never on the wire) */
};

enum key_verb { KEY_CREATE = 1, KEY_IMPORT, KEY_SHOW, KEY_ACTIVATE, KEY_DEACTIVATE, KEY_DELETE };

enum key_result {
    KEY_OK,
    KEY_EXISTS,
    KEY_UNKNOWN,
    KEY_REFUSED,     /* malformed or forbidden; why says it */
    KEY_FAILED,      /* the signer could not write or read; why says it */
    KEY_SIGNER_DOWN, /* (never on the wire) */
};

struct signer_record {
    enum signer_record_kind kind;
    uint64_t id;        /* the asker's; comes back in the reply */
    struct reader body; /* what is read next from the record */
};

/* Takes the first record off *datagram: 1, 0 at its end, -EBADMSG. */
MUST_USE int signer_record_next(struct reader *datagram, struct signer_record *out);

/* begin returns where the record starts, for end to write its length. */
size_t signer_record_begin(struct buffer *out, enum signer_record_kind kind, uint64_t id);
void signer_record_end(struct buffer *out, size_t begin);

struct wire_sign {
    uint16_t slot; /* below SIGNER_FILE_SLOTS, or SIGNER_SLOT_ONCE */
    uint64_t offset, length;
    uint32_t crc, life_s;
    struct slice domain, selector, prefix;
};
struct wire_signed {
    enum sign_result result;
    uint8_t n_signatures;
    struct slice domain, selectors, header;
};
struct wire_key {
    enum key_verb verb;
    enum dkim_key_type type; /* KEY_CREATE */
    struct slice domain, selector, pem;
};
struct wire_key_done {
    enum key_result result;
    struct slice why;
    enum dkim_key_type type; /* KEY_OK: of the key */
    uint16_t bits;
    bool is_active;
    struct slice public_half;
};

/* A page of keys: u8 result, u8 has_more, then per key u8 type, u8 is_active, domain, selector. */
struct wire_key_item {
    enum dkim_key_type type;
    bool is_active;
    struct slice domain, selector;
};

void wire_put_file(struct buffer *out, uint16_t slot);
void wire_put_sign(struct buffer *out, uint64_t id, const struct wire_sign *sign);
void wire_put_signed(struct buffer *out, uint64_t id, const struct wire_signed *done);
void wire_put_key(struct buffer *out, uint64_t id, const struct wire_key *key);
void wire_put_key_done(struct buffer *out, uint64_t id, const struct wire_key_done *done);
void wire_put_key_list(struct buffer *out, uint64_t id, struct slice after_domain,
                       struct slice after_selector);
void wire_put_key_item(struct buffer *out, const struct wire_key_item *item); /* in RECORD_KEYS */

/* Each reads a whole record of its kind: false when anything is missing, left over or out of
 * range.  Slices look into the datagram. */
MUST_USE bool wire_get_file(struct signer_record *record, uint16_t *slot);
MUST_USE bool wire_get_sign(struct signer_record *record, struct wire_sign *out);
MUST_USE bool wire_get_signed(struct signer_record *record, struct wire_signed *out);
MUST_USE bool wire_get_key(struct signer_record *record, struct wire_key *out);
MUST_USE bool wire_get_key_done(struct signer_record *record, struct wire_key_done *out);
MUST_USE bool wire_get_key_list(struct signer_record *record, struct slice *after_domain,
                                struct slice *after_selector);
MUST_USE bool wire_get_key_item(struct reader *items, struct wire_key_item *out);
