#include "webui/queue_desk.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/list.h"
#include "webui/desk.h"

struct queue_desk {
    struct desk desk;
    struct spool_reader *reader;
};

static void run_done(struct task *task)
{
    struct queue_job *job = CONTAINER_OF(task, struct queue_job, task);

    job->done(job);
}

static void run_job(struct task *task)
{
    struct queue_job *job = CONTAINER_OF(task, struct queue_job, task);

    job->work(job, job->desk->reader);
    task->run = run_done;
    mailbox_answer(job->answer_to, task);
}

bool queue_desk_ask(struct queue_desk *desk, struct queue_job *job)
{
    job->desk = desk;
    return desk_ask(&desk->desk, &job->task, run_job);
}

int queue_desk_new(struct queue_desk **out, const char *spool_dir)
{
    struct queue_desk *desk = calloc(1, sizeof(*desk));
    int error;

    if (!desk)
        return FAULT(-ENOMEM);
    error = spool_reader_new(&desk->reader, spool_dir);
    if (error == 0)
        error = desk_start(&desk->desk, "reader");
    if (error < 0) {
        spool_reader_free(desk->reader);
        free(desk);
        return error;
    }
    *out = desk;
    return 0;
}

struct queue_desk *queue_desk_free(struct queue_desk *desk)
{
    if (!desk)
        return NULL;
    spool_reader_interrupt(desk->reader);
    desk_stop(&desk->desk);
    spool_reader_free(desk->reader);
    free(desk);
    return NULL;
}
