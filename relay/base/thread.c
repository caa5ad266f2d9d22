#include "relay/base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "relay/base/slice.h"

enum { NAME_SIZE = 16 };

struct beginning {
    void *(*run)(void *);
    void *argument;
    char name[NAME_SIZE];
};

/* By the thread itself: another one's name is written through /proc, which a confined process that
 * may not be dumped cannot open. */
static void *begin(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;

    free(argument);
    pthread_setname_np(pthread_self(), beginning.name);
    return beginning.run(beginning.argument);
}

static struct beginning *beginning_new(const char *name, void *(*run)(void *), void *argument)
{
    struct beginning *beginning = malloc(sizeof(*beginning));

    if (!beginning)
        return NULL;
    *beginning = (struct beginning){.run = run, .argument = argument};
    slice_copy_to(slice_of(name), beginning->name, sizeof(beginning->name));
    return beginning;
}

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument)
{
    struct beginning *beginning = beginning_new(name, run, argument);
    sigset_t all, before;
    int error;

    if (!beginning)
        return FAULT(-ENOMEM);
    /* The new thread inherits the mask: signals are read by the one thread that asked for them.
     * SIGSYS is this thread's own doing (net/system_calls.c); blocked, it would kill. */
    sigfillset(&all);
    sigdelset(&all, SIGSYS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, begin, beginning);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(beginning);
        return FAULT(-error);
    }
    return 0;
}
