/* What all kinds of delivery reports are written with: fields, parts, the block of a recipient.
 * Nothing a peer or a client said can add a line or a field (dsn_text.h).
 * Thread: any; pure.  A failure shows in buffer_error(writer->out). */
#pragma once

#include "relay/message/dsn.h"

enum {
    REPORT_ADDRESS_MAX = 400,
    REPORT_DIAGNOSTIC_MAX = 900, /* with its name still one line of RFC 5322's 998 */
    REPORT_WORD_MAX = 256,       /* host names, ids */
    REPORT_BOUNDARY_SIZE = 96
};

/* One report being written.  buffer_fini(&line) afterwards. */
struct report_writer {
    struct buffer *out;
    struct buffer line; /* a field or a sentence before it is folded */
    bool utf8;          /* an address needs it: RFC 6533 forms */
    char boundary[REPORT_BOUNDARY_SIZE];
};

struct report_header {
    struct slice hostname, sender, report_id;
    struct slice subject;       /* a word of ours */
    struct slice about;         /* Message-ID of the one message it is about, checked; or empty */
    const char *auto_submitted; /* RFC 3834 5 */
    int64_t now_utc_ms;
    bool has_eight_bit;
};

/* The boundary does not occur in `inside`, whoever guessed the report's id. */
void report_choose_boundary(struct report_writer *writer, struct slice report_id,
                            struct slice inside);

/* A line from its pieces: begin, add what is foreign, end. */
void report_begin(struct report_writer *writer, const char *start);
void report_add(struct report_writer *writer, struct slice text, size_t max);
void report_end(struct report_writer *writer, const char *indent);

void report_field(struct report_writer *writer, const char *name, struct slice value, size_t max);
void report_xtext_field(struct report_writer *writer, const char *name, struct slice encoded);
void report_date_field(struct report_writer *writer, const char *name,
                       int64_t utc_ms);                               /* 0: none */
void report_sentence(struct report_writer *writer, const char *text); /* and an empty line */

/* From Date to MIME-Version: what all mail of ours begins with. */
void report_write_origin(struct report_writer *writer, const struct report_header *header);

/* The header block, its empty line included. */
void report_write_header(struct report_writer *writer, const struct report_header *header);
void report_begin_part(struct report_writer *writer, const char *type, const char *description,
                       bool eight_bit);
void report_begin_text(struct report_writer *writer, struct slice hostname);
void report_begin_status(struct report_writer *writer, struct slice hostname);
void report_close(struct report_writer *writer);

/* "<address>" and what was said about it, for people. */
void report_write_story(struct report_writer *writer, const struct dsn_recipient *recipient);

/* The per-recipient fields, without the empty line after them.  RFC 3464 2.3 */
void report_write_recipient(struct report_writer *writer, const struct dsn_recipient *recipient);
