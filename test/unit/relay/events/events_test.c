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
    assert_int_equal(events_start(&events), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_of_every_thread_is_one_whole_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
