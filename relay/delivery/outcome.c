#include "relay/delivery/outcome.h"

#include <assert.h>
#include <errno.h>

#include "relay/base/clock.h"
#include "relay/base/fault.h"
#include "relay/base/secret.h"
#include "relay/delivery/bounce.h"
#include "relay/delivery/digest_desk.h"
#include "relay/delivery/doubt.h"
#include "relay/delivery/ledger.h"
#include "relay/delivery/order.h"
#include "relay/delivery/reply_memory.h"
#include "relay/delivery/telling.h"
#include "relay/spool/marks.h"

struct outcome *outcome_new(struct delivery_shard *shard, struct stored *stored,
                            struct letter *letter, uint32_t n)
{
    struct outcome *outcome = calloc(1, sizeof(*outcome));

    if (!outcome)
        return NULL;
    arena_init(&outcome->arena, 0);
    outcome->shard = shard;
    outcome->letter = letter ? letter_ref(letter) : letter_new(shard, stored);
    outcome->items = arena_alloc(&outcome->arena, n * sizeof(*outcome->items));
    outcome->changes = arena_alloc(&outcome->arena, n * sizeof(*outcome->changes));
    outcome->capacity = n;
    if (outcome->letter && outcome->items && outcome->changes)
        return outcome;
    letter_unref(outcome->letter);
    arena_reset(&outcome->arena);
    free(outcome);
    return NULL;
}

static void free_reports(struct outcome *outcome)
{
    while (outcome->n_reports > 0)
        bounce_free(outcome->reports[--outcome->n_reports]);
}

static void outcome_free(struct outcome *outcome)
{
    free_reports(outcome);
    letter_unref(outcome->letter);
    arena_reset(&outcome->arena);
    free(outcome);
}

void outcome_discard(struct outcome *outcome)
{
    if (outcome)
        outcome_free(outcome);
}

void outcome_set_place(struct outcome *outcome, const struct outcome_place *place)
{
    struct arena *arena = &outcome->arena;

    outcome->place = (struct outcome_place){
        .site = arena_copy(arena, place->site),
        .provider = arena_copy(arena, place->provider),
        .mx = arena_copy(arena, place->mx),
        .egress = arena_copy(arena, place->egress),
        .tls = arena_copy(arena, place->tls),
        .peer_has_dsn = place->peer_has_dsn,
    };
}

/* One for all recipients, so that they come back together; most outcomes never ask. */
static uint32_t dice_of(struct outcome *outcome)
{
    if (!outcome->dice)
        random_bytes(&outcome->dice, sizeof(outcome->dice));
    return outcome->dice;
}

static struct schedule *schedule_of(const struct outcome *outcome)
{
    return outcome->shard->schedule;
}

/* Without a verdict nothing was sent, as far as anybody knows. */
static const struct judgement *judged(const struct judgement *judgement)
{
    static const struct judgement unjudged = {
        .verdict = VERDICT_LATER,
        .status = {4, 3, 0},
        .text = SLICE_LITERAL("nobody judged the attempt")
    };

    if (judgement->verdict != VERDICT_NONE)
        return judgement;
    (void)FAULT(-EINVAL);
    return &unjudged;
}

void outcome_add(struct outcome *outcome, struct entry *entry, const struct judgement *judgement)
{
    struct outcome_item *item = &outcome->items[outcome->n_items];
    int64_t now_ms = shard_now_ms(outcome->shard);
    struct judgement order;

    judgement = judged(judgement);
    doubt_begun(outcome->shard, entry);
    if (judgement->verdict == VERDICT_AGAIN && !order_is_noted(entry)) {
        if (judgement->due_ms)
            schedule_defer(schedule_of(outcome), entry, judgement->due_ms, now_ms);
        else
            schedule_return(schedule_of(outcome), entry, now_ms);
        return;
    }
    if (judgement->verdict == VERDICT_AGAIN) {
        order = order_judgement(entry);
        judgement = &order;
    }
    assert(outcome->n_items < outcome->capacity);
    *item = (struct outcome_item){.entry = entry, .n = entry->n, .judgement = *judgement};
    item->judgement.text = arena_copy(&outcome->arena, judgement->text);
    outcome->n_items++;
    if (judgement->verdict != VERDICT_LATER) {
        judgement_classify(&item->judgement, outcome->shard->config->book);
        return;
    }
    schedule_note_attempt(schedule_of(outcome), entry);
    item->judgement.verdict = order_instead_of_later(schedule_of(outcome), entry, now_ms);
    judgement_classify(&item->judgement, outcome->shard->config->book);
    item->due_ms = judgement->due_ms;
    if (item->due_ms == 0)
        item->due_ms = now_ms + retry_wait_ms(&outcome->shard->config->settings.retry,
                                              entry->attempts, dice_of(outcome));
}

static struct slice print_reply(struct outcome *outcome, const struct judgement *judgement)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    judgement_print(judgement, &text);
    return arena_copy(&outcome->arena, slice_head(buffer_slice(&text), 1024));
}

static uint32_t row_flags(const struct entry *entry)
{
    return (entry->flags & ENTRY_DOUBTFUL ? RECIPIENT_DOUBTFUL : 0U) |
           (entry->flags & ENTRY_DELAY_REPORTED ? RECIPIENT_DELAY_REPORTED : 0U);
}

static struct spool_change change_of(struct outcome *outcome, const struct outcome_item *item)
{
    static const struct {
        enum spool_change_kind kind;
        enum recipient_state state;
    } kinds[N_VERDICTS] = {
        [VERDICT_DELIVERED] = {CHANGE_FINISHED, RECIPIENT_QUEUED  },
        [VERDICT_FAILED] = {CHANGE_FINISHED, RECIPIENT_QUEUED  },
        [VERDICT_EXPIRED] = {CHANGE_FINISHED, RECIPIENT_QUEUED  },
        [VERDICT_DELETED] = {CHANGE_FINISHED, RECIPIENT_QUEUED  },
        [VERDICT_LATER] = {CHANGE_ROW,      RECIPIENT_DEFERRED},
        [VERDICT_HELD] = {CHANGE_ROW,      RECIPIENT_HELD    },
        [VERDICT_RELEASED] = {CHANGE_ROW,      RECIPIENT_QUEUED  },
        [VERDICT_DELAYED] = {CHANGE_MARK,     RECIPIENT_QUEUED  },
    };
    enum verdict verdict = item->judgement.verdict;
    struct spool_change change = {
        .kind = kinds[verdict].kind,
        .state = kinds[verdict].state,
        .n = item->n,
        .flags = RECIPIENT_DELAY_REPORTED,
        .is_marked = item->is_marked,
    };
    int64_t due_ms;

    if (change.kind != CHANGE_ROW)
        return change;
    change.attempts = item->entry->attempts;
    change.flags = row_flags(item->entry) | hold_row_flags(&item->judgement);
    item->entry->flags &= (uint8_t)~ENTRY_OPEN; /* the row's mark goes with this change */
    due_ms = verdict == VERDICT_HELD ? item->judgement.held_until_ms : item->due_ms;
    change.next_utc_ms = due_ms ? shard_utc_of(outcome->shard, due_ms) : clock_utc_ms();
    if (verdict == VERDICT_RELEASED)
        return change;
    if (item->judgement.is_doubtful) {
        change.host = outcome->place.mx;
        change.tried_utc_ms = clock_utc_ms();
    }
    change.reply = print_reply(outcome, &item->judgement);
    reply_memory_note(&outcome->shard->replies, outcome->letter->stored->id, item->n, change.reply);
    return change;
}

/* Said while its row was being written: obeyed before it can be sent again. */
static void obey_order(struct outcome *outcome, struct entry *entry)
{
    static const struct judgement again = {.verdict = VERDICT_AGAIN};
    struct list one;

    list_init(&one);
    list_append(&one, &entry->link);
    outcome_for_all(outcome->shard, &one, &again);
}

static bool is_kept(enum verdict verdict)
{
    return verdict == VERDICT_LATER || verdict == VERDICT_HELD || verdict == VERDICT_RELEASED;
}

static void believe(struct outcome *outcome, const struct outcome_item *item)
{
    struct schedule *schedule = schedule_of(outcome);
    int64_t now_ms = shard_now_ms(outcome->shard);
    enum verdict verdict = item->judgement.verdict;

    if (!item->entry)
        return;
    if (verdict == VERDICT_HELD)
        item->entry->flags &= (uint8_t)~ENTRY_HOLD_LATER;
    if (is_kept(verdict) && order_is_noted(item->entry)) {
        obey_order(outcome, item->entry);
        return;
    }
    switch (verdict) {
    case VERDICT_DELIVERED:
    case VERDICT_FAILED:
    case VERDICT_EXPIRED:
    case VERDICT_DELETED:
        schedule_finish(schedule, item->entry);
        break;
    case VERDICT_LATER:
        schedule_defer(schedule, item->entry, item->due_ms, now_ms);
        break;
    case VERDICT_HELD:
        hold_believe(outcome->shard, item->entry, &item->judgement);
        break;
    case VERDICT_RELEASED:
    case VERDICT_AGAIN:
        schedule_return(schedule, item->entry, now_ms);
        break;
    case VERDICT_NONE:
    case VERDICT_DELAYED:
    case N_VERDICTS:
        break;
    }
}

static void end(struct outcome *outcome)
{
    struct delivery_shard *shard = outcome->shard;

    shard->n_outcomes--;
    outcome_free(outcome);
    delivery_shard_touch(shard);
}

/* Nothing was stored: the service stops, or the message is gone. */
static void give_back(struct outcome *outcome, bool is_gone)
{
    for (uint32_t i = 0; i < outcome->n_items; i++) {
        struct entry *entry = outcome->items[i].entry;

        if (entry && is_gone)
            schedule_finish(schedule_of(outcome), entry);
        else if (entry)
            schedule_return(schedule_of(outcome), entry, shard_now_ms(outcome->shard));
    }
    end(outcome);
}

static void on_committed(struct spool_update *update)
{
    struct outcome *outcome = CONTAINER_OF(update, struct outcome, update);

    if (update->result < 0) {
        give_back(outcome, false);
        return;
    }
    for (uint32_t i = 0; i < outcome->n_items; i++) {
        tell_recipient(outcome, &outcome->items[i]);
        ledger_note(outcome, &outcome->items[i]);
        believe(outcome, &outcome->items[i]);
    }
    for (uint32_t i = 0; i < outcome->n_reports; i++)
        tell_report(outcome, outcome->reports[i]);
    if (outcome->n_failures > 0)
        digest_note(outcome->shard, outcome->letter->envelope.user_id,
                    outcome->letter->envelope.sender, outcome->n_failures);
    end(outcome);
}

static void send_update(struct outcome *outcome)
{
    struct delivery_shard *shard = outcome->shard;

    for (uint32_t i = 0; i < outcome->n_items; i++)
        outcome->changes[i] = change_of(outcome, &outcome->items[i]);
    outcome->update = (struct spool_update){
        .answer_to = loop_mailbox(shard->loop),
        .done = on_committed,
        .stored = outcome->letter->stored,
        .changes = outcome->changes,
        .n_changes = outcome->n_items,
        .reports = outcome->appends,
        .n_reports = outcome->n_reports,
        .failures = outcome->failures,
        .n_failures = outcome->n_failures,
        .can_wait = outcome->n_reports == 0 && shard->n_outcomes < SHARD_SOME_IN_DOUBT,
    };
    spool_update(shard->delivery->spool, &outcome->update);
}

static void on_fetched(void *owner, int error);

/* A report that memory does not suffice for is not worth losing the verdict. */
static void write_reports(struct outcome *outcome)
{
    static const enum dsn_action actions[OUTCOME_REPORTS] = {DSN_FAILED, DSN_DELAYED, DSN_RELAYED};

    free_reports(outcome);
    outcome->n_failures = 0;
    for (int i = 0; i < OUTCOME_REPORTS; i++) {
        struct bounce_report *report = NULL;
        int result =
            actions[i] == DSN_FAILED && bounce_is_collected(outcome)
                ? bounce_collect(outcome)
                : bounce_write(outcome, actions[i], &report, &outcome->appends[outcome->n_reports]);

        if (result == -EAGAIN && !outcome->has_fetched) {
            outcome->has_fetched = true;
            letter_fetch(outcome->letter, on_fetched, outcome);
            return;
        }
        if (report)
            outcome->reports[outcome->n_reports++] = report;
    }
    send_update(outcome);
}

/* When even that failed, the report goes without the original. */
static void on_fetched(void *owner, int error)
{
    (void)error;
    write_reports(owner);
}

static void on_opened(void *owner, int error)
{
    struct outcome *outcome = owner;

    if (error == -ENOENT)
        give_back(outcome, true);
    else
        write_reports(outcome);
}

static void mark(struct outcome *outcome, const uint32_t *recipients, uint32_t n)
{
    bool is_marked = n > 0 && spool_mark(outcome->shard->delivery->spool, outcome->letter->stored,
                                         recipients, n, MARK_DELIVERED);

    for (uint32_t i = 0; i < outcome->n_items; i++)
        outcome->items[i].is_marked |=
            is_marked && outcome->items[i].judgement.verdict == VERDICT_DELIVERED;
}

/* Before the commit, which a kill may forestall: a start then finds that it need not be sent. */
static void mark_delivered(struct outcome *outcome)
{
    uint32_t *recipients = arena_alloc(&outcome->arena, outcome->n_items * sizeof(*recipients));
    uint32_t n = 0;

    for (uint32_t i = 0; recipients && i < outcome->n_items; i++) {
        const struct outcome_item *item = &outcome->items[i];

        if (item->judgement.verdict == VERDICT_DELIVERED && !item->is_marked)
            recipients[n++] = item->n;
    }
    mark(outcome, recipients, n);
}

void outcome_commit(struct outcome *outcome)
{
    outcome->shard->n_outcomes++;
    mark_delivered(outcome);
    if (outcome->n_items == 0)
        end(outcome);
    else if (outcome->letter->is_open)
        write_reports(outcome);
    else
        letter_open(outcome->letter, on_opened, outcome);
}
