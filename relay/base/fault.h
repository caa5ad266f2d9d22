/* Two kinds of error, told apart by sign: a negative errno is not the caller's to mend and is
 * passed up unchanged; a positive code of a module must be decided by its caller.  FAULT() notes
 * where a negative one was born.  Outcomes of mail (a 451, a bounce) are values, not errors.
 * Thread: any. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define MUST_USE                 __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Returns error (a negative errno) after logging, at level debug, the place that saw it first. */
#define FAULT(error) fault_at((error), __FILE__, __LINE__, __func__)
int fault_at(int error, const char *file, int line, const char *function);

/* `CLEANUP(close_fd) int fd = -1;` closes the descriptor when the scope ends. */
#define CLEANUP(function) __attribute__((cleanup(function##_cleanup)))

/* Cleanup functions get a pointer to the variable as it is. */
// NOLINTNEXTLINE(readability-non-const-parameter)
static inline void close_fd_cleanup(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void free_cleanup(void *pointer)
{
    free(*(void **)pointer);
}

/* Hands a descriptor on: the scope that held it no longer closes it. */
static inline int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* Hands a pointer on: `*out = TAKE(thing);` */
#define TAKE(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })
