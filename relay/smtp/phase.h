/* Where a client session stands: what a reply answers, how long to wait for it (RFC 5321
 * 4.5.3.2), and the word for it in logs and reply rules.
 * Thread: any. */
#pragma once

#include <stdint.h>

enum smtp_phase {
    SMTP_PHASE_CONNECT,
    SMTP_PHASE_BANNER,
    SMTP_PHASE_EHLO, /* HELO too */
    SMTP_PHASE_STARTTLS,
    SMTP_PHASE_TLS, /* the handshake; the owner's */
    SMTP_PHASE_AUTH,
    SMTP_PHASE_IDLE, /* no reply is due */
    SMTP_PHASE_RSET,
    SMTP_PHASE_MAIL,
    SMTP_PHASE_RCPT,
    SMTP_PHASE_DATA,
    SMTP_PHASE_BODY, /* per block of the body written */
    SMTP_PHASE_DOT,  /* the end of data is out: a connection lost now leaves a doubt */
    SMTP_PHASE_QUIT,
    SMTP_N_PHASES
};

/* Milliseconds without progress (a reply read, a block written) before giving up. */
int64_t smtp_phase_timeout_ms(enum smtp_phase phase);

/* "mail", "rcpt", ...: lower case, for log lines and rules. */
const char *smtp_phase_name(enum smtp_phase phase);
