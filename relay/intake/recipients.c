/* RCPT: who gets it; an exact duplicate within a transaction is taken once. */
#include "relay/intake/session.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/secret.h"

static bool same_recipient(const struct recipient *recipient, struct slice address)
{
    return slice_equal(recipient->address, address);
}

/* Where address stands in the hashed set, or where it would. */
static uint32_t *find_seen(struct session *session, struct slice address)
{
    uint32_t at = (uint32_t)table_hash(address) & (session->seen_size - 1);

    while (session->seen[at] &&
           !same_recipient(&session->recipients[session->seen[at] - 1], address))
        at = (at + 1) & (session->seen_size - 1);
    return &session->seen[at];
}

static bool grow_recipients(struct session *session)
{
    uint32_t size = session->recipients_size ? session->recipients_size * 2 : 8;
    struct recipient *recipients;
    uint32_t *seen;

    if (session->n_recipients < session->recipients_size)
        return true;
    recipients = reallocarray(session->recipients, size, sizeof(*recipients));
    if (!recipients)
        return false;
    session->recipients = recipients;
    seen = calloc((size_t)size * 2, sizeof(*seen)); /* at most half full */
    if (!seen)
        return false;
    session->recipients_size = size;
    free(session->seen);
    session->seen = seen;
    session->seen_size = size * 2;
    for (uint32_t i = 0; i < session->n_recipients; i++)
        *find_seen(session, recipients[i].address) = i + 1;
    return true;
}

/* <Postmaster> without a domain is ours (RFC 5321 4.5.1). */
static struct slice whole_address(struct session *session, const struct address *address)
{
    if (!address->is_postmaster)
        return address->whole;
    buffer_clear(&session->sentence);
    buffer_printf(&session->sentence, "postmaster@%s", session->config->settings.hostname);
    return arena_copy(&session->smtp.arena, buffer_slice(&session->sentence));
}

static bool add_recipient(struct session *session, struct slice address)
{
    const struct smtp_recipient *given = &session->smtp.recipient;
    uint32_t *place;

    if (!address.data || !grow_recipients(session))
        return false;
    place = find_seen(session, address);
    if (*place)
        return true; /* an exact duplicate is delivered once */
    session->recipients[session->n_recipients++] =
        (struct recipient){.address = address, .orcpt = given->orcpt, .notify = given->notify};
    *place = session->n_recipients;
    return true;
}

struct smtp_reply session_judge_recipient(struct session *session)
{
    const struct user *user = session_user(session);
    struct slice address = whole_address(session, &session->smtp.recipient.address);
    int64_t most = user ? user->limits[USER_LIMIT_RECIPIENTS] : 0;

    /* Bounces come to addresses of ours; none exists yet, and nothing else is relayed here. */
    if (session->listener->bounces_only)
        return SMTP_REPLY(550, 5, 1, 1, "No such recipient here");
    if (!user)
        return SMTP_REPLY(550, 5, 7, 1, "This user may no longer send");
    if (most && session->n_recipients >= most)
        return SMTP_REPLY(452, 4, 5, 3, "Too many recipients for this user");
    if (!add_recipient(session, address))
        return SMTP_REPLY(451, 4, 3, 0, "Out of memory, try again later");
    return SMTP_REPLY(250, 2, 1, 5, "Ok");
}
