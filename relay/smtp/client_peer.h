/* What a server offers a client: its reply to EHLO (RFC 5321 4.1.1.1), keyword by keyword.
 * Thread: any; values only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the last EHLO said; empty after HELO. */
struct smtp_client_peer {
    bool is_esmtp, pipelining, eight_bit_mime, smtputf8, dsn, chunking, starttls;
    bool enhanced_codes, auth_plain, auth_login, has_size, mt_priority;
    uint64_t size;           /* SIZE; 0: no fixed limit */
    uint32_t max_mails;      /* LIMITS MAILMAX; 0: not said */
    uint32_t max_recipients; /* LIMITS RCPTMAX; 0: not said */
    char name[128];          /* what it calls itself; first word of the reply, printable */
};
