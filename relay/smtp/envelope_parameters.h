/* The words of MAIL and RCPT parameters that both sides of SMTP share (RFC 6152, RFC 3461).
 * Thread: any; values only. */
#pragma once

enum smtp_body_kind {
    SMTP_BODY_UNSTATED, /* no BODY parameter: 7 bits by the book, in truth anything */
    SMTP_BODY_7BIT,
    SMTP_BODY_8BITMIME
};

enum smtp_ret { SMTP_RET_UNSTATED, SMTP_RET_FULL, SMTP_RET_HDRS };

/* A set of bits; 0 is "not stated", which means FAILURE and perhaps DELAY (RFC 3461 4.1). */
enum smtp_notify {
    SMTP_NOTIFY_NEVER = 1,
    SMTP_NOTIFY_SUCCESS = 2,
    SMTP_NOTIFY_FAILURE = 4,
    SMTP_NOTIFY_DELAY = 8
};
