#include "relay/delivery/dispatch_private.h"

#include <errno.h>

#include "relay/delivery/doubt.h"
#include "relay/delivery/foresight.h"
#include "relay/delivery/hearing.h"
#include "relay/message/line_scan.h"
#include "relay/schedule/provider.h"

enum { SIGNER_WAIT_MS = 2000 };

/* ---- life ---- */

void dispatch_free(struct dispatch *dispatch)
{
    struct delivery_shard *shard = dispatch->shard;

    timer_fini(&dispatch->turn);
    preparation_free(dispatch->preparation);
    letter_unref(dispatch->letter);
    arena_reset(&dispatch->arena);
    free(dispatch);
    shard->n_dispatches--;
    delivery_shard_touch(shard);
}

void dispatch_finish(struct dispatch *dispatch)
{
    struct outcome *outcome = TAKE(dispatch->outcome);

    dispatch->is_over = true;
    dispatch_drop_turn(dispatch);
    if (outcome)
        outcome_commit(outcome);
    if (!dispatch_is_needed(dispatch))
        dispatch_free(dispatch);
}

void dispatch_release(struct dispatch *dispatch)
{
    dispatch->is_lingering = false;
    if (dispatch->is_over && !dispatch_is_needed(dispatch))
        dispatch_free(dispatch);
}

void dispatch_end_late(struct dispatch *dispatch)
{
    if (!dispatch_is_needed(dispatch))
        dispatch_free(dispatch);
}

static void let_connection_go(struct dispatch *dispatch)
{
    struct connection *connection = TAKE(dispatch->connection);

    if (connection)
        connection_let_go(connection);
}

void dispatch_judge_rest(struct dispatch *dispatch, const struct judgement *judgement)
{
    for (uint32_t i = 0; i < dispatch->n_entries; i++) {
        if (dispatch->is_answered[i])
            continue;
        dispatch->is_answered[i] = true;
        outcome_add(dispatch->outcome, dispatch->entries[i], judgement);
    }
}

/* Before a word was said to the peer: the connection is as good as before. */
static void refuse(struct dispatch *dispatch, const struct judgement *judgement)
{
    dispatch_judge_rest(dispatch, judgement);
    let_connection_go(dispatch);
    dispatch_finish(dispatch);
}

void dispatch_set_place(struct dispatch *dispatch)
{
    const struct connection *connection = dispatch->connection;
    const struct provider *provider = dispatch->site->provider;
    struct outcome_place place = {.site = slice_of(dispatch->site->name),
                                  .provider = slice_of(provider ? provider->name : NULL)};

    if (connection) {
        place.mx = slice_of(connection->mx);
        place.egress = slice_of(connection->egress);
        place.tls = slice_of(connection->tls);
        place.peer_has_dsn = connection->has_client && connection->client.peer.dsn;
    }
    outcome_set_place(dispatch->outcome, &place);
}

/* ---- preparing ---- */

static struct render_needs needs_of(const struct dispatch *dispatch)
{
    const struct envelope *envelope = &dispatch->letter->envelope;
    struct render_needs needs = {
        .has_eight_bit_body = envelope->flags & MESSAGE_8BIT_BODY,
        .has_eight_bit_header = envelope->flags & MESSAGE_8BIT_HEADER,
        .asked_smtputf8 = envelope->flags & MESSAGE_SMTPUTF8,
        .has_utf8_address = has_eight_bit(envelope->sender),
    };

    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        needs.has_utf8_address |= has_eight_bit(dispatch->recipients[i].address);
    return needs;
}

/* What may pass in a moment is waited for once; then the steps hold. */
bool dispatch_was_tried(const struct dispatch *dispatch)
{
    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        if (!dispatch->is_answered[i] && dispatch->entries[i]->attempts > 0)
            return true;
    return false;
}

static void refuse_prepared(struct dispatch *dispatch)
{
    struct judgement judgement = *preparation_judgement(dispatch->preparation);

    if (dispatch_was_tried(dispatch))
        judgement.due_ms = 0;
    refuse(dispatch, &judgement);
}

/* The schedule keeps it back, unless it was born of a domain that got its key later: that it takes
 * for mail which needs no signer, and would hand it out again at once. */
static void wait_for_signer(struct dispatch *dispatch)
{
    bool is_misjudged = dispatch->letter->envelope.flags & MESSAGE_NOT_SIGNED;
    int64_t at_ms = shard_now_ms(dispatch->shard) + SIGNER_WAIT_MS;

    refuse(dispatch,
           &(struct judgement){.verdict = VERDICT_AGAIN, .due_ms = is_misjudged ? at_ms : 0});
}

static void on_prepared(void *owner, enum prepare_result result)
{
    struct dispatch *dispatch = owner;

    switch (result) {
    case PREPARED:
        dispatch->is_prepared = true;
        dispatch_try_send(dispatch);
        break;
    case PREPARE_REFUSED:
        refuse_prepared(dispatch);
        break;
    case PREPARE_NO_SIGNER:
        wait_for_signer(dispatch);
        break;
    }
}

static void prepare(struct dispatch *dispatch, enum render_form form)
{
    struct preparation_owner owner = {on_prepared, dispatch};

    if (dispatch->preparation)
        return;
    dispatch->preparation = foresight_take(dispatch->shard, dispatch->letter->stored, form, owner);
    if (!dispatch->preparation)
        dispatch->preparation = preparation_start(dispatch->letter, form, owner);
    if (!dispatch->preparation)
        refuse(dispatch, &(struct judgement){.verdict = VERDICT_LATER,
                                             .status = SMTP_STATUS(4, 3, 0),
                                             .text = SLICE_LITERAL("no memory")});
}

static void fill_recipients(struct dispatch *dispatch)
{
    const struct envelope *envelope = &dispatch->letter->envelope;

    for (uint32_t i = 0; i < dispatch->n_entries; i++) {
        uint32_t n = dispatch->entries[i]->n;
        const struct recipient *recipient =
            n > 0 && n <= envelope->n_recipients ? &envelope->recipients[n - 1] : NULL;

        if (recipient)
            dispatch->recipients[i] = (struct smtp_client_recipient){
                recipient->address, recipient->orcpt, recipient->notify};
    }
}

/* With the peer still unknown, only what any peer can take may be signed already. */
void dispatch_on_opened(void *owner, int error)
{
    struct dispatch *dispatch = owner;
    struct judgement damaged = {.verdict = VERDICT_HELD,
                                .status = SMTP_STATUS(4, 3, 0),
                                .text = SLICE_LITERAL("the stored message cannot be read")};
    struct render_offers none = {false, false};
    struct judgement kept;

    dispatch->is_waiting = false;
    if (dispatch->is_over) {
        dispatch_end_late(dispatch);
        return;
    }
    if (error == -EIO || error == -ENOMEM)
        damaged.verdict = VERDICT_LATER;
    if (error != 0) {
        refuse(dispatch, &damaged);
        return;
    }
    dispatch->is_open = true;
    fill_recipients(dispatch);
    if (hearing_keeps_back(dispatch, &kept)) {
        refuse(dispatch, &kept);
        return;
    }
    if (render_form_for(needs_of(dispatch), none) == RENDER_EIGHT_BIT)
        prepare(dispatch, RENDER_EIGHT_BIT);
    else
        dispatch_try_send(dispatch);
}

/* ---- sending ---- */

/* More recipients than the peer takes at once go in a transaction of their own. */
static void shorten(struct dispatch *dispatch)
{
    uint32_t most = dispatch->connection->client.peer.max_recipients;
    struct judgement again = {.verdict = VERDICT_AGAIN};

    if (most == 0 || most >= dispatch->n_entries)
        return;
    for (uint32_t i = most; i < dispatch->n_entries; i++)
        outcome_add(dispatch->outcome, dispatch->entries[i], &again);
    dispatch->n_entries = most;
}

static void send_now(struct dispatch *dispatch)
{
    const struct envelope *envelope = &dispatch->letter->envelope;
    struct render_needs needs = needs_of(dispatch);
    int result;

    render_init(&dispatch->render, preparation_prefix(dispatch->preparation),
                preparation_reader(dispatch->preparation),
                preparation_length(dispatch->preparation));
    dispatch->transaction = (struct smtp_transaction){
        .sender = envelope->sender,
        .envid = envelope->envid,
        .ret = envelope->ret == RET_FULL      ? SMTP_RET_FULL
               : envelope->ret == RET_HEADERS ? SMTP_RET_HDRS
                                              : SMTP_RET_UNSTATED,
        .size = render_length(&dispatch->render),
        .is_eight_bit = dispatch->connection->client.peer.eight_bit_mime &&
                        (needs.has_eight_bit_body || needs.has_eight_bit_header),
        .is_smtputf8 = render_needs_smtputf8(needs),
        .recipients = dispatch->recipients,
        .n_recipients = dispatch->n_entries,
    };
    dispatch->transaction.has_priority =
        message_priority(envelope->flags, &dispatch->transaction.priority);
    dispatch->is_sent = true;
    dispatch_set_place(dispatch);
    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        doubt_begun(dispatch->shard, dispatch->entries[i]);
    result = connection_send(dispatch->connection, &dispatch->transaction);
    if (result == 0) {
        /* Of several, some may be refused: they are marked when that is known. */
        if (dispatch->n_entries == 1)
            dispatch_mark(dispatch);
        return;
    }
    refuse(dispatch, &(struct judgement){
                         .verdict = result > 0 ? VERDICT_FAILED : VERDICT_LATER,
                         .status = result > 0 ? SMTP_STATUS(5, 6, 7) : SMTP_STATUS(4, 3, 0),
                         .text = SLICE_LITERAL("the envelope cannot be said to this receiver")});
}

static bool is_too_big(const struct dispatch *dispatch)
{
    const struct smtp_client_peer *peer = &dispatch->connection->client.peer;

    return peer->has_size && peer->size > 0 &&
           preparation_length(dispatch->preparation) +
                   preparation_prefix(dispatch->preparation).len >
               peer->size;
}

/* A limit or a suspension came since the pick: no attempt, the schedule keeps it until it may go.
 */
static void send_in_turn(struct dispatch *dispatch)
{
    switch (dispatch_take_turn(dispatch)) {
    case TURN_NOW:
        send_now(dispatch);
        break;
    case TURN_LATER:
        break;
    case TURN_NEVER:
        refuse(dispatch, &(struct judgement){.verdict = VERDICT_AGAIN});
        break;
    }
}

/* Called whenever one of the things it needs has come. */
void dispatch_try_send(struct dispatch *dispatch)
{
    const struct smtp_client_peer *peer;

    if (!dispatch->is_open || !dispatch->is_peer_ready)
        return;
    peer = &dispatch->connection->client.peer;
    if (!dispatch->preparation) {
        shorten(dispatch);
        prepare(dispatch,
                render_form_for(needs_of(dispatch),
                                (struct render_offers){peer->eight_bit_mime, peer->smtputf8}));
        return;
    }
    if (!dispatch->is_prepared)
        return;
    shorten(dispatch);
    if (is_too_big(dispatch))
        refuse(dispatch,
               &(struct judgement){.verdict = VERDICT_FAILED,
                                   .status = SMTP_STATUS(5, 3, 4),
                                   .text = SLICE_LITERAL("longer than the receiver takes")});
    else
        send_in_turn(dispatch);
}

void dispatch_on_drain(struct dispatch *dispatch)
{
    if (dispatch->has_turn && !dispatch->is_sent)
        send_in_turn(dispatch);
}

/* ---- what the connection tells ---- */

void dispatch_on_ready(struct dispatch *dispatch)
{
    dispatch->is_peer_ready = true;
    dispatch_try_send(dispatch);
}
