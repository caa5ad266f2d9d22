#include "relay/base/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

struct mailbox {
    pthread_mutex_t lock;
    struct task *first, **last; /* last: where the next task is linked */
    uint32_t n_waiting, capacity;
    int event_fd; /* readable while first is set */
};

int mailbox_new(struct mailbox **out, uint32_t capacity)
{
    struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

    if (!mailbox)
        return FAULT(-ENOMEM);
    mailbox->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->event_fd < 0) {
        free(mailbox);
        return FAULT(-errno);
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->last = &mailbox->first;
    mailbox->capacity = capacity;
    *out = mailbox;
    return 0;
}

struct mailbox *mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return NULL;
    close(mailbox->event_fd);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
    return NULL;
}

/* Under the lock.  The descriptor is written only for the first task of a batch. */
static void link_task(struct mailbox *mailbox, struct task *task)
{
    bool was_empty = mailbox->first == NULL;

    task->next = NULL;
    *mailbox->last = task;
    mailbox->last = &task->next;
    mailbox->n_waiting++;
    if (was_empty)
        eventfd_write(mailbox->event_fd, 1);
}

bool mailbox_post(struct mailbox *mailbox, struct task *task)
{
    bool has_room;

    pthread_mutex_lock(&mailbox->lock);
    has_room = mailbox->n_waiting < mailbox->capacity;
    if (has_room)
        link_task(mailbox, task);
    pthread_mutex_unlock(&mailbox->lock);
    return has_room;
}

void mailbox_answer(struct mailbox *mailbox, struct task *task)
{
    pthread_mutex_lock(&mailbox->lock);
    link_task(mailbox, task);
    pthread_mutex_unlock(&mailbox->lock);
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->event_fd;
}

struct task *mailbox_take(struct mailbox *mailbox)
{
    struct task *first;
    eventfd_t ignored;

    pthread_mutex_lock(&mailbox->lock);
    first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    mailbox->n_waiting = 0;
    if (first)
        eventfd_read(mailbox->event_fd, &ignored);
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}

uint32_t mailbox_run(struct mailbox *mailbox)
{
    struct task *task = mailbox_take(mailbox);
    uint32_t n_run = 0;

    while (task) {
        struct task *next = task->next; /* run() may free the task or post it on */

        task->run(task);
        task = next;
        n_run++;
    }
    return n_run;
}

bool mailbox_wait(struct mailbox *mailbox, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = mailbox->event_fd, .events = POLLIN};
    int n_ready;

    do
        n_ready = poll(&poll_fd, 1, timeout_ms);
    while (n_ready < 0 && errno == EINTR && timeout_ms < 0);
    return n_ready > 0;
}
