#include "relay/base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>

/* What the owner wants of the descriptor. */
enum poll_state {
    POLL_UNUSED, /* nobody polls it, or the owner is awake and will look */
    POLL_ARMED,  /* the next task makes it readable */
    POLL_TOLD,   /* it is readable */
};

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t filled;      /* for an owner in mailbox_wait() */
    struct task *first, **last; /* last: where the next task is linked */
    uint32_t n_waiting, capacity;
    int event_fd;
    enum poll_state poll;
    bool is_polled, looks_before_sleep, is_waiting;
};

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

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
    init_condition(&mailbox->filled);
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
    pthread_cond_destroy(&mailbox->filled);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
    return NULL;
}

/* Under the lock, so that the owner cannot free the mailbox before the call is made. */
static void wake_owner(struct mailbox *mailbox)
{
    if (mailbox->poll == POLL_ARMED) {
        mailbox->poll = POLL_TOLD;
        eventfd_write(mailbox->event_fd, 1);
    }
    if (mailbox->is_waiting)
        pthread_cond_signal(&mailbox->filled);
}

/* Under the lock.  Only the first task of a batch wakes anybody. */
static void link_task(struct mailbox *mailbox, struct task *task)
{
    bool was_empty = mailbox->first == NULL;

    task->next = NULL;
    *mailbox->last = task;
    mailbox->last = &task->next;
    mailbox->n_waiting++;
    if (was_empty)
        wake_owner(mailbox);
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

int mailbox_fd(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    if (!mailbox->is_polled) {
        mailbox->is_polled = true;
        mailbox->poll = POLL_ARMED;
        if (mailbox->first)
            wake_owner(mailbox);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return mailbox->event_fd;
}

void mailbox_look_before_sleep(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->looks_before_sleep = true;
    pthread_mutex_unlock(&mailbox->lock);
}

bool mailbox_may_sleep(struct mailbox *mailbox)
{
    bool is_empty;

    pthread_mutex_lock(&mailbox->lock);
    is_empty = mailbox->first == NULL;
    if (is_empty && mailbox->poll == POLL_UNUSED)
        mailbox->poll = POLL_ARMED;
    pthread_mutex_unlock(&mailbox->lock);
    return is_empty;
}

/* Under the lock: what was told is taken back. */
static void rest_poll(struct mailbox *mailbox)
{
    eventfd_t ignored;

    if (mailbox->poll == POLL_TOLD)
        eventfd_read(mailbox->event_fd, &ignored);
    if (mailbox->is_polled)
        mailbox->poll = mailbox->looks_before_sleep ? POLL_UNUSED : POLL_ARMED;
}

struct task *mailbox_take(struct mailbox *mailbox)
{
    struct task *first;

    pthread_mutex_lock(&mailbox->lock);
    first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    mailbox->n_waiting = 0;
    rest_poll(mailbox);
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

static struct timespec in_ms(int ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Under the lock: 0, or ETIMEDOUT. */
static int wait_until(struct mailbox *mailbox, const struct timespec *end)
{
    int error;

    mailbox->is_waiting = true;
    error = end ? pthread_cond_timedwait(&mailbox->filled, &mailbox->lock, end)
                : pthread_cond_wait(&mailbox->filled, &mailbox->lock);
    mailbox->is_waiting = false;
    return error;
}

bool mailbox_wait(struct mailbox *mailbox, int timeout_ms)
{
    struct timespec end = in_ms(timeout_ms < 0 ? 0 : timeout_ms);
    bool has_tasks;

    pthread_mutex_lock(&mailbox->lock);
    while (!mailbox->first && wait_until(mailbox, timeout_ms < 0 ? NULL : &end) == 0)
        ;
    has_tasks = mailbox->first != NULL;
    pthread_mutex_unlock(&mailbox->lock);
    return has_tasks;
}
