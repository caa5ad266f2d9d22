#include "relay/smtp/phase.h"

#include <assert.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60000 };

/* RFC 5321 4.5.3.2.1 to .6; the others by likeness.  The final dot gets ten minutes: a receiver
 * that scans before it answers and a sender that gives up make duplicates. */
static const struct {
    int64_t timeout_ms;
    const char *name;
} phases[SMTP_N_PHASES] = {
    [SMTP_PHASE_CONNECT] = {30 * SECOND_MS, "connect" },
    [SMTP_PHASE_BANNER] = {5 * MINUTE_MS,  "banner"  },
    [SMTP_PHASE_EHLO] = {5 * MINUTE_MS,  "ehlo"    },
    [SMTP_PHASE_STARTTLS] = {2 * MINUTE_MS,  "starttls"},
    [SMTP_PHASE_TLS] = {1 * MINUTE_MS,  "tls"     },
    [SMTP_PHASE_AUTH] = {2 * MINUTE_MS,  "auth"    },
    [SMTP_PHASE_IDLE] = {5 * MINUTE_MS,  "idle"    },
    [SMTP_PHASE_RSET] = {1 * MINUTE_MS,  "rset"    },
    [SMTP_PHASE_MAIL] = {5 * MINUTE_MS,  "mail"    },
    [SMTP_PHASE_RCPT] = {5 * MINUTE_MS,  "rcpt"    },
    [SMTP_PHASE_DATA] = {2 * MINUTE_MS,  "data"    },
    [SMTP_PHASE_BODY] = {3 * MINUTE_MS,  "body"    },
    [SMTP_PHASE_DOT] = {10 * MINUTE_MS, "dot"     },
    [SMTP_PHASE_QUIT] = {5 * SECOND_MS,  "quit"    },
};

int64_t smtp_phase_timeout_ms(enum smtp_phase phase)
{
    assert(phase < SMTP_N_PHASES);
    return phases[phase].timeout_ms;
}

const char *smtp_phase_name(enum smtp_phase phase)
{
    assert(phase < SMTP_N_PHASES);
    return phases[phase].name;
}
