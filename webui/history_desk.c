#include "webui/history_desk.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/list.h"
#include "webui/desk.h"

struct history_desk {
    struct desk desk;
    struct history_reader *reader;
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
    job->desk = desk;
    return desk_ask(&desk->desk, &job->task, run_job);
}

int history_desk_new(struct history_desk **out, const char *dir)
{
    struct history_desk *desk = calloc(1, sizeof(*desk));
    int error;

    if (!desk)
        return FAULT(-ENOMEM);
    error = history_reader_new(&desk->reader, dir);
    if (error == 0)
        error = desk_start(&desk->desk, "history");
    if (error < 0) {
        history_reader_free(desk->reader);
        free(desk);
        return error;
    }
    *out = desk;
    return 0;
}

struct history_desk *history_desk_free(struct history_desk *desk)
{
    if (!desk)
        return NULL;
    history_reader_interrupt(desk->reader);
    desk_stop(&desk->desk);
    history_reader_free(desk->reader);
    free(desk);
    return NULL;
}
