/* How much the spool takes: messages a second and messages per sync, with 1 and 64 messages in
 * flight and bodies of 2 and 30 KB; and how long a start with many rows takes.
 *   bench_spool [SECONDS [RECOVERED_MESSAGES]]      (TMPDIR chooses the disk) */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/secret.h"
#include "relay/spool/queue_id.h"
#include "relay/spool/spool.h"

enum { MOST_IN_FLIGHT = 256, BODY_BYTES = 30000 };

struct producer {
    struct spool_append append; /* first */
    struct envelope envelope;
    struct slice pieces[2];
};

static struct spool *spool;
static struct mailbox *answers;
static struct producer producers[MOST_IN_FLIGHT];
static char body[BODY_BYTES], dir[256];
static size_t body_bytes;
static uint64_t n_done;
static unsigned n_in_flight;
static bool is_over;
static const struct recipient recipient = {.address = SLICE_LITERAL("user@example.net")};

static void be_silent(void *owner, const struct event *event)
{
    (void)owner, (void)event;
}

static void append_next(struct producer *producer);

static void on_done(struct spool_append *append)
{
    if (append->result) {
        fprintf(stderr, "append: %s\n", strerror(-append->result));
        exit(1);
    }
    n_done++;
    n_in_flight--;
    if (!is_over)
        append_next((struct producer *)append);
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
    producer->pieces[1] = slice_from(body, body_bytes);
    producer->append = (struct spool_append){.answer_to = answers,
                                             .done = on_done,
                                             .envelope = &producer->envelope,
                                             .header_bytes = 14,
                                             .pieces = producer->pieces,
                                             .n_pieces = 2};
    n_in_flight++;
    if (!spool_append(spool, &producer->append))
        exit(1);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void start(void)
{
    const struct spool_settings settings = {.dir = dir};

    if (spool_start(&spool, &settings))
        exit(1);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void produce(unsigned n_producers, int64_t until_ms, uint64_t most)
{
    n_done = 0;
    is_over = false;
    for (unsigned i = 0; i < n_producers; i++)
        append_next(&producers[i]);
    while (n_in_flight) {
        mailbox_wait(answers, -1);
        mailbox_run(answers);
        is_over = clock_monotonic_ms() >= until_ms || n_done >= most;
    }
}

static void measure(unsigned n_producers, size_t bytes, double seconds)
{
    struct spool_figures before, after;
    int64_t start_ms = clock_monotonic_ms();
    double cpu = cpu_seconds(), elapsed;

    body_bytes = bytes;
    spool_figures(spool, &before);
    produce(n_producers, start_ms + (int64_t)(seconds * 1000), UINT64_MAX);
    spool_figures(spool, &after);
    elapsed = (double)(clock_monotonic_ms() - start_ms) / 1000;
    printf("in_flight=%u body=%zu messages_per_s=%.0f messages_per_group=%.1f "
           "cpu_us_per_message=%.1f\n",
           n_producers, bytes, (double)n_done / elapsed,
           (double)n_done / (double)(after.n_groups - before.n_groups),
           (cpu_seconds() - cpu) * 1e6 / (double)n_done);
}

static void measure_start(uint64_t n_messages)
{
    int64_t start_ms;
    struct rusage usage;

    body_bytes = 1;
    produce(MOST_IN_FLIGHT, INT64_MAX, n_messages);
    spool = spool_stop(spool);
    start_ms = clock_monotonic_ms();
    start();
    getrusage(RUSAGE_SELF, &usage);
    printf("start_with=%lu seconds=%.2f resident_mb=%ld\n", n_messages,
           (double)(clock_monotonic_ms() - start_ms) / 1000, usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    uint64_t n_recovered = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;

    event_set_sink(be_silent, NULL);
    snprintf(dir, sizeof(dir), "%s/spool-bench.XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (secret_start() || !mkdtemp(dir) || mailbox_new(&answers, 4 * MOST_IN_FLIGHT))
        return 1;
    memset(body, 'x', sizeof(body));
    start();
    measure(1, 2000, seconds);
    measure(64, 2000, seconds);
    measure(64, BODY_BYTES, seconds);
    measure_start(n_recovered);
    spool_stop(spool);
    mailbox_free(answers);
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
