#include "relay/net/refused_calls.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <ucontext.h>

#include "relay/base/event.h"
#include "relay/net/system_calls.h"

enum { MOST_CALLS = 1024, BITS = 32 };

static _Atomic uint32_t refused[MOST_CALLS / BITS], told[MOST_CALLS / BITS];
static int refused_fd = -1;

static void set_result(void *context, long result)
{
    ucontext_t *state = context;

#if defined(__x86_64__)
    state->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
    state->uc_mcontext.regs[0] = (unsigned long long)result;
#else
#error "name the register that holds a system call's result"
#endif
}

/* In whatever thread made the call, at that very place. */
static void on_refused(int signal_number, siginfo_t *info, void *context)
{
    unsigned call = (unsigned)info->si_syscall;
    int saved_errno = errno;

    (void)signal_number;
    if (call >= MOST_CALLS)
        call = MOST_CALLS - 1;
    atomic_fetch_or(&refused[call / BITS], 1U << (call % BITS));
    eventfd_write(refused_fd, 1);
    errno = saved_errno;
    set_result(context, -EPERM);
}

int system_calls_refused_fd(void)
{
    return refused_fd;
}

static void tell(const char *process, int call)
{
    char *name = refused_calls_name(call);

    EVENT(EVENT_CALL_REFUSED, field_text("process", process), field_number("call", call),
          field_text("name", name ? name : "unknown"));
    free(name);
}

void system_calls_tell(const char *process)
{
    eventfd_t ignored;

    if (refused_fd < 0 || eventfd_read(refused_fd, &ignored) < 0)
        return;
    for (unsigned call = 0; call < MOST_CALLS; call++) {
        uint32_t bit = 1U << (call % BITS);

        if (!(atomic_load(&refused[call / BITS]) & bit) ||
            (atomic_fetch_or(&told[call / BITS], bit) & bit))
            continue;
        tell(process, (int)call);
    }
}

int refused_calls_start(void)
{
    const struct sigaction action = {.sa_sigaction = on_refused,
                                     .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER};

    refused_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return refused_fd < 0 || sigaction(SIGSYS, &action, NULL) < 0 ? FAULT(-errno) : 0;
}
