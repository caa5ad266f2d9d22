/* Operators' requests travel from loop to loop, a slice a turn, and come back to the asker. */
#include "relay/delivery/operate.h"

#include <stdio.h>

#include "relay/delivery/connection.h"
#include "relay/delivery/kept_words.h"
#include "relay/delivery/order.h"
#include "relay/delivery/telling.h"
#include "relay/delivery/visit.h"

/* ---- commands ---- */

/* What a verb does to a recipient that nobody is sending. */
static const struct {
    bool changes_rows;
    enum verdict verdict;
    const char *reason;
} verbs[] = {
    [DELIVERY_COUNT] = {false, VERDICT_LATER,    NULL                     },
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
    if (command->note)
        command->note(command, entry, telling_site(visit->shard, entry));
    if (entry->state == ENTRY_SENDING) {
        command->n_busy++;
        order_note(entry, verb);
    } else if (verbs[verb].changes_rows) {
        schedule_take(visit->shard->schedule, entry);
        list_append(&visit->taken, &entry->link);
    } else if (verb != DELIVERY_COUNT) {
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

    if (command->is_cancelled && atomic_load(command->is_cancelled))
        return false;
    /* What is not committed yet is bounded: the walk waits for it. */
    if (visit->shard->n_outcomes > SHARD_MOST_OUTCOMES / 2)
        return true;
    has_more =
        schedule_select(visit->shard->schedule, &command->selection, &visit->cursor,
                        verbs[verb].changes_rows ? VISIT_CHANGES : VISIT_STEPS, visit_entry, visit);
    outcome_for_all(visit->shard, &visit->taken, &judgement);
    delivery_shard_touch(visit->shard);
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
    struct delivery_sending *request = ((struct delivery_visit *)owner)->request;

    buffer_append_u64(&request->pairs, entry->message->id);
    buffer_append_u32(&request->pairs, entry->n);
}

static bool sending_slice(struct delivery_visit *visit)
{
    static const struct selection sending = {.states = 1U << ENTRY_SENDING};

    return schedule_select(visit->shard->schedule, &sending, &visit->cursor, VISIT_STEPS,
                           note_sending, visit);
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

/* ---- destinations ---- */

static int64_t utc_until(const struct delivery_shard *shard, struct why why)
{
    return why.until_ms < 0 ? -1 : shard_utc_of(shard, why.until_ms);
}

static void view_site(void *owner, struct site *site)
{
    struct delivery_visit *visit = owner;
    struct delivery_destinations *request = visit->request;
    struct why why;
    struct destination_view view;

    if (request->name.len && !slice_equal_ignoring_case(request->name, slice_of(site->name)) &&
        site != visit->site)
        return;
    if (request->name.len == 0 && site_n_entries(site) == 0 && site->bound.n_open == 0 &&
        !bound_has_words(&site->bound, shard_now_ms(visit->shard)))
        return;
    why = schedule_why_site(visit->shard->schedule, site, shard_now_ms(visit->shard));
    view = (struct destination_view){
        .n_ready = site_n_ready(site),
        .n_waiting = site->n_waiting,
        .n_sending = site->n_sending,
        .n_held = site->n_held,
        .n_connections = site->bound.n_open,
        .n_busy = bound_n_busy(&site->bound),
        .state = why.kind,
        .until_utc_ms = utc_until(visit->shard, why),
        .loop_index = visit->shard->index,
    };
    slice_copy_to(slice_of(site->name), view.name, sizeof(view.name));
    slice_copy_to(slice_of(why.reason), view.reason, sizeof(view.reason));
    buffer_append(&request->views, slice_from(&view, sizeof(view)));
}

static bool destinations_slice(struct delivery_visit *visit)
{
    struct delivery_destinations *request = visit->request;
    struct domain *domain = schedule_domain(visit->shard->schedule, request->name);

    visit->site = domain ? domain->site : NULL;
    schedule_each_site(visit->shard->schedule, view_site, visit);
    return false;
}

static void destinations_done(struct task *task)
{
    struct delivery_destinations *request = CONTAINER_OF(task, struct delivery_destinations, task);

    request->done(request);
}

bool delivery_destinations(struct delivery *delivery, struct delivery_destinations *request)
{
    request->views = BUFFER_INIT;
    return delivery_visit(delivery, destinations_slice, request, &request->task, destinations_done,
                          request->answer_to);
}

/* ---- domains ---- */

static bool domains_slice(struct delivery_visit *visit)
{
    struct delivery_domains *request = visit->request;
    const struct pool *domains = &visit->shard->schedule->domains;

    for (unsigned i = 0; i < VISIT_STEPS && visit->cursor < domains->n_numbers; i++) {
        const struct domain *domain = pool_at(domains, visit->cursor++);

        if (domain->n_entries == 0)
            continue;
        buffer_append_u32(&request->counts, domain->n_entries);
        buffer_append_counted(&request->counts, slice_of(domain->name));
    }
    return visit->cursor < domains->n_numbers;
}

static void domains_done(struct task *task)
{
    struct delivery_domains *request = CONTAINER_OF(task, struct delivery_domains, task);

    request->done(request);
}

bool delivery_domains(struct delivery *delivery, struct delivery_domains *request)
{
    request->counts = BUFFER_INIT;
    return delivery_visit(delivery, domains_slice, request, &request->task, domains_done,
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
