#include "relay/smtp/phase.h"

#include <assert.h>

enum { MINUTE = 60 };

/* RFC 5321 4.5.3.2.1 to .6; the others by likeness.  The final dot gets ten minutes: a receiver
 * that scans before it answers and a sender that gives up make duplicates. */
/* clang-format off */
static const struct {
    uint16_t timeout; /* seconds */
    const char *name;
} phases[SMTP_N_PHASES] = {
    [SMTP_PHASE_CONNECT] =  {30,          "connect"},
    [SMTP_PHASE_BANNER] =   {5 * MINUTE,  "banner"},
    [SMTP_PHASE_EHLO] =     {5 * MINUTE,  "ehlo"},
    [SMTP_PHASE_STARTTLS] = {2 * MINUTE,  "starttls"},
    [SMTP_PHASE_TLS] =      {1 * MINUTE,  "tls"},
    [SMTP_PHASE_AUTH] =     {2 * MINUTE,  "auth"},
    [SMTP_PHASE_IDLE] =     {5 * MINUTE,  "idle"},
    [SMTP_PHASE_RSET] =     {1 * MINUTE,  "rset"},
    [SMTP_PHASE_MAIL] =     {5 * MINUTE,  "mail"},
    [SMTP_PHASE_RCPT] =     {5 * MINUTE,  "rcpt"},
    [SMTP_PHASE_DATA] =     {2 * MINUTE,  "data"},
    [SMTP_PHASE_BODY] =     {3 * MINUTE,  "body"},
    [SMTP_PHASE_DOT] =      {10 * MINUTE, "dot"},
    [SMTP_PHASE_QUIT] =     {5,           "quit"},
};
/* clang-format on */

int64_t smtp_phase_timeout_ms(enum smtp_phase phase)
{
    assert(phase < SMTP_N_PHASES);
    return phases[phase].timeout * INT64_C(1000);
}

const char *smtp_phase_name(enum smtp_phase phase)
{
    assert(phase < SMTP_N_PHASES);
    return phases[phase].name;
}
