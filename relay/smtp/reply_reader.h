/* Reads one reply of a server, of any length up to 64 KiB and in pieces of any size.
 *     reply = *( 3DIGIT "-" [text] CRLF ) 3DIGIT [ SP [text] ] CRLF          (RFC 5321 4.2)
 * One code in all its lines, first digit 2 to 5, lines end in CRLF, no control characters but TAB.
 * Anything else (HTML, ANSI, NUL, bare CR or LF, differing codes, endless replies) is malformed:
 * reading a multi-line reply generously was OpenSMTPD's CVE-2020-8794.
 * Thread: the owner's; pure. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/smtp/reply.h"

enum { REPLY_MAX_BYTES = 65536, REPLY_EXCERPT_BYTES = 120 };

enum reply_progress { REPLY_MORE, REPLY_COMPLETE, REPLY_MALFORMED };

struct reply_reader {
    struct buffer text;   /* lines without code and line end, joined by LF */
    const char *problem;  /* why it is malformed, for the log */
    uint32_t n_bytes;     /* of this reply */
    uint16_t code;        /* of the first line; 0 until that is known */
    uint16_t line_code;   /* of the line being read */
    uint8_t at;           /* position in the line: enum in reply_reader.c */
    bool is_last;         /* the line being read has no '-' */
    bool has_lines;       /* before this one */
    bool is_whole_but_cr; /* malformed only in that its one line ends in LF */
    uint8_t n_excerpt;
    char excerpt[REPLY_EXCERPT_BYTES]; /* the first bytes, as they came */
};

void reply_reader_init(struct reply_reader *reader);
void reply_reader_fini(struct reply_reader *reader);

/* Takes bytes off input up to the end of one reply.  After COMPLETE or MALFORMED call
 * reply_reader_next() before the next one (a malformed reply has no next: drop the session). */
enum reply_progress reply_reader_feed(struct reply_reader *reader, struct slice *input);

/* The complete reply: its lines parted by LF, the enhanced code (RFC 2034) taken out of each;
 * status.class 0 when the first line has none.  Good until reply_reader_next(); ask once. */
struct smtp_reply reply_reader_reply(struct reply_reader *reader);

/* What came of a malformed reply, its first bytes; to be escaped by whoever prints it. */
struct slice reply_reader_excerpt(const struct reply_reader *reader);

void reply_reader_next(struct reply_reader *reader);
