#include "test/support/failing_memory.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/event.h"
#include "test/support/test_support.h"

static unsigned n_left; /* 0: no limit */
static int is_over;

void memory_fail_at(unsigned n)
{
    n_left = n;
    is_over = 0;
}

static int fails(void)
{
    if (n_left && --n_left == 0)
        is_over = 1;
    if (is_over)
        errno = ENOMEM;
    return is_over;
}

/* The linker calls these for what the code under test calls (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t n, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(memory, n, size);
}

static void drop(void *owner, const struct event *event)
{
    (void)owner, (void)event;
}

unsigned memory_fail_everywhere(int (*attempt)(void), int error)
{
    enum { MOST = 10000 };
    unsigned n_failed = 0;

    event_set_sink(drop, NULL);
    for (int result = -1; result != 0; n_failed++) {
        memory_fail_at(n_failed + 1);
        result = attempt();
        memory_fail_at(0);
        if (result == 0)
            break;
        assert_int_equal(result, error);
        assert_true(n_failed < MOST);
    }
    event_set_sink(NULL, NULL);
    return n_failed;
}
