#include "webui/history_desk.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/list.h"
#include "relay/base/thread.h"

enum { WAITING_JOBS = 64 };

struct history_desk {
    struct mailbox *mailbox;
    struct history_reader *reader;
    pthread_t thread;
    struct task stop;
    bool is_stopping;
};

static void run_done(struct task *task)
{
    struct history_job *job = CONTAINER_OF(task, struct history_job, task);

    job->done(job);
}

static void run_job(struct task *task)
{
    struct history_job *job = CONTAINER_OF(task, struct history_job, task);

    job->work(job, job->desk->reader);
    task->run = run_done;
    mailbox_answer(job->answer_to, task);
}

bool history_desk_ask(struct history_desk *desk, struct history_job *job)
{
    job->task.run = run_job;
    job->desk = desk;
    return mailbox_post(desk->mailbox, &job->task);
}

static void run_stop(struct task *task)
{
    CONTAINER_OF(task, struct history_desk, stop)->is_stopping = true;
}

static void *run(void *argument)
{
    struct history_desk *desk = argument;

    while (!desk->is_stopping) {
        mailbox_wait(desk->mailbox, -1);
        mailbox_run(desk->mailbox);
    }
    return NULL;
}

static void release(struct history_desk *desk)
{
    history_reader_free(desk->reader);
    mailbox_free(desk->mailbox);
    free(desk);
}

int history_desk_new(struct history_desk **out, const char *dir)
{
    struct history_desk *desk = calloc(1, sizeof(*desk));
    int error;

    if (!desk)
        return FAULT(-ENOMEM);
    desk->stop.run = run_stop;
    error = mailbox_new(&desk->mailbox, WAITING_JOBS);
    if (error == 0)
        error = history_reader_new(&desk->reader, dir);
    if (error == 0)
        error = thread_start(&desk->thread, "history", run, desk);
    if (error < 0)
        release(desk);
    else
        *out = desk;
    return error;
}

struct history_desk *history_desk_free(struct history_desk *desk)
{
    if (!desk)
        return NULL;
    history_reader_interrupt(desk->reader);
    mailbox_answer(desk->mailbox, &desk->stop);
    pthread_join(desk->thread, NULL);
    release(desk);
    return NULL;
}
