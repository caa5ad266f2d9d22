/* Operators' requests travel from loop to loop, a slice a turn, and come back to the asker. */
#include "relay/delivery/operate.h"

#include <stdio.h>

#include "relay/delivery/connection.h"
#include "relay/delivery/kept_words.h"
#include "relay/delivery/order.h"
#include "relay/delivery/telling.h"
#include "relay/delivery/visit.h"
#include "relay/schedule/figures.h"

/* ---- commands ---- */

/* What a verb does to a recipient that nobody is sending. */
static const struct {
    bool changes_rows;
    enum verdict verdict;
    const char *reason;
} verbs[] = {
    [DELIVERY_COUNT] = {false, VERDICT_LATER,    NULL                     },
    [DELIVERY_LOOK] = {false, VERDICT_LATER,    NULL                     },
    [DELIVERY_RETRY] = {false, VERDICT_LATER,    NULL                     },
    [DELIVERY_HOLD] = {true,  VERDICT_HELD,     "held by an operator"    },
    [DELIVERY_RELEASE] = {true,  VERDICT_RELEASED, "released by an operator"},
    [DELIVERY_REQUEUE] = {false, VERDICT_LATER,    NULL                     },
    [DELIVERY_BOUNCE] = {true,  VERDICT_FAILED,   "returned by an operator"},
    [DELIVERY_DELETE] = {true,  VERDICT_DELETED,  "deleted by an operator" },
};

/* Nothing that the site did wrong before stands in the way. */
static void try_now(struct delivery_shard *shard, struct entry *entry, bool asks_dns)
{
    struct flow *flow = entry_flow(shard->schedule, entry);

    if (entry->state == ENTRY_HELD)
        return;
    if (flow)
        site_try_now(flow->share->site);
    if (asks_dns)
        schedule_reconsider(shard->schedule, entry_domain(shard->schedule, entry));
    schedule_retry_now(shard->schedule, entry, shard_now_ms(shard));
}

static bool applies(enum delivery_verb verb, const struct entry *entry)
{
    if (verb == DELIVERY_HOLD) /* what a quota or the brake holds would be released by them */
        return entry->state != ENTRY_HELD || entry->due_s != ENTRY_UNTIL_RELEASED;
    if (verb == DELIVERY_RELEASE && entry->state == ENTRY_SENDING)
        return (entry->flags & ENTRY_HOLD_LATER) != 0;
    return verb != DELIVERY_RELEASE || entry->state == ENTRY_HELD;
}

/* Held mail waits for somebody, not for its destination. */
static void note_age(const struct delivery_shard *shard, const struct entry *entry)
{
    const struct flow *flow = entry_flow(shard->schedule, entry);
    struct site *site = flow ? flow->share->site : entry_domain(shard->schedule, entry)->site;

    if (site && entry->state != ENTRY_HELD)
        site_age_note(site, shard->looks_begun, entry->message->arrived_utc_ms);
}

static void tell_asker(const struct delivery_visit *visit, struct delivery_command *command,
                       const struct entry *entry)
{
    command->held_until_s = entry_held_until_s(visit->shard->schedule, entry);
    command->given_back_until_s = ENTRY_UNTIL_RELEASED;
    if (command->note && (!command->notes_below || entry->message->id < command->notes_below))
        command->note(command, entry, telling_site(visit->shard, entry));
}

/* Each has a time of its own. */
static void give_back(struct delivery_shard *shard, struct entry *entry, uint32_t until_s)
{
    bool is_braked = until_s == ENTRY_UNTIL_UNBRAKED;
    struct judgement held = {
        .verdict = VERDICT_HELD,
        .text = SLICE_LITERAL("it is held as before: what was done to it was undone"),
        .is_braked = is_braked,
        .is_by_rule = !is_braked && entry->is_by_rule,
        .held_until_ms = is_braked ? 0 : (int64_t)until_s * 1000 - shard->schedule->utc_offset_ms,
    };
    struct list one;

    list_init(&one);
    list_append(&one, &entry->link);
    outcome_for_all(shard, &one, &held);
}

static void change_row(struct delivery_visit *visit, struct entry *entry)
{
    const struct delivery_command *command = visit->request;

    schedule_take(visit->shard->schedule, entry);
    if (command->verb == DELIVERY_RELEASE && command->given_back_until_s != ENTRY_UNTIL_RELEASED)
        give_back(visit->shard, entry, command->given_back_until_s);
    else
        list_append(&visit->taken, &entry->link);
}

static void visit_entry(void *owner, struct entry *entry)
{
    struct delivery_visit *visit = owner;
    struct delivery_command *command = visit->request;
    enum delivery_verb verb = command->verb;

    if (!applies(verb, entry)) {
        command->n_passed += entry->state == ENTRY_SENDING;
        return;
    }
    command->n_selected++;
    command->n_by_state[entry->state]++;
    tell_asker(visit, command, entry);
    if (verb == DELIVERY_LOOK)
        note_age(visit->shard, entry);
    if (entry->state == ENTRY_SENDING) {
        command->n_busy++;
        order_note(entry, verb);
    } else if (verbs[verb].changes_rows) {
        change_row(visit, entry);
    } else if (verb != DELIVERY_COUNT && verb != DELIVERY_LOOK) {
        try_now(visit->shard, entry, verb == DELIVERY_REQUEUE);
    }
}

static bool select_slice(struct delivery_visit *visit)
{
    struct delivery_command *command = visit->request;
    enum delivery_verb verb = command->verb;
    struct judgement judgement = {
        .verdict = verbs[verb].verdict,
        .status = verb == DELIVERY_BOUNCE ? SMTP_STATUS(5, 7, 0) : SMTP_STATUS(0, 0, 0),
        .text = slice_of(command->reason ? command->reason : verbs[verb].reason),
    };
    bool has_more;

    if (verb == DELIVERY_LOOK && visit->shard->looks_begun == visit->shard->looks_ended)
        visit->shard->looks_begun++;
    if (command->is_cancelled && atomic_load(command->is_cancelled))
        return false;
    /* What is not committed yet is bounded: the walk waits for it. */
    if (visit->shard->n_outcomes > SHARD_MOST_OUTCOMES / 2)
        return true;
    if (verb == DELIVERY_COUNT || verb == DELIVERY_LOOK)
        has_more = delivery_visit_entries(visit, &command->selection, visit_entry);
    else
        has_more = schedule_select(visit->shard->schedule, &command->selection, &visit->cursor,
                                   verbs[verb].changes_rows ? VISIT_CHANGES : VISIT_STEPS,
                                   visit_entry, visit);
    outcome_for_all(visit->shard, &visit->taken, &judgement);
    delivery_shard_touch(visit->shard);
    if (verb == DELIVERY_LOOK && !has_more)
        visit->shard->looks_ended = visit->shard->looks_begun;
    return has_more;
}

static void command_done(struct task *task)
{
    struct delivery_command *command = CONTAINER_OF(task, struct delivery_command, task);

    command->done(command);
}

bool delivery_command(struct delivery *delivery, struct delivery_command *command)
{
    command->n_selected = command->n_busy = command->n_passed = 0;
    memset(command->n_by_state, 0, sizeof(command->n_by_state));
    return delivery_visit(delivery, select_slice, command, &command->task, command_done,
                          command->answer_to);
}

/* ---- what is being sent ---- */

static void note_sending(void *owner, struct entry *entry)
{
    struct delivery_visit *visit = owner;
    struct delivery_sending *request = visit->request;

    visit->n_met++;
    buffer_append_u64(&request->pairs, entry->message->id);
    buffer_append_u32(&request->pairs, entry->n);
}

/* There are few among the millions: when this slice met them all there are no more.  Of those that
 * earlier ones met some may have ended, and then their number tells nothing. */
static bool sending_slice(struct delivery_visit *visit)
{
    static const struct selection sending = {.states = 1U << ENTRY_SENDING};
    uint32_t n_sending = visit->shard->schedule->n_states[ENTRY_SENDING];

    visit->n_met = 0;
    return n_sending > 0 && delivery_visit_entries(visit, &sending, note_sending) &&
           visit->n_met < n_sending;
}

static void sending_done(struct task *task)
{
    struct delivery_sending *request = CONTAINER_OF(task, struct delivery_sending, task);

    request->done(request);
}

bool delivery_sending(struct delivery *delivery, struct delivery_sending *request)
{
    request->pairs = BUFFER_INIT;
    return delivery_visit(delivery, sending_slice, request, &request->task, sending_done,
                          request->answer_to);
}

/* ---- an end of what receivers' replies brought ---- */

static bool lift_slice(struct delivery_visit *visit)
{
    struct delivery_lift *request = visit->request;
    struct schedule *schedule = visit->shard->schedule;
    struct domain *domain = schedule_domain(schedule, request->name);
    struct site *site = domain ? domain->site : schedule_site(schedule, request->name);

    if (!site)
        return false;
    request->n_sites += site_lift(site, shard_now_ms(visit->shard));
    kept_words_forget(visit->shard, slice_of(site->name));
    delivery_shard_touch(visit->shard);
    return false;
}

static void lift_done(struct task *task)
{
    struct delivery_lift *request = CONTAINER_OF(task, struct delivery_lift, task);

    request->done(request);
}

bool delivery_lift(struct delivery *delivery, struct delivery_lift *request)
{
    request->n_sites = 0;
    return delivery_visit(delivery, lift_slice, request, &request->task, lift_done,
                          request->answer_to);
}
