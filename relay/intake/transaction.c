/* From MAIL to the 250: who may send, to whom, and the way of a message into the spool. */
#include "relay/intake/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/secret.h"
#include "relay/intake/trace_header.h"
#include "relay/message/idn.h"

enum { MOST_RECEIVED = 100 }; /* RFC 5321 6.3: a loop */

static struct smtp_reply sentence_reply(struct session *session, uint16_t code,
                                        struct enhanced_status status)
{
    return smtp_reply_with(code, status, buffer_slice(&session->sentence));
}

/* "550 5.7.1 what <address> …": the refusal names the address, so that people can mend it. */
static struct smtp_reply refuse_address(struct session *session, const char *what,
                                        struct slice address)
{
    buffer_clear(&session->sentence);
    buffer_printf(&session->sentence, "%s <", what);
    buffer_append(&session->sentence, address);
    buffer_append_text(&session->sentence, "> is not allowed for this user");
    return sentence_reply(session, 550, SMTP_STATUS(5, 7, 1));
}

/* Code 0: there is room. */
static struct smtp_reply judge_room(const struct session *session)
{
    const struct spool *spool = session->shard->parts->spool;

    if (spool_is_full(spool))
        return SMTP_REPLY(452, 4, 3, 1, "Insufficient system storage, try again later");
    if (!spool_accepts(spool))
        return SMTP_REPLY(451, 4, 3, 0, "The queue is closed for the moment, try again later");
    return (struct smtp_reply){0};
}

static void forget_transaction(struct session *session)
{
    session->n_recipients = 0;
    if (session->seen)
        memset(session->seen, 0, session->seen_size * sizeof(*session->seen));
}

/* Nothing of an earlier transaction may be left, however it ended: its recipients would get this
 * message. */
struct smtp_reply session_judge_sender(struct session *session)
{
    const struct smtp_mail *mail = &session->smtp.mail;
    const struct user *user = session_user(session);
    struct smtp_reply room = judge_room(session);
    int64_t most;

    forget_transaction(session);
    if (session->listener->bounces_only)
        return room.code ? room : SMTP_REPLY(250, 2, 1, 0, "Ok");
    if (!user)
        return SMTP_REPLY(550, 5, 7, 1, "This user may no longer send");
    if (!user_may_send_as(user, mail->sender.whole))
        return refuse_address(session, "Sender address", mail->sender.whole);
    most = user->limits[USER_LIMIT_MESSAGE_SIZE];
    if (most && mail->size > (uint64_t)most)
        return SMTP_REPLY(552, 5, 3, 4, "Message size exceeds this user's limit");
    if (!room.code && mail->has_priority && mail->priority != 0 && !user->may_use_class)
        return SMTP_REPLY(250, 2, 3, 6, "0 is the new priority"); /* RFC 6710 */
    return room.code ? room : SMTP_REPLY(250, 2, 1, 0, "Ok");
}

/* ---- the body ---- */

static void add_trace(void *owner, struct buffer *out)
{
    const struct session *session = owner;
    const struct user *user = session_user(session);
    const char *tls = session->stream ? stream_describe_tls(session->stream) : NULL;
    struct trace trace = {
        .hostname = slice_of(session->config->settings.hostname),
        .queue_id = slice_of(session->collector.id_text),
        .helo = slice_of(session->smtp.helo),
        .client_ip = slice_of(session->peer_text),
        .tls = slice_of(tls),
        .is_full = user && user->trace == TRACE_FULL,
        .is_esmtp = session->smtp.is_esmtp,
        .is_authenticated = session->smtp.is_logged_in,
        .is_utf8 = session->smtp.mail.is_utf8,
        .utc_ms = clock_utc_ms(),
    };

    trace_header_print(&trace, out);
}

static void on_written(void *owner)
{
    session_resume(owner);
}

struct smtp_reply session_begin_body(struct session *session)
{
    struct smtp_reply room = judge_room(session);

    if (!room.code && !session_ask_quota(session)) /* what is not counted may not pass */
        room = SMTP_REPLY(451, 4, 3, 2, "Too much is waiting, try again later");
    if (room.code) {
        forget_transaction(session); /* the refusal ends it */
        return room;
    }
    session->collector_owner = (struct collector_owner){session, add_trace, on_written,
                                                        session->config->settings.hostname};
    collector_begin(&session->collector, &session->collector_owner, session->shard->parts->spool,
                    loop_mailbox(session->shard->loop), session->shard->memory);
    session_watch_rate(session);
    return SMTP_REPLY(354, 0, 0, 0, "End data with <CR><LF>.<CR><LF>");
}

void session_take_body(struct session *session)
{
    if (!collector_add(&session->collector, session->smtp.chunk))
        session->wait = SESSION_WAITS_SPOOL;
}

/* ---- the end of the message ---- */

static struct smtp_reply reply_of_problem(enum collector_problem problem)
{
    switch (problem) {
    case COLLECTOR_FINE:
        break;
    case COLLECTOR_HEADER_TOO_LONG:
        return SMTP_REPLY(552, 5, 3, 4, "Header block exceeds 256 KiB");
    case COLLECTOR_NO_MEMORY:
        return SMTP_REPLY(451, 4, 3, 0, "Out of memory, try again later");
    case COLLECTOR_NO_SPACE:
        return SMTP_REPLY(452, 4, 3, 1, "Insufficient system storage, try again later");
    case COLLECTOR_DISK_FAILED:
        return SMTP_REPLY(451, 4, 3, 0, "The queue could not take the message, try again later");
    }
    return (struct smtp_reply){0};
}

/* Every address of every From must be the user's, or a receiver would see who is not allowed. */
static struct smtp_reply judge_from(struct session *session, const struct user *user)
{
    const struct header_facts *facts = &session->collector.facts;

    if (facts->n_from_fields != 1)
        return facts->n_from_fields == 0
                   ? SMTP_REPLY(550, 5, 6, 0, "The message has no From field (RFC 5322 3.6)")
                   : SMTP_REPLY(550, 5, 6, 0, "The message has several From fields (RFC 5322 3.6)");
    if (facts->has_malformed_from)
        return SMTP_REPLY(550, 5, 6, 0, "The From field cannot be read (RFC 5322 3.6.2)");
    for (unsigned i = 0; i < facts->n_from; i++)
        if (!user_may_send_as(user, facts->from[i]))
            return refuse_address(session, "From address", facts->from[i]);
    return (struct smtp_reply){0};
}

static struct smtp_reply judge_message(struct session *session, const struct user *user)
{
    int64_t most = user ? user->limits[USER_LIMIT_MESSAGE_SIZE] : 0;

    if (session->collector.problem != COLLECTOR_FINE)
        return reply_of_problem(session->collector.problem);
    if (!user)
        return SMTP_REPLY(550, 5, 7, 1, "This user may no longer send");
    if (most && session->smtp.body.n_octets > (uint64_t)most)
        return SMTP_REPLY(552, 5, 3, 4, "Message size exceeds this user's limit");
    if (session->collector.facts.n_received > MOST_RECEIVED)
        return SMTP_REPLY(554, 5, 4, 6, "Too many Received fields: the message is looping");
    if (session->collector.facts.begins_folded) /* it would become part of our own last field */
        return SMTP_REPLY(550, 5, 6, 0, "The header begins with a blank (RFC 5322 2.2.3)");
    return judge_from(session, user);
}

static uint32_t flags_of(const struct session *session, const struct user *user)
{
    const struct collector *collector = &session->collector;
    uint32_t flags = 0;

    if (collector->has_eight_bit_body)
        flags |= MESSAGE_8BIT_BODY;
    if (collector->facts.has_eight_bit)
        flags |= MESSAGE_8BIT_HEADER;
    if (session->smtp.mail.is_utf8)
        flags |= MESSAGE_SMTPUTF8;
    if (user->must_sign)
        flags |= MESSAGE_MUST_SIGN;
    if (session->smtp.body.longest_line > BODY_LINE_BY_THE_BOOK)
        flags |= MESSAGE_LONG_LINES;
    if (session->smtp.mail.has_priority)
        flags |= message_priority_flags(user->may_use_class ? session->smtp.mail.priority : 0);
    return flags;
}

static enum message_ret ret_of(enum smtp_ret ret)
{
    return ret == SMTP_RET_FULL ? RET_FULL : ret == SMTP_RET_HDRS ? RET_HEADERS : RET_DEFAULT;
}

/* The keys are chosen by the domain of the (first) From address. */
static struct slice from_domain(struct session *session)
{
    const struct header_facts *facts = &session->collector.facts;
    ptrdiff_t at = facts->n_from ? slice_find_last(facts->from[0], '@') : -1;

    if (at < 0 || idn_to_ascii(slice_skip(facts->from[0], (size_t)at + 1), session->from_domain))
        return (struct slice){0};
    return slice_of(session->from_domain);
}

static void fill_envelope(struct session *session, const struct user *user)
{
    const struct header_facts *facts = &session->collector.facts;
    struct slice from = from_domain(session);
    uint32_t unsigned_flag =
        directory_may_sign(session->shard->directory, from) ? 0 : MESSAGE_NOT_SIGNED;
    int64_t now = clock_utc_ms();

    session->envelope = (struct envelope){
        .id = session->collector.id,
        .arrived_utc_ms = now,
        .expires_utc_ms = now + session->config->settings.expire_ms,
        .user_id = user->id,
        .user = arena_copy(&session->smtp.arena, user->name), /* the snapshot may go first */
        .sender = session->smtp.mail.sender.whole,
        .flags = flags_of(session, user) | unsigned_flag,
        .class = session_class(session, user),
        .hold = session_hold(session, user),
        .ret = ret_of(session->smtp.mail.ret),
        .envid = session->smtp.mail.envid,
        .campaign = facts->campaign.len ? facts->campaign : facts->list_id,
        .client = slice_of(session->peer_text),
        .from_domain = from,
        .n_recipients = session->n_recipients,
        .recipients = session->recipients,
    };
}

static struct smtp_reply reply_of_result(struct session *session, int result)
{
    if (result == -ENOSPC)
        return reply_of_problem(COLLECTOR_NO_SPACE);
    if (result == -EFBIG)
        return SMTP_REPLY(552, 5, 3, 4, "Message and envelope are too large to be stored");
    if (result < 0)
        return reply_of_problem(COLLECTOR_DISK_FAILED);
    buffer_clear(&session->sentence);
    buffer_printf(&session->sentence, "Ok: queued as %s", session->collector.id_text);
    return sentence_reply(session, 250, SMTP_STATUS(2, 0, 0));
}

/* The collector is empty again: the reply, which it does not hold up, can go. */
void session_finish(struct session *session, struct smtp_reply reply)
{
    forget_transaction(session);
    session_decide(session, reply);
}

static void on_appended(struct spool_append *append)
{
    struct session *session = CONTAINER_OF(append, struct session, append);
    struct smtp_reply reply = reply_of_result(session, append->result);

    session->n_pending--;
    if (append->result < 0)
        session_return_quota(session);
    else
        session_note_accepted(session);
    /* The file, if any, went to the spool: dropping the rest cannot wait. */
    if (collector_drop(&session->collector) && !session_is_slowed(session, reply))
        session_finish(session, reply);
}

static void on_refused_gone(void *owner)
{
    struct session *session = owner;

    session_finish(session, session->refusal);
}

/* Judged once: while the file is being removed, the user's rights may change, and what the
 * judgement looked at goes with it. */
static void refuse_message(struct session *session, struct smtp_reply refusal)
{
    session->refusal = refusal;
    session_return_quota(session);
    session->collector_owner.on_written = on_refused_gone;
    if (collector_drop(&session->collector))
        session_finish(session, refusal);
}

static void store(struct session *session, const struct user *user)
{
    fill_envelope(session, user);
    if (session->envelope.flags & MESSAGE_LONG_LINES)
        EVENT(EVENT_LONG_LINES, field_text("msg", session->collector.id_text),
              field_slice("user", user->name),
              field_number("longest", session->smtp.body.longest_line));
    session->append = (struct spool_append){.answer_to = loop_mailbox(session->shard->loop),
                                            .done = on_appended,
                                            .envelope = &session->envelope};
    collector_hand_over(&session->collector, &session->append);
    session->n_pending++;
    session->wait = SESSION_WAITS_SPOOL;
    if (session->quota_state == SESSION_QUOTA_KNOWN)
        session->quota_state = SESSION_QUOTA_SPENT;
    if (spool_append(session->shard->parts->spool, &session->append))
        return;
    session->n_pending--;
    session->collector.large = session->append.large; /* a refusal leaves the file with us */
    refuse_message(session, reply_of_problem(COLLECTOR_DISK_FAILED));
}

/* The last bytes are written. */
static void on_last_written(void *owner)
{
    struct session *session = owner;

    if (session->stream)
        session_end_message(session);
    else
        session_resume(session); /* nobody is left to be answered */
}

/* Comes back here after the wait for the last bytes of a long message, or for the quota. */
void session_end_message(struct session *session)
{
    const struct user *user = session_user(session);
    struct smtp_reply refusal;

    timer_cancel(&session->rate);
    session->collector_owner.on_written = on_last_written;
    session->wait = SESSION_WAITS_SPOOL;
    if (!collector_close(&session->collector))
        return;
    if (session->quota_state == SESSION_QUOTA_ASKED) {
        session->wait = SESSION_WAITS_QUOTA;
        return;
    }
    refusal = judge_message(session, user);
    if (refusal.code == 0)
        refusal = session_judge_quota(session);
    if (refusal.code == 0)
        store(session, user);
    else
        refuse_message(session, refusal);
}

void session_drop_transaction(struct session *session)
{
    static const char *const verdicts[BODY_N_VERDICTS] = {
        [BODY_BARE_NEWLINE] = "bare CR or LF in the body",
        [BODY_HAS_NUL] = "NUL in the body",
        [BODY_LINE_TOO_LONG] = "line above 64 KiB",
        [BODY_TOO_BIG] = "message too big",
        [BODY_ENDLESS] = "message without end",
    };
    enum body_verdict verdict = session->smtp.body_verdict;

    if (verdict != BODY_CLEAN && verdicts[verdict] &&
        intake_shard_may_tell(session->shard, EVENT_REFUSED, session->peer))
        EVENT(EVENT_REFUSED, field_text("ip", session->peer_text),
              field_text("reply", verdicts[verdict]));
    forget_transaction(session);
    session_return_quota(session);
    session->collector_owner.on_written = on_written;
    if (!collector_drop(&session->collector))
        session->wait = SESSION_WAITS_SPOOL;
}
