/* A script for the test receiver: refused with a sentence and its line, or obeyed within bounds.
 * Expressions are the system's regcomp(), which is not what is tried here: only plain ones pass. */
#include "test/fuzz/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "relay/cli/sink_script.h"

static bool has_plain_expressions(struct slice text)
{
    ptrdiff_t at;

    while ((at = slice_search(text, SLICE_LITERAL("match="))) >= 0) {
        text = slice_skip(text, (size_t)at + 6);
        for (size_t i = 0; i < text.len && text.data[i] > ' '; i++)
            if (strchr("(){}*+?\\[]|", text.data[i]))
                return false;
    }
    return true;
}

static void check_verdict(struct sink_verdict verdict)
{
    PROMISE(verdict.delay_ms >= 0 && verdict.drip_ms >= 0);
    PROMISE(!verdict.reply == (verdict.ending != SINK_REPLY));
    PROMISE(!verdict.reply ||
            (verdict.reply[0] >= '2' && verdict.reply[0] <= '5' && strlen(verdict.reply) >= 2));
}

/* Every phase, from two peers, on and on in time. */
static void obey(struct sink_script *script)
{
    for (unsigned i = 0; i < 4 * N_SINK_PHASES; i++) {
        const struct sink_event event = {.phase = (enum sink_phase)(i % N_SINK_PHASES),
                                         .subject = SLICE_LITERAL("<a@example.net>"),
                                         .peer = i & 1 ? "192.0.2.1" : "192.0.2.2",
                                         .listener = "127.0.0.1",
                                         .sender = i & 2 ? "s@example.org" : "",
                                         .recipient = "a@example.net",
                                         .n_open = i,
                                         .n_open_of_peer = i / 2,
                                         .now_ms = (int64_t)i * i * 100};

        check_verdict(sink_script_decide(script, &event));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct sink_script *script = NULL;
    char path[64];
    int fd, error;

    if (!has_plain_expressions(slice_from(data, size)))
        return 0;
    fd = memfd_create("script", MFD_CLOEXEC);
    PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    error = sink_script_load(&script, path, &problem);
    PROMISE(error == 0 || error == -EINVAL);
    PROMISE(!error == !problem.len);
    PROMISE(!error || slice_starts_with(buffer_slice(&problem), slice_of(path)));
    if (!error)
        obey(script);
    sink_script_free(error ? NULL : script);
    close(fd);
    return 0;
}
