#include "relay/delivery/visit.h"

#include "relay/base/clock.h"

static void run(struct task *task);

/* On the first loop: it went round, the next may. */
static void end(struct task *task)
{
    struct delivery_visit *visit = CONTAINER_OF(task, struct delivery_visit, task);
    struct list *visits = &visit->delivery->visits;

    list_remove(&visit->links);
    free(visit);
    if (list_is_empty(visits))
        return;
    visit = CONTAINER_OF(visits->next, struct delivery_visit, links);
    visit->task.run = run;
    run(&visit->task);
}

static void leave(struct delivery_visit *visit)
{
    bool is_last = visit->shard->index + 1 == visit->delivery->n_shards;

    visit->cursor = 0;
    if (is_last && visit->round == VISIT_RELEASES) {
        mailbox_answer(visit->answer_to, visit->answer);
        visit->task.run = end;
        mailbox_answer(loop_mailbox(visit->delivery->shards[0].loop), &visit->task);
        return;
    }
    visit->shard = is_last ? &visit->delivery->shards[0] : visit->shard + 1;
    visit->round += is_last;
    mailbox_answer(loop_mailbox(visit->shard->loop), &visit->task);
}

/* Domains that were to go to other loops meanwhile go first: what was touched runs before the next
 * visit comes out of the mailbox. */
static void release(struct delivery_shard *shard)
{
    shard->is_settled = false;
    while (!list_is_empty(&shard->parked_domains)) {
        struct list *last = shard->parked_domains.previous;

        list_remove(last);
        list_prepend(&shard->wanted_domains, last);
    }
    delivery_shard_touch(shard);
}

static void run(struct task *task)
{
    struct delivery_visit *visit = CONTAINER_OF(task, struct delivery_visit, task);
    bool has_more = false;

    switch (visit->round) {
    case VISIT_SETTLES:
        visit->shard->is_settled = true;
        break;
    case VISIT_WORKS:
        has_more = visit->slice(visit);
        break;
    case VISIT_RELEASES:
        release(visit->shard);
        break;
    }
    if (has_more)
        loop_defer(visit->shard->loop, &visit->task);
    else
        leave(visit);
}

/* On the first loop. */
static void arrive(struct task *task)
{
    struct delivery_visit *visit = CONTAINER_OF(task, struct delivery_visit, task);
    struct list *visits = &visit->delivery->visits;
    bool is_alone = list_is_empty(visits);

    list_append(visits, &visit->links);
    if (!is_alone)
        return;
    task->run = run;
    run(task);
}

bool delivery_visit_entries(struct delivery_visit *visit, const struct selection *selection,
                            void (*note)(void *owner, struct entry *entry))
{
    int64_t begun_ms = clock_monotonic_ms();
    bool has_more;

    do
        has_more = schedule_select(visit->shard->schedule, selection, &visit->cursor, VISIT_STEPS,
                                   note, visit);
    while (has_more && clock_monotonic_ms() == begun_ms);
    return has_more;
}

void delivery_visits_free(struct delivery *delivery)
{
    struct list *links;

    while (delivery->visits.next && (links = list_take_first(&delivery->visits)))
        free(CONTAINER_OF(links, struct delivery_visit, links));
}

bool delivery_visit(struct delivery *delivery, bool (*slice)(struct delivery_visit *visit),
                    void *request, struct task *answer, void (*done)(struct task *task),
                    struct mailbox *answer_to)
{
    struct delivery_visit *visit = calloc(1, sizeof(*visit));

    if (!visit)
        return false;
    visit->task.run = arrive;
    visit->delivery = delivery;
    visit->shard = &delivery->shards[0];
    visit->request = request;
    visit->slice = slice;
    visit->answer = answer;
    visit->answer_to = answer_to;
    list_init(&visit->taken);
    answer->run = done;
    if (mailbox_post(loop_mailbox(visit->shard->loop), &visit->task))
        return true;
    free(visit);
    return false;
}
