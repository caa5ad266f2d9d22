/* The header block of a message: its fields one by one, and what intake must know of them.
 * A block is everything up to and with the empty line; header_length() finds its end.  Lines end
 * in CRLF (intake lets nothing else in), but nothing here trusts that.  RFC 5322, 6854, 6409.
 * Slices look into the block, or into the arena where said.
 * Thread: any; pure. */
#pragma once

#include "relay/base/arena.h"
#include "relay/base/buffer.h"

enum {
    HEADER_MAX_FACT = 998,     /* bytes kept of a subject, a Message-ID, ... */
    HEADER_MAX_FROM = 64,      /* addresses kept of all From fields together */
    HEADER_MAX_ADDRESS = 512,  /* bytes of one address; longer ones are malformed */
    HEADER_MAX_BLOCK = 262144, /* bytes; intake answers 552 5.3.4 above */
};

struct header_field {
    struct slice whole; /* name to the last CRLF, folded lines included */
    struct slice name;  /* empty: a line that is no field (no colon, or a name of illegal bytes) */
    struct slice value; /* behind the colon, folding inside, without the last line end */
};

struct header_walker {
    struct slice rest;
};

/* Bytes of the block at the start of message, the empty line included; all of message when the
 * empty line has not come (yet).  *is_complete says which. */
size_t header_length(struct slice message, bool *is_complete);

/* The next field; false at the empty line or at the end. */
bool header_next(struct header_walker *walker, struct header_field *field);

/* The first field of that name; false when there is none. */
bool header_find(struct slice block, const char *name, struct header_field *field);

/* The value on one line: line ends removed, blanks at both ends too (RFC 5322, 2.2.3). */
void header_unfold(struct slice value, struct buffer *out);

enum header_class { HEADER_CLASS_NONE, HEADER_CLASS_TRANSACTIONAL, HEADER_CLASS_BULK };

struct header_facts {
    bool has_date, has_message_id, has_mime_version, has_list_unsubscribe;
    bool has_eight_bit;      /* a byte above 127 anywhere in the block */
    bool is_utf8;            /* what is above 127 is well-formed UTF-8 */
    bool begins_folded;      /* the first line continues a field that is not there */
    bool has_malformed_from; /* a From without an address, or one that cannot be read for sure */
    unsigned n_from_fields;  /* RFC 5322 wants exactly 1 */
    unsigned n_received;     /* over 100: a loop */
    unsigned n_malformed;    /* lines that are no fields */
    size_t longest_line;     /* bytes without CRLF */
    enum header_class class; /* X-Staffetta-Class */

    struct slice from[HEADER_MAX_FROM]; /* arena: local@domain of every From field, comments gone */
    unsigned n_from;
    struct slice sender;     /* arena: the address of Sender, or empty */
    struct slice campaign;   /* arena, unfolded: X-Staffetta-Campaign */
    struct slice message_id; /* arena, unfolded, with its brackets */
    struct slice subject;    /* arena, unfolded, still encoded (RFC 2047) */
    struct slice list_id;    /* arena, unfolded; without the phrase before it */
};

/* 0, or -ENOMEM (the arena is full). */
MUST_USE int header_read_facts(struct slice block, struct arena *arena, struct header_facts *out);

struct header_additions {
    struct slice trace;      /* whole fields with their CRLF, put on top; may be empty */
    struct slice date;       /* values, used only where the block has none */
    struct slice message_id; /* with its brackets */
};

/* Appends to out the block as it is stored: additions on top, then the client's fields unchanged
 * but for Bcc, Resent-Bcc, Return-Path and X-Staffetta-Class/-Campaign (removed with their folded
 * lines; RFC 6409 8.x, RFC 5321 4.4), then exactly one empty line.  0 or -ENOMEM. */
MUST_USE int header_tidy(struct slice block, const struct header_facts *facts,
                         const struct header_additions *additions, struct buffer *out);
