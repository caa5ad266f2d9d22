/* The body of a message as it arrives: one byte stream in, clean chunks of CRLF lines out, one
 * verdict at the end.  By DATA the stream is dot-stuffed and ends at exactly CRLF.CRLF; by BDAT it
 * is octets, never unstuffed, and the caller knows where it ends.  Whatever the verdict, a DATA
 * body is read to its true end: what follows a look-alike of the end is never read as commands
 * (smuggling: CVE-2023-51764, -51765, -51766).
 * Thread: the session's.  RFC 5321 4.5.2, RFC 3030, RFC 1870. */
#pragma once

#include "relay/base/slice.h"

enum { BODY_LINE_MAX = 65536, BODY_LINE_BY_THE_BOOK = 1000 }; /* octets with CRLF */

enum body_verdict {
    BODY_CLEAN,
    BODY_BARE_NEWLINE, /* CR without LF or LF without CR; with repair_newlines never */
    BODY_HAS_NUL,
    BODY_LINE_TOO_LONG, /* above BODY_LINE_MAX */
    BODY_TOO_BIG,       /* above size_limit, counted as RFC 1870 does */
    BODY_ENDLESS,       /* refused, and still no end after four times the limit: close */
    BODY_N_VERDICTS
};

struct body_reader {
    uint64_t size_limit;   /* octets */
    uint64_t n_octets;     /* handed out so far; dots unstuffed, CRLFs counted */
    uint64_t n_wire;       /* taken from the wire */
    uint32_t line_octets;  /* of the line being read */
    uint32_t longest_line; /* octets with CRLF */
    enum body_verdict verdict;
    uint8_t place;   /* where between CR, LF and dot we are */
    bool is_chunked; /* BDAT */
    bool repairs_newlines;
    bool is_eight_bit; /* a byte above 0x7f was seen */
};

enum body_step {
    BODY_MORE,  /* all input was taken */
    BODY_CHUNK, /* *chunk holds clean octets, good as long as input's bytes; call again */
    BODY_END    /* DATA: CRLF.CRLF was taken, nothing behind it; or BODY_ENDLESS */
};

void body_reader_init(struct body_reader *reader, uint64_t size_limit, bool is_chunked,
                      bool repairs_newlines);

/* Takes bytes from input.  Once the verdict is a refusal, no more chunks come. */
enum body_step body_reader_feed(struct body_reader *reader, struct slice *input,
                                struct slice *chunk);

/* The end of the last BDAT chunk.  *chunk is what is still to add: CRLF for a last line without
 * (RFC 3030 does not ask for one), or nothing. */
void body_reader_finish(struct body_reader *reader, struct slice *chunk);
