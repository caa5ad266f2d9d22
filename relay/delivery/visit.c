#include "relay/delivery/visit.h"

static void leave(struct delivery_visit *visit)
{
    bool is_last = visit->shard->index + 1 == visit->delivery->n_shards;

    visit->cursor = 0;
    if (is_last && visit->round == VISIT_RELEASES) {
        mailbox_answer(visit->answer_to, visit->answer);
        free(visit);
        return;
    }
    visit->shard = is_last ? &visit->delivery->shards[0] : visit->shard + 1;
    visit->round += is_last;
    mailbox_answer(loop_mailbox(visit->shard->loop), &visit->task);
}

/* Domains that were to go to other loops meanwhile. */
static void release(struct delivery_shard *shard)
{
    struct list *link;

    shard->n_settled--;
    while (shard->n_settled == 0 && (link = list_take_first(&shard->parked_domains)))
        list_append(&shard->wanted_domains, link);
    delivery_shard_touch(shard);
}

static void run(struct task *task)
{
    struct delivery_visit *visit = CONTAINER_OF(task, struct delivery_visit, task);
    bool has_more = false;

    switch (visit->round) {
    case VISIT_SETTLES:
        visit->shard->n_settled++;
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

bool delivery_visit(struct delivery *delivery, bool (*slice)(struct delivery_visit *visit),
                    void *request, struct task *answer, void (*done)(struct task *task),
                    struct mailbox *answer_to)
{
    struct delivery_visit *visit = calloc(1, sizeof(*visit));

    if (!visit)
        return false;
    visit->task.run = run;
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
