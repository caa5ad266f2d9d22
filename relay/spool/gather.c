#include "relay/spool/gather.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"

enum {
    ENOUGH = 256,     /* messages and verdicts of one group */
    EMPTY_ROUNDS = 2, /* that bring nothing more, until a group is taken */
    MOST_ROUNDS = 64, /* a source that always brings one more */
    PATIENCE_MS = 50,
    LOOK_MS = 5, /* whether others brought enough, while one stands still */
};

int gather_init(struct gatherer *gatherer, struct mailbox *answer_to,
                struct mailbox *const *sources, uint32_t n_sources)
{
    *gatherer = (struct gatherer){.answer_to = answer_to, .patience_ms = PATIENCE_MS};
    if (n_sources == 0)
        return 0;
    gatherer->sources = calloc(n_sources, sizeof(*gatherer->sources));
    if (!gatherer->sources)
        return FAULT(-ENOMEM);
    for (uint32_t i = 0; i < n_sources; i++)
        gatherer->sources[i] = (struct gather_source){.gatherer = gatherer, .mailbox = sources[i]};
    gatherer->n_sources = n_sources;
    return 0;
}

void gather_fini(struct gatherer *gatherer)
{
    free(gatherer->sources);
    *gatherer = (struct gatherer){0};
}

void gather_note(struct gatherer *gatherer)
{
    gatherer->n_new++;
}

/* Back on the spool thread: what the source posted before lies before us. */
static void on_back(struct task *task)
{
    struct gather_source *source = CONTAINER_OF(task, struct gather_source, task);

    source->is_asked = false;
    source->gatherer->n_awaited--;
}

/* On the source's thread. */
static void come_by(struct task *task)
{
    task->run = on_back;
    mailbox_call(CONTAINER_OF(task, struct gather_source, task)->gatherer->answer_to, task);
}

static void ask_all(struct gatherer *gatherer)
{
    for (uint32_t i = 0; i < gatherer->n_sources; i++) {
        struct gather_source *source = &gatherer->sources[i];

        if (source->is_asked) /* since the last time, which nobody awaited to the end */
            continue;
        source->is_asked = true;
        source->task.run = come_by;
        gatherer->n_awaited++;
        mailbox_answer(source->mailbox, &source->task);
    }
}

/* False: somebody took too long, or others brought enough meanwhile.  What they bring wakes nobody:
 * each would cost two switches. */
static bool await_all(struct gatherer *gatherer, uint32_t n_outstanding, int64_t end_ms)
{
    while (gatherer->n_awaited > n_outstanding) {
        int64_t rest_ms = end_ms - clock_monotonic_ms();

        if (rest_ms <= 0 || gatherer->n_new >= ENOUGH)
            return false;
        mailbox_sleep(gatherer->answer_to, rest_ms < LOOK_MS ? (int)rest_ms : LOOK_MS);
        mailbox_run(gatherer->answer_to);
    }
    return true;
}

void gather_run(struct gatherer *gatherer)
{
    int64_t end_ms = clock_monotonic_ms() + gatherer->patience_ms;
    uint32_t n_outstanding = gatherer->n_awaited;
    unsigned n_rounds = 0, n_empty = 0;
    bool is_crowd = gatherer->n_new > 1 || gatherer->was_crowd;

    while (is_crowd && n_empty < EMPTY_ROUNDS && n_rounds < MOST_ROUNDS &&
           gatherer->n_new < ENOUGH) {
        uint32_t n_before = gatherer->n_new;

        ask_all(gatherer);
        if (!await_all(gatherer, n_outstanding, end_ms))
            break;
        n_empty = gatherer->n_new > n_before ? 0 : n_empty + 1;
        n_rounds++;
    }
    gatherer->was_crowd = gatherer->n_new > 1;
    gatherer->n_new = 0;
}
