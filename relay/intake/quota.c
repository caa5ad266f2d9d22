/* May this message leave now?  Asked of the policy thread when the body begins, so that the answer
 * comes while that is on its way; known when the message has come.  A user without quotas is not
 * asked about: what it sends is added up in the loop's tally. */
#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/intake/session.h"

/* ---- the question ---- */

static void give_back(struct session *session, const struct quota_return *what)
{
    if (session->shard->parts->policy)
        quota_give_back(session->shard->parts->policy, what);
}

/* All that was counted for the message: it does not come. */
void session_return_quota(struct session *session)
{
    const struct quota_request *quota = &session->quota;
    struct quota_return what = {
        .refund = {.user_id = quota->user_id,
                   .n_messages = 1,
                   .n_recipients = quota->n_recipients,
                   .counted_utc_ms = quota->counted_utc_ms}
    };

    if (session->quota_state == SESSION_QUOTA_ASKED) {
        session->quota_state = SESSION_QUOTA_UNWANTED;
        return;
    }
    if (session->quota_state != SESSION_QUOTA_KNOWN && session->quota_state != SESSION_QUOTA_SPENT)
        return;
    session->quota_state = SESSION_QUOTA_NONE;
    if (quota->is_transactional)
        what.refund.n_transactional = quota->n_recipients;
    what.ends_delay = quota->delay_ms > 0;
    if (quota->verdict != QUOTA_REFUSED)
        give_back(session, &what);
}

static void on_quota(struct quota_request *request)
{
    struct session *session = CONTAINER_OF(request, struct session, quota);
    bool is_unwanted = session->quota_state == SESSION_QUOTA_UNWANTED || !session->stream;

    session->n_pending--;
    session->quota_state = SESSION_QUOTA_KNOWN;
    if (is_unwanted)
        session_return_quota(session);
    if (!session->stream)
        session_resume(session); /* nobody is left to be answered */
    else if (session->wait == SESSION_WAITS_QUOTA)
        session_quota_came(session);
}

/* What the user may be limited by; false: nothing. */
static bool is_limited(const struct session *session, const struct user *user)
{
    struct quota_limits limits;

    quota_limits_of(user, &session->config->settings.quotas, &limits);
    if (!user->may_use_class && !user->is_transactional)
        limits.budgets[QUOTA_TRANSACTIONAL_PER_HOUR] = 0;
    return quota_limits_exist(&limits);
}

/* The class may be said by a field of the header: room is taken for it and given back. */
static bool may_be_transactional(const struct user *user)
{
    return user->may_use_class || user->is_transactional;
}

bool session_ask_quota(struct session *session)
{
    const struct user *user = session_user(session);

    session->quota_state = SESSION_QUOTA_NONE;
    if (!user || !session->shard->parts->policy || !is_limited(session, user))
        return true;
    session->quota = (struct quota_request){
        .answer_to = loop_mailbox(session->shard->loop),
        .done = on_quota,
        .user_id = user->id,
        .n_recipients = session->n_recipients,
        .wants_transactional = may_be_transactional(user),
    };
    if (!quota_ask(session->shard->parts->policy, &session->quota))
        return false;
    session->n_pending++;
    session->quota_state = SESSION_QUOTA_ASKED;
    return true;
}

/* ---- the answer ---- */

static bool is_asked(const struct session *session)
{
    return session->quota_state == SESSION_QUOTA_KNOWN ||
           session->quota_state == SESSION_QUOTA_SPENT;
}

struct smtp_reply session_judge_quota(struct session *session)
{
    char until[CLOCK_DATE_SIZE];

    if (!is_asked(session) || session->quota.verdict != QUOTA_REFUSED)
        return (struct smtp_reply){0};
    buffer_clear(&session->sentence);
    if (!session->quota.until_utc_ms) {
        buffer_printf(&session->sentence, "More than this user's quota %s ever allows",
                      quota_budget_name(session->quota.budget));
        return smtp_reply_with(550, SMTP_STATUS(5, 7, 1), buffer_slice(&session->sentence));
    }
    clock_format_timestamp(session->quota.until_utc_ms, until);
    buffer_printf(&session->sentence, "This user's quota %s is used up, try again after %s",
                  quota_budget_name(session->quota.budget), until);
    return smtp_reply_with(452, SMTP_STATUS(4, 7, 1), buffer_slice(&session->sentence));
}

static void print_hold_reason(struct session *session, bool is_braked, bool is_over)
{
    const struct quota_request *quota = &session->quota;

    buffer_clear(&session->hold_reason);
    if (is_braked)
        buffer_append_text(&session->hold_reason, "the password of its user may be stolen");
    if (is_braked && is_over)
        buffer_append_text(&session->hold_reason, ", and ");
    if (is_over)
        buffer_printf(&session->hold_reason, "%s of its user is used up%s",
                      quota_budget_name(quota->budget),
                      quota->until_utc_ms ? "" : ", and no period has room for so many");
}

/* What is braked and over a quota waits for its period, in which it is counted, or for an operator
 * when no period has room for it, and does not leave before its user is enabled
 * (relay/delivery/hold_desk.h). */
const struct message_hold *session_hold(struct session *session, const struct user *user)
{
    const struct quota_request *quota = &session->quota;
    bool is_over = is_asked(session) && quota->is_over;
    bool is_braked = user->braked_utc_ms || (is_asked(session) && quota->verdict == QUOTA_BRAKED);

    if (!is_braked && !is_over)
        return NULL;
    print_hold_reason(session, is_braked, is_over);
    session->hold = (struct message_hold){.until_utc_ms = is_over ? quota->until_utc_ms : 0,
                                          .is_braked = is_braked && !is_over,
                                          .reason = buffer_slice(&session->hold_reason)};
    return &session->hold;
}

/* As the field says, else as MAIL said, where the user may say so; else as the user's mail is. */
static bool is_wanted_transactional(const struct session *session, const struct user *user)
{
    const struct smtp_mail *mail = &session->smtp.mail;
    enum header_class class = session->collector.facts.class;

    if (!user->may_use_class)
        return user->is_transactional;
    if (class != HEADER_CLASS_NONE)
        return class == HEADER_CLASS_TRANSACTIONAL;
    return mail->has_priority ? mail->priority > 0 : user->is_transactional;
}

/* Room that was taken for the class and is not used goes back. */
enum message_class session_class(struct session *session, const struct user *user)
{
    struct quota_request *quota = &session->quota;
    struct quota_return what = {
        .refund = {.user_id = user->id, .counted_utc_ms = quota->counted_utc_ms}
    };
    bool is_wanted = is_wanted_transactional(session, user);
    bool is_granted = !is_asked(session) || quota->is_transactional;

    if (is_asked(session) && is_wanted != quota->is_transactional) {
        what.is_class_exceeded = is_wanted;
        what.refund.n_transactional = is_wanted ? 0 : quota->n_recipients;
        give_back(session, &what);
        quota->is_transactional = false;
    }
    return is_wanted && is_granted ? CLASS_TRANSACTIONAL : CLASS_BULK;
}

/* ---- the message is stored ---- */

static void on_tally(struct timer *timer)
{
    tally_flush(&CONTAINER_OF(timer, struct intake_shard, tally_timer)->tally);
}

void intake_tally_init(struct intake_shard *shard)
{
    shard->tally.policy = shard->parts->policy;
    timer_init(&shard->tally_timer, shard->loop, on_tally);
}

void session_note_accepted(struct session *session)
{
    struct intake_shard *shard = session->shard;
    const struct envelope *envelope = &session->envelope;
    struct tally_row row = {.kind = TALLY_ACCEPTED,
                            .id = envelope->user_id,
                            .first = 1,
                            .second = envelope->n_recipients};

    if (!is_asked(session))
        tally_add(&shard->tally, &row);
    row.kind = TALLY_CAMPAIGN_ACCEPTED;
    row.name = envelope->campaign;
    if (row.name.len)
        tally_add(&shard->tally, &row);
    if (!shard->tally_timer.is_set && !tally_is_empty(&shard->tally))
        timer_set(&shard->tally_timer, INTAKE_TALLY_MS);
}

static void end_delay(struct session *session)
{
    session->quota_state = SESSION_QUOTA_NONE;
    give_back(session, &(struct quota_return){.refund = {.user_id = session->quota.user_id},
                                              .ends_delay = true});
}

static void on_delay(struct timer *timer)
{
    struct session *session = CONTAINER_OF(timer, struct session, slowness);

    end_delay(session);
    session_finish(session, session->refusal);
}

/* Over a rate the last reply comes late; true: session_finish() says it then. */
bool session_is_slowed(struct session *session, struct smtp_reply reply)
{
    if (!is_asked(session) || !session->quota.delay_ms) {
        session->quota_state = SESSION_QUOTA_NONE;
        return false;
    }
    if (!session->stream) {
        end_delay(session);
        return false;
    }
    session->quota_state = SESSION_QUOTA_SLOWED;
    session->refusal = reply;
    session->wait = SESSION_WAITS_PATIENCE;
    timer_set(&session->slowness, session->quota.delay_ms);
    return true;
}

void session_quota_init(struct session *session)
{
    timer_init(&session->slowness, session->shard->loop, on_delay);
}

/* The session ends; what is on its way into the queue is not given back. */
void session_quota_fini(struct session *session)
{
    timer_cancel(&session->slowness);
    if (session->quota_state == SESSION_QUOTA_SLOWED)
        end_delay(session);
    else if (session->quota_state != SESSION_QUOTA_SPENT)
        session_return_quota(session);
}
