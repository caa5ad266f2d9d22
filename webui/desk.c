#include "webui/desk.h"

#include "relay/base/list.h"
#include "relay/base/thread.h"

enum { WAITING_JOBS = 64 };

static void run_stop(struct task *task)
{
    CONTAINER_OF(task, struct desk, stop)->is_stopping = true;
}

static void *run(void *argument)
{
    struct desk *desk = argument;

    while (!desk->is_stopping) {
        mailbox_wait(desk->mailbox, -1);
        mailbox_run(desk->mailbox);
    }
    return NULL;
}

int desk_start(struct desk *desk, const char *name)
{
    int error = mailbox_new(&desk->mailbox, WAITING_JOBS);

    desk->stop.run = run_stop;
    if (error == 0)
        error = thread_start(&desk->thread, name, run, desk);
    if (error < 0)
        desk->mailbox = mailbox_free(desk->mailbox);
    return error;
}

void desk_stop(struct desk *desk)
{
    mailbox_answer(desk->mailbox, &desk->stop);
    pthread_join(desk->thread, NULL);
    desk->mailbox = mailbox_free(desk->mailbox);
}

bool desk_ask(struct desk *desk, struct task *task, void (*run_there)(struct task *task))
{
    task->run = run_there;
    return mailbox_post(desk->mailbox, task);
}
