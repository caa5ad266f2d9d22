#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/base/event.h"
#include "relay/base/thread.h"
#include "relay/net/system_calls.h"

enum { NOT_HERE = 77 };

static char told[256];

static void keep(void *owner, const struct event *event)
{
    (void)owner;
    for (unsigned i = 0; i < event->n_fields; i++)
        if (strcmp(event->fields[i].name, "name") == 0) {
            strncat(told, event->fields[i].text.data, event->fields[i].text.len);
            strcat(told, " ");
        }
}

/* In a child, since there is no way back; returns its exit status. */
static int under_filter(enum system_calls_role role, int (*look)(void))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        int result;

        event_set_sink(keep, NULL);
        result = system_calls_confine(role);
        _exit(result > 0 ? NOT_HERE : result < 0 ? 1 : look());
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_HERE)
        skip(); /* a sanitizer's build, or a kernel without filters */
    return WEXITSTATUS(status);
}

static int refuse_twice(void)
{
    struct pollfd refused = {.fd = system_calls_refused_fd(), .events = POLLIN};

    for (int i = 0; i < 2; i++)
        if (fork() != -1 || errno != EPERM || syscall(SYS_swapoff, "/none") != -1 || errno != EPERM)
            return 2;
    if (poll(&refused, 1, 0) != 1)
        return 3;
    system_calls_tell("test");
    if (poll(&refused, 1, 0) != 0)
        return 4;
    if (fork() != -1)
        return 5;
    system_calls_tell("test");
    return strcmp(told, "clone swapoff ") == 0 ? 0 : 6;
}

static void a_refused_call_fails_and_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(under_filter(SYSTEM_CALLS_RELAY, refuse_twice), 0);
}

static void *ask_for_packets(void *result)
{
    *(int *)result = socket(AF_PACKET, SOCK_RAW, 0) < 0 ? errno : 0;
    return NULL;
}

/* Its threads block every signal, but not this one: blocked, it would end the process. */
static int refuse_in_a_thread(void)
{
    pthread_t thread;
    int result = 0;

    if (thread_start(&thread, "test", ask_for_packets, &result) < 0)
        return 2; /* clone() of a thread is allowed */
    pthread_join(thread, NULL);
    return result == EPERM ? 0 : 3;
}

static void threads_start_and_are_refused_alike(void **state)
{
    (void)state;
    assert_int_equal(under_filter(SYSTEM_CALLS_RELAY, refuse_in_a_thread), 0);
    assert_int_equal(under_filter(SYSTEM_CALLS_SIGNER, refuse_in_a_thread), 0);
}

static int use_memory(void)
{
    void *plain = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (plain == MAP_FAILED || mprotect(plain, 4096, PROT_READ) < 0)
        return 2;
    return mprotect(plain, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EPERM ? 0 : 3;
}

static void written_memory_is_never_run(void **state)
{
    (void)state;
    assert_int_equal(under_filter(SYSTEM_CALLS_SIGNER, use_memory), 0);
}

static int open_sockets(void)
{
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int udp = socket(AF_INET6, SOCK_DGRAM, 17);
    int pair[2];

    return tcp >= 0 && udp >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 ? 0 : 2;
}

static int open_no_sockets(void)
{
    int pair[2];

    return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM &&
                   socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 && errno == EPERM
               ? 0
               : 2;
}

static void only_the_relay_has_a_network(void **state)
{
    (void)state;
    assert_int_equal(under_filter(SYSTEM_CALLS_RELAY, open_sockets), 0);
    assert_int_equal(under_filter(SYSTEM_CALLS_SIGNER, open_no_sockets), 0);
}

static void a_kernel_without_filters_is_told(void **state)
{
    (void)state;
    system_calls_are_there = false;
    assert_true(system_calls_confine(SYSTEM_CALLS_RELAY) > 0);
    system_calls_are_there = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_call_fails_and_is_told_once),
        cmocka_unit_test(threads_start_and_are_refused_alike),
        cmocka_unit_test(written_memory_is_never_run),
        cmocka_unit_test(only_the_relay_has_a_network),
        cmocka_unit_test(a_kernel_without_filters_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
