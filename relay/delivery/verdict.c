#include "relay/delivery/verdict.h"

#include <stddef.h>

enum { ANY = 0 };

#define PHASE(phase) (1U << SMTP_PHASE_##phase)
#define BEFORE_MAIL                                                                                \
    (PHASE(CONNECT) | PHASE(BANNER) | PHASE(EHLO) | PHASE(STARTTLS) | PHASE(TLS) | PHASE(AUTH) |   \
     PHASE(IDLE) | PHASE(RSET))
#define EVERY_PHASE (~0U)

struct row {
    uint32_t phases;
    uint16_t first_code, last_code;
    uint8_t subject;     /* of the enhanced code; 0: any */
    bool needs_accepted; /* only when other recipients were accepted */
    uint16_t detail;     /* 0: any */
    enum verdict verdict;
};

/* The first row that fits decides. */
static const struct row rows[] = {
  /* RFC 7504: the host takes no mail at all. */
    {BEFORE_MAIL,               521, 521, ANY, false, ANY, VERDICT_FAILED   },
    {BEFORE_MAIL,               556, 556, ANY, false, ANY, VERDICT_FAILED   },
    {PHASE(MAIL) | PHASE(RCPT), 556, 556, ANY, false, ANY, VERDICT_FAILED   },
 /* Otherwise what is said before MAIL is about us (a block list, a login), not about a
  * recipient: the operator can mend it while the mail waits. */
    {BEFORE_MAIL,               200, 599, ANY, false, ANY, VERDICT_LATER    },
 /* RFC 5321 4.5.3.1.10: too many recipients; 552 is the older code for it. */
    {PHASE(RCPT),               452, 452, ANY, true,  ANY, VERDICT_AGAIN    },
    {PHASE(RCPT),               552, 552, 5,   true,  3,   VERDICT_AGAIN    },
    {PHASE(RCPT),               552, 552, 2,   false, ANY, VERDICT_FAILED   },
    {PHASE(RCPT),               552, 552, 3,   false, ANY, VERDICT_FAILED   },
    {PHASE(RCPT),               552, 552, ANY, true,  ANY, VERDICT_AGAIN    },
 /* A smart host wants a login that the settings do not give, or we fell out of step. */
    {EVERY_PHASE,               530, 530, ANY, false, ANY, VERDICT_LATER    },
    {EVERY_PHASE,               534, 535, ANY, false, ANY, VERDICT_LATER    },
    {EVERY_PHASE,               538, 538, ANY, false, ANY, VERDICT_LATER    },
    {EVERY_PHASE,               503, 503, ANY, false, ANY, VERDICT_LATER    },
    {PHASE(DOT),                200, 299, ANY, false, ANY, VERDICT_DELIVERED},
    {EVERY_PHASE,               500, 599, ANY, false, ANY, VERDICT_FAILED   },
};

static bool fits(const struct row *row, enum smtp_phase phase, const struct smtp_reply *reply,
                 uint32_t n_accepted)
{
    if (!(row->phases & 1U << phase))
        return false;
    if (reply->code < row->first_code || reply->code > row->last_code)
        return false;
    if (row->subject && row->subject != reply->status.subject)
        return false;
    if (row->detail && row->detail != reply->status.detail)
        return false;
    return !row->needs_accepted || n_accepted > 0;
}

enum verdict verdict_of(enum smtp_phase phase, const struct smtp_reply *reply, uint32_t n_accepted)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fits(&rows[i], phase, reply, n_accepted))
            return rows[i].verdict;
    return VERDICT_LATER; /* 4xx, no reply, and what makes no sense */
}

bool verdict_says_slower(enum smtp_phase phase, const struct smtp_reply *reply)
{
    if (reply->code == 421)
        return true;
    return smtp_reply_is_temporary(*reply) && (1U << phase & BEFORE_MAIL) != 0;
}
