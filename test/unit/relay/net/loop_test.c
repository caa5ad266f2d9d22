#include "test/support/test_support.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/base/clock.h"
#include "relay/base/thread.h"
#include "relay/net/loop.h"

static struct loop *loop;
static char fired[64];
static size_t n_fired;

static int set_up(void **state)
{
    (void)state;
    n_fired = 0;
    memset(fired, 0, sizeof(fired));
    return loop_new(&loop, 3, 8);
}

static int tear_down(void **state)
{
    (void)state;
    loop = loop_free(loop);
    return 0;
}

struct named_timer {
    struct timer timer;
    char name;
    int64_t at_ms;
};

static void note(char name)
{
    fired[n_fired++] = name;
}

static void on_named(struct timer *timer)
{
    struct named_timer *named = CONTAINER_OF(timer, struct named_timer, timer);

    named->at_ms = clock_monotonic_ms();
    note(named->name);
}

static void on_last(struct timer *timer)
{
    on_named(timer);
    loop_stop(timer->loop);
}

static void timers_fire_in_order_and_never_early(void **state)
{
    struct named_timer timers[] = {{.name = 'd'}, {.name = 'b'}, {.name = 'a'}, {.name = 'c'}};
    const int delays[] = {40, 10, 0, 10};
    int64_t start_ms = clock_monotonic_ms();

    (void)state;
    for (int i = 0; i < 4; i++) {
        timer_init(&timers[i].timer, loop, i == 0 ? on_last : on_named);
        timer_set(&timers[i].timer, delays[i]);
    }
    loop_run(loop);
    assert_string_equal(fired, "abcd");
    for (int i = 0; i < 4; i++)
        assert_true(timers[i].at_ms - start_ms >= delays[i]);
}

static void a_cancelled_timer_never_fires_and_one_set_anew_fires_once(void **state)
{
    struct named_timer cancelled = {.name = 'x'}, again = {.name = 'a'}, last = {.name = 'z'};

    (void)state;
    timer_init(&cancelled.timer, loop, on_named);
    timer_init(&again.timer, loop, on_named);
    timer_init(&last.timer, loop, on_last);
    timer_set(&cancelled.timer, 1);
    timer_set(&again.timer, 500000);
    timer_set(&again.timer, 2);
    timer_set(&last.timer, 10);
    timer_cancel(&cancelled.timer);
    timer_cancel(&cancelled.timer);
    loop_run(loop);
    assert_string_equal(fired, "az");
}

/* Thousands of timers set, moved and cancelled at random fire in the order of a sorted list. */
static void the_queue_keeps_order_whatever_is_taken_out(void **state)
{
    enum { N = 3000 };
    static struct named_timer timers[N];
    static int64_t due[N];
    unsigned seed = 12345;
    int64_t last_due = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        timer_init(&timers[i].timer, loop, on_named);
        timers[i].timer.is_set = false;
    }
    for (int round = 0; round < 20000; round++) {
        int i = rand_r(&seed) % N;

        if (rand_r(&seed) % 3 == 0) {
            timer_cancel(&timers[i].timer);
        } else {
            timer_set(&timers[i].timer, 100000 + rand_r(&seed) % 1000);
            due[i] = timers[i].timer.due_ms;
        }
    }
    for (int i = 0; i < N; i++)
        if (timers[i].timer.is_set)
            assert_int_equal(due[i], timers[i].timer.due_ms);
    /* Taking out the smallest again and again must go upwards: find it by brute force. */
    for (;;) {
        int smallest = -1;

        for (int i = 0; i < N; i++)
            if (timers[i].timer.is_set && (smallest < 0 || due[i] < due[smallest]))
                smallest = i;
        if (smallest < 0)
            break;
        assert_true(due[smallest] >= last_due);
        last_due = due[smallest];
        timer_cancel(&timers[smallest].timer);
    }
}

static int n_rounds;

static void on_again(struct timer *timer)
{
    n_rounds++;
    timer_set(timer, 0);
}

static void on_readable(struct watch *watch, unsigned what)
{
    char byte;

    assert_int_equal(what, WATCH_READ);
    assert_int_equal(read(watch->fd, &byte, 1), 1);
    note(byte);
    loop_stop(watch->loop);
}

static void a_timer_set_for_now_again_and_again_starves_nobody(void **state)
{
    struct timer timer;
    struct watch watch;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(watch_init(&watch, loop, fds[0], on_readable), 0);
    assert_int_equal(watch_set(&watch, WATCH_READ), 0);
    timer_init(&timer, loop, on_again);
    timer_set(&timer, 0);
    assert_int_equal(write(fds[1], "r", 1), 1);
    loop_run(loop);
    assert_string_equal(fired, "r");
    assert_true(n_rounds >= 1);
    timer_fini(&timer);
    watch_fini(&watch);
    close(fds[0]);
    close(fds[1]);
}

static void on_both(struct watch *watch, unsigned what)
{
    if (what & WATCH_WRITE)
        note('w');
    if (watch_set(watch, WATCH_READ) < 0)
        fail();
    if (what & WATCH_READ)
        on_readable(watch, WATCH_READ);
    else
        assert_int_equal(write(*(int *)(void *)&fired[60], "r", 1), 1);
}

static void a_watch_waits_for_what_it_is_set_to(void **state)
{
    struct watch watch;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    memcpy(&fired[60], &fds[1], sizeof(int));
    assert_int_equal(watch_init(&watch, loop, fds[0], on_both), 0);
    assert_int_equal(watch_set(&watch, WATCH_WRITE), 0);
    loop_run(loop);
    fired[60] = '\0';
    assert_int_equal(strncmp(fired, "wr", 3), 0);
    watch_fini(&watch);
    watch_fini(&watch);
    close(fds[0]);
    close(fds[1]);
}

struct named_task {
    struct task task;
    struct later later;
    char name;
};

static void on_deferred(struct task *task)
{
    note(CONTAINER_OF(task, struct named_task, task)->name);
}

static void on_later(struct later *later)
{
    struct named_task *named = CONTAINER_OF(later, struct named_task, later);

    note(named->name);
    if (named->name == 'z')
        loop_stop(later->loop);
    else if (named->name == 'n')
        named->name = 'z', later_set(later); /* runs at the turn after */
}

static void deferred_work_runs_next_turn_and_can_be_taken_back(void **state)
{
    struct named_task task = {.task = {.run = on_deferred}, .name = 'd'}, gone = {.name = 'x'},
                      again = {.name = 'n'};

    (void)state;
    later_init(&gone.later, loop, on_later);
    later_init(&again.later, loop, on_later);
    loop_defer(loop, &task.task);
    later_set(&gone.later);
    later_set(&gone.later);
    later_set(&again.later);
    later_cancel(&gone.later);
    assert_int_equal(n_fired, 0);
    loop_run(loop);
    assert_string_equal(fired, "dnz");
}

enum { N_SENDERS = 4, N_TASKS = 500 };
static atomic_int n_received;
static pthread_t loop_thread;

static void on_received(struct task *task)
{
    assert_true(pthread_equal(pthread_self(), loop_thread));
    free(task);
    if (atomic_fetch_add(&n_received, 1) + 1 == N_SENDERS * N_TASKS)
        loop_stop(loop);
}

static void *send_tasks(void *argument)
{
    (void)argument;
    for (int i = 0; i < N_TASKS; i++) {
        struct task *task = calloc(1, sizeof(*task));

        task->run = on_received;
        while (!mailbox_post(loop_mailbox(loop), task))
            sched_yield(); /* full: the sender waits, nothing is lost */
    }
    return NULL;
}

static void tasks_of_other_threads_all_arrive(void **state)
{
    pthread_t threads[N_SENDERS];

    (void)state;
    loop_thread = pthread_self();
    for (int i = 0; i < N_SENDERS; i++)
        assert_int_equal(thread_start(&threads[i], "sender", send_tasks, NULL), 0);
    loop_run(loop);
    for (int i = 0; i < N_SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(n_received, N_SENDERS * N_TASKS);
}

static void *stop_from_afar(void *argument)
{
    (void)argument;
    loop_stop(loop);
    return NULL;
}

static void another_thread_stops_a_loop_that_waits_and_it_runs_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        pthread_t thread;

        assert_int_equal(thread_start(&thread, "stopper", stop_from_afar, NULL), 0);
        loop_run(loop);
        pthread_join(thread, NULL);
    }
    assert_int_equal(loop_index(loop), 3);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Small blocks that stay, each behind a large one that goes. */
enum { N_BLOCKS = 1000, SMALL = 64, LARGE = 20000, N_PEAKS = 64 };

static atomic_uint n_trims;

/* In front of libc's. */
int malloc_trim(size_t pad)
{
    int (*libc)(size_t) = (int (*)(size_t))dlsym(RTLD_NEXT, "malloc_trim");

    atomic_fetch_add(&n_trims, 1);
    return libc(pad);
}

static size_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void look_again(struct timer *timer)
{
    loop_stop(timer->loop);
}

static void memory_of_many_peaks_goes_back_when_they_are_over(void **state)
{
    static void *small[N_BLOCKS], *large[N_BLOCKS];
    struct timer timer;
    size_t before;

    (void)state;
    for (int i = 0; i < N_BLOCKS; i++) {
        large[i] = malloc(LARGE);
        small[i] = malloc(SMALL);
        memset(large[i], 1, LARGE);
    }
    for (int i = 0; i < N_BLOCKS; i++)
        free(large[i]);
    before = resident_bytes();
    timer_init(&timer, loop, look_again);
    for (int i = 0; i < N_PEAKS; i++)
        loop_note_peak(loop);
    while (resident_bytes() > before - (size_t)N_BLOCKS * LARGE / 2) { /* ctest ends it else */
        timer_set(&timer, 10);
        loop_run(loop);
    }
    assert_int_equal(atomic_load(&n_trims), 1);
    for (int i = 0; i < N_PEAKS; i++)
        loop_note_peak(loop);
    timer_set(&timer, 500);
    loop_run(loop);
    assert_int_equal(atomic_load(&n_trims), 1); /* once a minute is enough */
    for (int i = 0; i < N_BLOCKS; i++)
        free(small[i]);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(timers_fire_in_order_and_never_early),
        LOOP_TEST(a_cancelled_timer_never_fires_and_one_set_anew_fires_once),
        LOOP_TEST(the_queue_keeps_order_whatever_is_taken_out),
        LOOP_TEST(a_timer_set_for_now_again_and_again_starves_nobody),
        LOOP_TEST(a_watch_waits_for_what_it_is_set_to),
        LOOP_TEST(deferred_work_runs_next_turn_and_can_be_taken_back),
        LOOP_TEST(tasks_of_other_threads_all_arrive),
        LOOP_TEST(another_thread_stops_a_loop_that_waits_and_it_runs_again),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test_setup_teardown(memory_of_many_peaks_goes_back_when_they_are_over, set_up,
                                        tear_down),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
