#include "test/support/test_support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "relay/events/events.h"

enum { N_THREADS = 4, N_EACH = 500 };

static void *emit_many(void *argument)
{
    for (int i = 0; i < N_EACH; i++)
        EVENT(EVENT_QUEUED, field_text("msg", argument), field_number("n", i));
    return NULL;
}

/* Runs with stderr sent to a file, whose contents come back in text. */
static size_t lines_of_a_run(char *text, size_t size)
{
    char path[] = "/tmp/events_test_XXXXXX";
    int file = mkstemp(path);
    int before = dup(STDERR_FILENO);
    struct events *events = NULL;
    pthread_t threads[N_THREADS];
    ssize_t n;

    dup2(file, STDERR_FILENO);
    assert_int_equal(events_start(&events, &(struct history_settings){0}), 0);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, emit_many, (void *)"7Q2F"), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    events_stop(events);
    dup2(before, STDERR_FILENO);
    n = pread(file, text, size - 1, 0);
    unlink(path);
    close(file);
    close(before);
    assert_true(n > 0);
    text[n] = '\0';
    return (size_t)n;
}

static void every_event_of_every_thread_is_one_whole_line(void **state)
{
    static char text[1024 * 1024];
    size_t len = lines_of_a_run(text, sizeof(text));
    unsigned n_lines = 0;

    (void)state;
    for (char *line = text; line < text + len; line = strchr(line, '\n') + 1) {
        assert_int_equal(strncmp(line, "ts=", 3), 0);
        n_lines++;
    }
    assert_int_equal(n_lines, N_THREADS * N_EACH);
}

static void *stop_events(void *events)
{
    events_stop(events);
    return NULL;
}

/* A pipe that nobody reads holds up the event thread, not those who tell of events.  More than two
 * mailboxes: what one turn took off does not count in it any more. */
static void what_finds_no_room_is_counted_exactly(void **state)
{
    enum { N_EVENTS_TOLD = 200000 };
    int pipes[2], before = dup(STDERR_FILENO);
    struct events *events = NULL;
    uint64_t n_lines = 0, n_lost = 0;
    char line[512];
    pthread_t stopper;
    FILE *file;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    close(pipes[1]);
    assert_int_equal(events_start(&events, &(struct history_settings){0}), 0);
    for (int i = 0; i < N_EVENTS_TOLD; i++)
        EVENT(EVENT_QUEUED, field_number("n", i));
    assert_int_equal(pthread_create(&stopper, NULL, stop_events, events), 0);
    file = fdopen(pipes[0], "r");
    while (fgets(line, sizeof(line), file)) {
        static const char words[] = "event=history_gap n=";
        const char *gap = strstr(line, words);

        if (gap)
            n_lost += strtoull(gap + sizeof(words) - 1, NULL, 10);
        else
            n_lines++;
        if (n_lines + n_lost == N_EVENTS_TOLD)
            break;
    }
    pthread_join(stopper, NULL);
    dup2(before, STDERR_FILENO);
    close(before);
    (void)fclose(file);
    assert_int_equal(n_lines + n_lost, N_EVENTS_TOLD);
    assert_true(n_lost > 0);
}

/* What a stranger may make as long as he likes costs neither the log nor the memory. */
static void a_long_text_is_cut_and_its_line_stays_whole(void **state)
{
    static char text[64 * 1024], name[32 * 1024];
    char path[] = "/tmp/events_test_XXXXXX";
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    struct events *events = NULL;
    ssize_t n;

    (void)state;
    memset(name, '"', sizeof(name) - 1);
    dup2(file, STDERR_FILENO);
    assert_int_equal(events_start(&events, &(struct history_settings){0}), 0);
    EVENT(EVENT_PANEL_LOGIN_FAILED, field_text("user", name), field_text("reason", "password"));
    events_stop(events);
    dup2(before, STDERR_FILENO);
    n = pread(file, text, sizeof(text) - 1, 0);
    unlink(path);
    close(file);
    close(before);
    assert_true(n > 4096 && n < 4096 + 256);
    assert_string_equal(text + n - strlen("\\\"\" reason=password\n"), "\\\"\" reason=password\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_of_every_thread_is_one_whole_line),
        cmocka_unit_test(what_finds_no_room_is_counted_exactly),
        cmocka_unit_test(a_long_text_is_cut_and_its_line_stays_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
