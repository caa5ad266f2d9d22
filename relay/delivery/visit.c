#include "relay/delivery/visit.h"

static void run(struct task *task);

static void leave(struct delivery_visit *visit)
{
    visit->cursor = 0;
    if (visit->shard->index + 1 < visit->delivery->n_shards) {
        visit->shard++;
        mailbox_answer(loop_mailbox(visit->shard->loop), &visit->task);
        return;
    }
    mailbox_answer(visit->answer_to, visit->answer);
    free(visit);
}

static void run(struct task *task)
{
    struct delivery_visit *visit = CONTAINER_OF(task, struct delivery_visit, task);

    if (visit->slice(visit))
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
