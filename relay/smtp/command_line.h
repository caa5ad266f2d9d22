/* Lines and words of SMTP commands.  Only CRLF ends a line.  A line that is too long, or has a bare
 * LF, is reported the moment that is known, and what is left of it up to its CRLF is dropped
 * in constant memory, so one bad line is one reply and the session stays in step.
 * Thread: the session's. */
#pragma once

#include "relay/base/buffer.h"

enum { COMMAND_LINE_MAX = 2048, COMMAND_AUTH_LINE_MAX = 12288 }; /* octets with CRLF; RFC 4954 4 */

struct command_line_reader {
    struct buffer partial; /* a line that has not come whole; empty otherwise */
    bool is_delivered;     /* partial holds the line that was handed out last */
    bool is_skipping;      /* dropping the rest of a bad line */
    bool had_cr;           /* while skipping: the last octet was CR */
};

enum command_line_result {
    COMMAND_LINE_MORE,  /* all input was taken, the line has not ended */
    COMMAND_LINE_READY, /* *line holds it, without CRLF */
    COMMAND_LINE_TOO_LONG,
    COMMAND_LINE_BARE_LF,
    COMMAND_LINE_NO_MEMORY
};

void command_line_reader_init(struct command_line_reader *reader);
void command_line_reader_fini(struct command_line_reader *reader);

/* Takes input up to the end of one line.  max is in octets with CRLF; lines that begin with "AUTH "
 * may have COMMAND_AUTH_LINE_MAX.  *line is good until the next call, or until input's bytes go. */
enum command_line_result command_line_read(struct command_line_reader *reader, struct slice *input,
                                           size_t max, struct slice *line);

/* Wipes and gives back what the last line left in memory: it held a password. */
void command_line_reader_wipe(struct command_line_reader *reader);

enum command_bytes { COMMAND_BYTES_CLEAN, COMMAND_BYTES_EIGHT_BIT, COMMAND_BYTES_CONTROL };

/* The worst of what the line holds: controls (NUL, tab, DEL, bare CR), then bytes above 0x7f. */
enum command_bytes command_line_check(struct slice line);

/* The next word up to a blank, and the blanks behind it, are taken off *rest; empty at the end. */
struct slice command_line_word(struct slice *rest);

/* esmtp-param = esmtp-keyword ["=" esmtp-value] (RFC 5321 4.1.2; UTF-8 in values: RFC 6531 3.3) */
struct esmtp_parameter {
    struct slice keyword, value;
    bool has_value;
};

enum esmtp_parameter_result { ESMTP_PARAMETER, ESMTP_PARAMETERS_END, ESMTP_PARAMETER_MALFORMED };
enum esmtp_parameter_result esmtp_parameter_next(struct slice *rest, struct esmtp_parameter *out);
