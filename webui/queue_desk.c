#include "webui/queue_desk.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/list.h"
#include "relay/base/thread.h"

enum { WAITING_JOBS = 64 };

struct queue_desk {
    struct mailbox *mailbox;
    struct spool_reader *reader;
    pthread_t thread;
    struct task stop;
    bool is_stopping;
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
    job->task.run = run_job;
    job->desk = desk;
    return mailbox_post(desk->mailbox, &job->task);
}

static void run_stop(struct task *task)
{
    CONTAINER_OF(task, struct queue_desk, stop)->is_stopping = true;
}

static void *run(void *argument)
{
    struct queue_desk *desk = argument;

    while (!desk->is_stopping) {
        mailbox_wait(desk->mailbox, -1);
        mailbox_run(desk->mailbox);
    }
    return NULL;
}

static void release(struct queue_desk *desk)
{
    spool_reader_free(desk->reader);
    mailbox_free(desk->mailbox);
    free(desk);
}

int queue_desk_new(struct queue_desk **out, const char *spool_dir)
{
    struct queue_desk *desk = calloc(1, sizeof(*desk));
    int error;

    if (!desk)
        return FAULT(-ENOMEM);
    desk->stop.run = run_stop;
    error = mailbox_new(&desk->mailbox, WAITING_JOBS);
    if (error == 0)
        error = spool_reader_new(&desk->reader, spool_dir);
    if (error == 0)
        error = thread_start(&desk->thread, "reader", run, desk);
    if (error < 0)
        release(desk);
    else
        *out = desk;
    return error;
}

struct queue_desk *queue_desk_free(struct queue_desk *desk)
{
    if (!desk)
        return NULL;
    spool_reader_interrupt(desk->reader);
    mailbox_answer(desk->mailbox, &desk->stop);
    pthread_join(desk->thread, NULL);
    release(desk);
    return NULL;
}
