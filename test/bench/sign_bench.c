/* What one signature costs: our own code against libopendkim, on one core, over messages of three
 * sizes, and how the native engine scales when two threads share a key.  Times are CPU time. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "relay/base/crc32c.h"
#include "signer/opendkim_engine.h"
#include "signer/sign.h"

enum { MILLISECONDS = 1500 };

static struct signing_key keys[KEYS_PER_DOMAIN] = {
    {.name = {"example.com", "s1"},    .type = DKIM_KEY_RSA    },
    {.name = {"example.com", "s1-ed"}, .type = DKIM_KEY_ED25519},
};
static EVP_PKEY *privates[KEYS_PER_DOMAIN];

struct run {
    const char *name;
    unsigned first_key, n_keys;
    bool by_opendkim;
    /* the message */
    int fd;
    uint64_t length;
    uint32_t crc;
    /* the result */
    double us_each, per_second;
};

static double now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void check(int error)
{
    if (error) {
        fprintf(stderr, "bench_sign: %s\n", strerror(-error));
        exit(1);
    }
}

static void sign_once(const struct run *run, struct signing_desk *desk,
                      struct opendkim_engine *engine, struct message_reader *reader,
                      struct buffer *out)
{
    struct sign_input input = {.prefix = SLICE_LITERAL("Feedback-ID: a:b:c\r\n"),
                               .message = reader,
                               .domain = "example.com",
                               .n_keys = run->n_keys,
                               .now_s = 1700000000};

    for (unsigned i = 0; i < run->n_keys; i++) {
        input.keys[i] = &keys[run->first_key + i];
        input.privates[i] = privates[run->first_key + i];
    }
    buffer_clear(out);
    message_reader_start(reader, run->fd, 0, run->length, run->crc);
    check(run->by_opendkim ? sign_by_opendkim(engine, &input, out)
                           : sign_natively(desk, &input, out));
}

static void *measure(void *argument)
{
    struct run *run = argument;
    struct signing_desk *desk;
    struct opendkim_engine *engine;
    struct message_reader reader = MESSAGE_READER_INIT;
    struct buffer out = BUFFER_INIT;
    double cpu, start = now(CLOCK_MONOTONIC);
    unsigned n_signed = 0;

    check(signing_desk_new(&desk));
    check(opendkim_engine_new(&engine));
    sign_once(run, desk, engine, &reader, &out); /* the key's first use costs more */
    cpu = now(CLOCK_THREAD_CPUTIME_ID);
    while (now(CLOCK_MONOTONIC) - start < MILLISECONDS / 1000.0) {
        for (int i = 0; i < 20; i++)
            sign_once(run, desk, engine, &reader, &out);
        n_signed += 20;
    }
    run->us_each = (now(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e6 / n_signed;
    run->per_second = n_signed / (now(CLOCK_MONOTONIC) - start);
    signing_desk_free(desk);
    opendkim_engine_free(engine);
    message_reader_fini(&reader);
    buffer_fini(&out);
    return NULL;
}

static void make_message(struct run *run, size_t bytes)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    buffer_append_text(&text, "Received: by relay.example with ESMTPSA id 7Q2F;\r\n"
                              "\tSun, 22 Nov 2026 17:25:03 +0100\r\n"
                              "From: News <news@example.com>\r\nTo: <reader@example.net>\r\n"
                              "Subject: The letter of the month\r\nMIME-Version: 1.0\r\n"
                              "Date: Sun, 22 Nov 2026 17:25:03 +0100\r\n"
                              "Message-ID: <20261122172503.1@example.com>\r\n"
                              "List-Unsubscribe: <https://example.com/u/1>\r\n"
                              "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
                              "Content-Type: text/plain; charset=utf-8\r\n\r\n");
    while (text.len < bytes)
        buffer_append_text(&text, "Words of a newsletter, as many as fit in a line of text.\r\n");
    run->fd = memfd_create("message", MFD_CLOEXEC);
    run->length = text.len;
    run->crc = crc32c(0, buffer_slice(&text));
    if (write(run->fd, text.data, text.len) != (ssize_t)text.len)
        check(-EIO);
}

static const struct run kinds[] = {
    {.name = "opendkim  rsa2048", .n_keys = 1, .by_opendkim = true},
    {.name = "native    rsa2048",                           .n_keys = 1           },
    {.name = "native    ed25519",                           .n_keys = 1, .first_key = 1},
    {.name = "native    rsa2048+ed25519",             .n_keys = 2                       },
};

static void compare_engines(size_t bytes)
{
    double reference = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct run run = kinds[i];

        make_message(&run, bytes);
        measure(&run);
        close(run.fd);
        if (i == 0)
            reference = run.us_each;
        printf("%7zu bytes  %-26s %8.1f us  %5.2f of opendkim\n", bytes, run.name, run.us_each,
               run.us_each / reference);
    }
}

static void compare_threads(const struct run *kind)
{
    struct run one = *kind, two[2];
    pthread_t thread;

    make_message(&one, 2000);
    two[0] = two[1] = one;
    measure(&one);
    if (pthread_create(&thread, NULL, measure, &two[0]) != 0)
        check(-EAGAIN);
    measure(&two[1]);
    pthread_join(thread, NULL);
    close(one.fd);
    /* CPU time each: on a busy machine that says more of contention than the rates do. */
    printf("%-26s 1 thread %.0f/s, %.0f us; 2 threads %.0f/s, %.0f us\n", one.name, one.per_second,
           one.us_each, two[0].per_second + two[1].per_second,
           (two[0].us_each + two[1].us_each) / 2);
}

int main(void)
{
    for (unsigned i = 0; i < KEYS_PER_DOMAIN; i++)
        check(private_key_generate(&privates[i], keys[i].type));
    compare_engines(2000);
    compare_engines(30000);
    compare_engines(200000);
    compare_threads(&kinds[0]);
    compare_threads(&kinds[1]);
    for (unsigned i = 0; i < KEYS_PER_DOMAIN; i++)
        EVP_PKEY_free(privates[i]);
    return 0;
}
