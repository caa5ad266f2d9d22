#include "relay/delivery/letter.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { FETCH_BUSY_MS = 50 };

static void run_later(struct later *later);
static void run_timer(struct timer *timer);

struct letter *letter_new(struct delivery_shard *shard, struct stored *stored)
{
    struct letter *letter = calloc(1, sizeof(*letter));

    if (!letter)
        return NULL;
    letter->shard = shard;
    letter->stored = stored_ref(stored);
    letter->n_references = 1;
    arena_init(&letter->arena, 0);
    later_init(&letter->later, shard->loop, run_later);
    timer_init(&letter->timer, shard->loop, run_timer);
    return letter;
}

struct letter *letter_ref(struct letter *letter)
{
    letter->n_references++;
    return letter;
}

void letter_unref(struct letter *letter)
{
    if (!letter || --letter->n_references > 0)
        return;
    if (letter->has_view && letter->shard->delivery->spool)
        spool_release(letter->shard->delivery->spool, &letter->view);
    later_cancel(&letter->later);
    timer_fini(&letter->timer);
    buffer_fini(&letter->envelope_bytes);
    arena_reset(&letter->arena);
    stored_unref(letter->stored);
    free(letter);
}

static void on_fetched(struct spool_fetch *fetch);

static void begin_fetch(struct letter *letter)
{
    letter->fetch = (struct spool_fetch){
        .answer_to = loop_mailbox(letter->shard->loop),
        .done = on_fetched,
        .view = &letter->view,
    };
    if (!spool_fetch(letter->shard->delivery->spool, &letter->fetch))
        timer_set(&letter->timer, FETCH_BUSY_MS);
}

static void run_timer(struct timer *timer)
{
    begin_fetch(CONTAINER_OF(timer, struct letter, timer));
}

/* One at a time: there is one fetch, and it may be in another thread's hands. */
static void serve_next(struct letter *letter)
{
    if (letter->is_serving || letter->n_calls == 0)
        return;
    letter->is_serving = true;
    if (letter->calls[0].wants_bytes)
        begin_fetch(letter);
    else
        later_set(&letter->later);
}

static void ask(struct letter *letter, struct letter_call call)
{
    assert(letter->n_calls < LETTER_MOST_CALLS);
    letter->calls[letter->n_calls++] = call;
    serve_next(letter);
}

/* The owner may let go of the letter in done(), or ask again. */
static void tell(struct letter *letter, int error)
{
    struct letter_call call = letter->calls[0];

    letter->is_serving = false;
    memmove(letter->calls, letter->calls + 1, --letter->n_calls * sizeof(call));
    letter_ref(letter);
    call.done(call.owner, error);
    serve_next(letter);
    letter_unref(letter);
}

/* True: an answer is at hand; false: a fetch is under way. */
static bool read_envelope(struct letter *letter, bool may_fetch)
{
    buffer_clear(&letter->envelope_bytes);
    arena_reset(&letter->arena);
    letter->error = spool_read_envelope(&letter->view, &letter->envelope_bytes, &letter->arena,
                                        &letter->envelope);
    if (letter->error == -EAGAIN && may_fetch) {
        begin_fetch(letter);
        return false;
    }
    letter->is_open = letter->error == 0;
    if (letter->error == -EBADMSG)
        spool_report_damaged(letter->stored, "delivery");
    return true;
}

static void on_fetched(struct spool_fetch *fetch)
{
    struct letter *letter = CONTAINER_OF(fetch, struct letter, fetch);

    letter->error = fetch->result;
    if (fetch->result == 0 && !letter->calls[0].wants_bytes) {
        read_envelope(letter, false);
        if (letter->error == -EAGAIN) /* evicted again at once */
            letter->error = -EIO;
    }
    tell(letter, letter->error);
}

static void run_later(struct later *later)
{
    struct letter *letter = CONTAINER_OF(later, struct letter, later);

    if (letter->is_open) {
        tell(letter, 0);
        return;
    }
    if (!letter->has_view) {
        letter->error = spool_lease(letter->shard->delivery->spool, letter->stored, &letter->view);
        letter->has_view = letter->error == 0;
    }
    if (!letter->has_view || read_envelope(letter, true))
        tell(letter, letter->error);
}

void letter_open(struct letter *letter, void (*done)(void *owner, int error), void *owner)
{
    ask(letter, (struct letter_call){done, owner, false});
}

void letter_fetch(struct letter *letter, void (*done)(void *owner, int error), void *owner)
{
    ask(letter, (struct letter_call){done, owner, true});
}
