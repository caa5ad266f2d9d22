#include "relay/spool/helper.h"

#include "relay/base/list.h"
#include "relay/base/thread.h"

static void *run(void *argument)
{
    struct helper *helper = argument;

    while (!helper->is_ending) {
        mailbox_wait(helper->mailbox, -1);
        mailbox_run(helper->mailbox);
    }
    return NULL;
}

static void end(struct task *task)
{
    CONTAINER_OF(task, struct helper, stop_task)->is_ending = true;
}

int helper_start(struct helper *helper, const char *name, uint32_t capacity)
{
    int error = mailbox_new(&helper->mailbox, capacity);

    if (!error)
        error = thread_start(&helper->thread, name, run, helper);
    helper->has_thread = error == 0;
    return error;
}

void helper_stop(struct helper *helper)
{
    if (helper->has_thread) {
        helper->stop_task.run = end;
        mailbox_answer(helper->mailbox, &helper->stop_task);
        pthread_join(helper->thread, NULL);
        helper->has_thread = false;
    }
    helper->mailbox = mailbox_free(helper->mailbox);
}
