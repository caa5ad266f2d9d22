/* How a transaction ends: what its connection tells of replies, and what is made of them. */
#include "relay/delivery/dispatch_private.h"
#include "relay/delivery/hearing.h"

enum { V4_WAIT_MS = 1000, OTHER_ADDRESS_MS = 1000 };

static struct judgement judge(const struct dispatch *dispatch, enum smtp_phase phase,
                              const struct smtp_reply *reply, uint32_t n_accepted)
{
    struct judgement judgement = {
        .verdict = verdict_of(phase, reply, n_accepted),
        .code = reply->code,
        .status = reply->status,
        .text = reply->text,
        .phase = phase,
    };

    if (judgement.verdict == VERDICT_FAILED && dispatch->connection &&
        connection_is_refused_v6(dispatch->connection, reply)) {
        judgement.verdict = VERDICT_LATER;
        /* At once and once: names of hosts that change for ever would be tried each second. */
        if (!dispatch_was_tried(dispatch))
            judgement.due_ms = shard_now_ms(dispatch->shard) + V4_WAIT_MS;
    }
    return judgement;
}

/* A refusal of our IPv6 name concerns no rule: IPv4 is tried next. */
static void hear(struct dispatch *dispatch, enum smtp_phase phase, const struct smtp_reply *reply,
                 const struct entry *entry, struct judgement *judgement)
{
    if (judgement->verdict != VERDICT_AGAIN &&
        !(dispatch->connection && connection_is_refused_v6(dispatch->connection, reply)))
        hearing_reply(dispatch, phase, reply, entry, judgement);
}

void dispatch_on_recipient(struct dispatch *dispatch, uint32_t index, enum smtp_phase phase,
                           const struct smtp_reply *reply, uint32_t n_accepted)
{
    struct judgement judgement;

    if (smtp_reply_is_positive(*reply) || dispatch->is_answered[index])
        return;
    judgement = judge(dispatch, phase, reply, n_accepted);
    hear(dispatch, phase, reply, dispatch->entries[index], &judgement);
    target_note_reply(dispatch->target, &judgement);
    dispatch->is_answered[index] = true;
    egress_warm_up_note(dispatch->warm_use, &judgement, 1);
    outcome_add(dispatch->outcome, dispatch->entries[index], &judgement);
}

static void note_warmth(const struct dispatch *dispatch, bool went_well)
{
    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        if (!dispatch->is_answered[i])
            warmth_note(&dispatch->shard->delivery->warmth,
                        entry_domain(dispatch->shard->schedule, dispatch->entries[i])->hash,
                        went_well);
}

static uint32_t n_left(const struct dispatch *dispatch)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        n += !dispatch->is_answered[i];
    return n;
}

static const struct entry *only_one_left(const struct dispatch *dispatch)
{
    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        if (!dispatch->is_answered[i])
            return n_left(dispatch) == 1 ? dispatch->entries[i] : NULL;
    return NULL;
}

void dispatch_on_end(struct dispatch *dispatch, enum smtp_phase phase,
                     const struct smtp_reply *reply, bool is_doubtful)
{
    struct judgement judgement = judge(dispatch, phase, reply, 0);

    hear(dispatch, phase, reply, only_one_left(dispatch), &judgement);
    target_note_reply(dispatch->target, &judgement);
    if (judgement.verdict == VERDICT_DELIVERED)
        hearing_went_well(dispatch, n_left(dispatch));
    egress_warm_up_note(dispatch->warm_use, &judgement, n_left(dispatch));
    if (!dispatch->is_sent)
        dispatch_set_place(dispatch);
    dispatch->connection = NULL;
    note_warmth(dispatch, phase == SMTP_PHASE_DOT && judgement.verdict == VERDICT_DELIVERED);
    if (is_doubtful)
        dispatch_judge_doubtful(dispatch, &judgement);
    else
        dispatch_judge_rest(dispatch, &judgement);
    dispatch_finish(dispatch);
}

void dispatch_on_unreachable(struct dispatch *dispatch, const struct connection_trouble *trouble)
{
    struct judgement judgement = {
        .verdict = trouble->is_permanent ? VERDICT_FAILED : VERDICT_LATER,
        .code = trouble->code,
        .status = trouble->status,
        .text = slice_of(trouble->text),
        .due_ms = dispatch->tries_other_address && !trouble->is_permanent
                      ? shard_now_ms(dispatch->shard) + OTHER_ADDRESS_MS
                      : 0,
    };

    target_note_reply(dispatch->target, &judgement);
    dispatch_set_place(dispatch);
    dispatch->connection = NULL;
    egress_warm_up_note(dispatch->warm_use, &judgement, 1);
    note_warmth(dispatch, false);
    dispatch_judge_rest(dispatch, &judgement);
    dispatch_finish(dispatch);
}

void dispatch_on_stale(struct dispatch *dispatch)
{
    dispatch->connection = NULL;
    dispatch_judge_rest(dispatch, &(struct judgement){.verdict = VERDICT_AGAIN});
    dispatch_finish(dispatch);
}
