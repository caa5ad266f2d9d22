/* What the journal of final dots costs the spool: messages appended, marked, finished, in a ring.
 * Three ways, alternating: no mark; every message marked by an update of its own, waited for (as
 * for a destination that is not warm); every message marked at its arrival.  Medians of the rounds
 * with their least and most; "wait" is from the append to the moment the dot may leave.
 *   bench_journal [ROUNDS [SECONDS]]      (TMPDIR chooses the disk) */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/list.h"
#include "relay/base/secret.h"
#include "relay/spool/queue_id.h"
#include "relay/spool/spool.h"

enum { MOST_IN_FLIGHT = 256, BODY_BYTES = 20000, MOST_ROUNDS = 32, MOST_WAITS = 1 << 20 };

enum way { NO_MARK, OWN_MARK, BORN_MARKED, N_WAYS };
static const char *const way_names[] = {"none", "own", "at_arrival"};

struct producer {
    struct spool_append append;
    struct spool_update update;
    struct spool_change change;
    struct envelope envelope;
    struct slice pieces[2];
    struct stored *stored; /* set by the spool thread before done() */
    int64_t since_us;
};

struct figures {
    double per_second, cpu_us, wait_us, per_group;
};

static struct spool *spool;
static struct mailbox *answers;
static struct producer producers[MOST_IN_FLIGHT];
static char body[BODY_BYTES], dir[256];
static uint32_t waits_us[MOST_WAITS];
static uint64_t n_done, n_waits;
static unsigned n_in_flight;
static bool is_over;
static enum way way;
static const struct recipient recipient = {.address = SLICE_LITERAL("user@example.net")};

static void be_silent(void *owner, const struct event *event)
{
    (void)owner, (void)event;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void append_next(struct producer *producer);

static void on_finished(struct spool_update *update)
{
    struct producer *producer = CONTAINER_OF(update, struct producer, update);

    if (update->result)
        exit(1);
    stored_unref(producer->stored);
    n_done++;
    n_in_flight--;
    if (!is_over)
        append_next(producer);
}

static void change(struct producer *producer, enum spool_change_kind kind,
                   void (*done)(struct spool_update *update))
{
    producer->change = (struct spool_change){
        .kind = kind, .n = 1, .host = SLICE_LITERAL("mx.example.net"), .tried_utc_ms = 1};
    producer->update = (struct spool_update){.answer_to = answers,
                                             .done = done,
                                             .stored = producer->stored,
                                             .changes = &producer->change,
                                             .n_changes = 1};
    spool_update(spool, &producer->update);
}

/* The dot leaves, and is answered at once. */
static void on_marked(struct spool_update *update)
{
    struct producer *producer = CONTAINER_OF(update, struct producer, update);

    waits_us[n_waits++ % MOST_WAITS] = (uint32_t)(now_us() - producer->since_us);
    change(producer, CHANGE_FINISHED, on_finished);
}

static void on_appended(struct spool_append *append)
{
    struct producer *producer = CONTAINER_OF(append, struct producer, append);

    if (append->result)
        exit(1);
    if (way == OWN_MARK)
        change(producer, CHANGE_OPEN, on_marked);
    else
        on_marked(&producer->update);
}

static void on_committed(void *owner, struct stored *stored, const struct envelope *envelope)
{
    (void)owner;
    CONTAINER_OF(envelope, struct producer, envelope)->stored = stored;
}

static bool opens_at_once(void *owner, const struct envelope *envelope)
{
    (void)owner, (void)envelope;
    return way == BORN_MARKED;
}

static void append_next(struct producer *producer)
{
    producer->envelope = (struct envelope){.id = queue_id_new(),
                                           .user = SLICE_LITERAL("news"),
                                           .sender = SLICE_LITERAL("news@example.org"),
                                           .arrived_utc_ms = clock_utc_ms(),
                                           .expires_utc_ms = clock_utc_ms() + 432000000,
                                           .n_recipients = 1,
                                           .recipients = &recipient};
    producer->pieces[0] = SLICE_LITERAL("Subject: x\r\n\r\n");
    producer->pieces[1] = slice_from(body, sizeof(body));
    producer->append = (struct spool_append){.answer_to = answers,
                                             .done = on_appended,
                                             .envelope = &producer->envelope,
                                             .header_bytes = 14,
                                             .pieces = producer->pieces,
                                             .n_pieces = 2};
    producer->since_us = now_us();
    n_in_flight++;
    if (!spool_append(spool, &producer->append))
        exit(1);
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static int64_t cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

static struct figures run(enum way which, unsigned n_producers, double seconds)
{
    int64_t start_us = now_us(), start_cpu_us = cpu_us(),
            end_us = start_us + (int64_t)(seconds * 1e6);
    struct spool_figures before, after;
    struct figures figures;
    size_t middle;

    way = which;
    n_done = n_waits = 0;
    is_over = false;
    spool_figures(spool, &before);
    for (unsigned i = 0; i < n_producers; i++)
        append_next(&producers[i]);
    while (n_in_flight) {
        mailbox_wait(answers, -1);
        mailbox_run(answers);
        is_over = now_us() >= end_us;
    }
    spool_figures(spool, &after);
    middle = n_done / 2;
    qsort(waits_us, n_done < MOST_WAITS ? n_done : MOST_WAITS, sizeof(waits_us[0]), by_size);
    figures = (struct figures){
        .per_second = (double)n_done * 1e6 / (double)(now_us() - start_us),
        .cpu_us = (double)(cpu_us() - start_cpu_us) / (double)n_done,
        .wait_us = waits_us[middle],
        .per_group = (double)n_done / (double)(after.n_groups - before.n_groups),
    };
    return figures;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static void print_figure(const char *name, double *values, unsigned n)
{
    qsort(values, n, sizeof(*values), by_value);
    printf(" %s=%.1f (%.1f..%.1f)", name, values[n / 2], values[0], values[n - 1]);
}

static void compare(unsigned n_producers, unsigned n_rounds, double seconds)
{
    static double values[N_WAYS][4][MOST_ROUNDS];

    for (unsigned round = 0; round < n_rounds; round++) {
        for (unsigned i = 0; i < N_WAYS; i++) {
            unsigned which = (i + round) % N_WAYS;
            struct figures figures = run((enum way)which, n_producers, seconds);

            values[which][0][round] = figures.per_second;
            values[which][1][round] = figures.cpu_us;
            values[which][2][round] = figures.wait_us;
            values[which][3][round] = figures.per_group;
        }
    }
    for (unsigned i = 0; i < N_WAYS; i++) {
        printf("in_flight=%u mark=%s", n_producers, way_names[i]);
        print_figure("messages_per_s", values[i][0], n_rounds);
        print_figure("cpu_us_per_message", values[i][1], n_rounds);
        print_figure("wait_us_p50", values[i][2], n_rounds);
        print_figure("messages_per_group", values[i][3], n_rounds);
        printf("\n");
    }
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

int main(int argc, char **argv)
{
    unsigned n_rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 7;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
    const struct spool_settings settings = {
        .dir = dir, .callbacks = {.on_committed = on_committed, .opens_at_once = opens_at_once}
    };

    event_set_sink(be_silent, NULL);
    snprintf(dir, sizeof(dir), "%s/journal-bench.XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (n_rounds < 1 || n_rounds > MOST_ROUNDS || secret_start() || !mkdtemp(dir) ||
        mailbox_new(&answers, 4 * MOST_IN_FLIGHT) || spool_start(&spool, &settings))
        return 1;
    memset(body, 'x', sizeof(body));
    compare(1, n_rounds, seconds);
    compare(64, n_rounds, seconds);
    compare(256, n_rounds, seconds);
    spool_stop(spool);
    mailbox_free(answers);
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
