/* Submits newsletters: many connections, or few a second.
 *   load --to ADDRESS --port N[,N...] [--tls start|implicit] [--user U --password P]
 *        [--connections N] [--messages N] [--size BYTES] [--recipients N] [--domains N]
 *        [--per-connection N] [--rate PER_SECOND] [--first-id N] [--times FILE] [--hold SECONDS]
 *        [--sender A] [--from-domain D] [--recipient-domain D] [--mx-hosts] [--frames --window N]
 * --hold opens the connections, logs in, and then only keeps them (memory of idle sessions).
 * Prints one line of JSON; FILE gets two int64_t a message: final dot, its reply (0: refused). */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "load.h"
#include "words.h"

enum { MAX_EVENTS = 256, DIAL_BURST = 64 };

static struct load load = {
    .settings = {.address = "127.0.0.1",
                 .sender = "news@shop.example",
                 .from_domain = "shop.example",
                 .recipient_domain = "customers.example",
                 .window = 32,
                 .connections = 20,
                 .recipients = 1,
                 .domains = 1,
                 .per_connection = 100,
                 .messages = 1000,
                 .size = 20000}
};
static const char *times_path;
static double hold_seconds;

/* ---- options */

static void set_ports(const char *text)
{
    struct load_settings *settings = &load.settings;

    for (char *end; *text && settings->n_ports < MAX_PORTS; text = *end ? end + 1 : end)
        settings->ports[settings->n_ports++] = (int)strtol(text, &end, 10);
}

static void set_login(const char *user, const char *password)
{
    char plain[256];
    const int n = snprintf(plain, sizeof(plain), "%c%s%c%s", 0, user, 0, password);

    EVP_EncodeBlock((unsigned char *)load.login, (const unsigned char *)plain, n);
}

static void parse_words(int argc, char **argv)
{
    struct load_settings *settings = &load.settings;
    const char *ports = "", *tls = "";
    const struct word table[] = {
        {"to",               .text = &settings->address         },
        {"port",             .text = &ports                     },
        {"tls",              .text = &tls                       },
        {"user",             .text = &settings->user            },
        {"password",         .text = &settings->password        },
        {"sender",           .text = &settings->sender          },
        {"from-domain",      .text = &settings->from_domain     },
        {"recipient-domain", .text = &settings->recipient_domain},
        {"times",            .text = &times_path                },
        {"connections",      .number = &settings->connections   },
        {"messages",         .number = &settings->messages      },
        {"size",             .number = &settings->size          },
        {"recipients",       .number = &settings->recipients    },
        {"domains",          .number = &settings->domains       },
        {"per-connection",   .number = &settings->per_connection},
        {"first-id",         .number = &settings->first_id      },
        {"window",           .number = &settings->window        },
        {"rate",             .real = &settings->rate            },
        {"hold",             .real = &hold_seconds              },
        {"mx-hosts",         .flag = &settings->mx_hosts        },
        {"frames",           .flag = &settings->frames          },
    };

    read_words(table, sizeof(table) / sizeof(*table), argc, argv);
    set_ports(ports);
    settings->tls = *tls == 's' ? TLS_START : *tls == 'i' ? TLS_IMPLICIT : TLS_NONE;
    if (settings->user && settings->password)
        set_login(settings->user, settings->password);
    if (settings->n_ports == 0) {
        fputs("load: --port is missing\n", stderr);
        exit(64);
    }
}

/* ---- the run */

/* The next message is allowed every 1/rate seconds, whatever became of those before. */
static int start_clock(void)
{
    const int64_t pause = (int64_t)(1e9 / load.settings.rate);
    const struct timespec step = {pause / 1000000000, pause % 1000000000};
    const struct itimerspec setting = {.it_interval = step, .it_value = step};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd < 0 || timerfd_settime(fd, 0, &setting, NULL) ||
        epoll_ctl(load.epoll, EPOLL_CTL_ADD, fd, &event))
        die("timerfd");
    return fd;
}

static void on_clock(int fd)
{
    uint64_t n = 0;

    if (read(fd, &n, sizeof(n)) != sizeof(n))
        return;
    for (; n > 0; n--) {
        load.n_allowed++;
        load_next(&load);
    }
}

static void open_clients(void)
{
    const struct load_settings *settings = &load.settings;

    load.clients = calloc((size_t)settings->connections, sizeof(*load.clients));
    load.begin_ns = now_ns();
    for (unsigned i = 0; i < (unsigned)settings->connections; i++) {
        struct client *client = &load.clients[i];

        client->load = &load;
        client->window = calloc((size_t)settings->window, sizeof(*client->window));
        client_open(client);
    }
}

static bool is_over(int64_t deadline_ns)
{
    if (deadline_ns)
        return load.ready_ns && now_ns() > load.ready_ns + deadline_ns;
    return load.n_done >= load.settings.messages;
}

static void run(void)
{
    struct epoll_event events[MAX_EVENTS];
    const int64_t hold_ns = (int64_t)(hold_seconds * 1e9);
    int clock = -1;
    bool was_ready = false;

    while (!is_over(hold_ns)) {
        const int n = epoll_wait(load.epoll, events, MAX_EVENTS, 100);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                client_on_event(events[i].data.ptr);
            else
                on_clock(clock);
        }
        if (load.ready_ns && !was_ready) {
            was_ready = true;
            if (hold_ns)
                printf("ready\n"), fflush(stdout);
            else if (load.settings.rate > 0)
                clock = start_clock();
        }
    }
}

/* ---- what is told */

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void write_times(void)
{
    FILE *file = times_path ? fopen(times_path, "we") : NULL;

    if (!file)
        return;
    fwrite(load.times, sizeof(*load.times), (size_t)load.settings.messages, file);
    fclose(file);
}

static void report(int64_t end_ns)
{
    const size_t n = (size_t)load.settings.messages;
    int64_t *waits = calloc(n + 1, sizeof(*waits));
    struct rusage usage;
    size_t n_ok = 0;

    for (size_t i = 0; i < n; i++) {
        if (load.times[i].done_ns)
            waits[n_ok++] = load.times[i].done_ns - load.times[i].dot_ns;
    }
    qsort(waits, n_ok, sizeof(*waits), by_size);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"accepted\": %zu, \"refused\": %ld, \"begin_ns\": %" PRId64 ", \"end_ns\": %" PRId64
           ", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"cpu_s\": %.3f, "
           "\"message_bytes\": %zu}\n",
           n_ok, load.n_refused, load.begin_ns, end_ns, n_ok ? (double)waits[n_ok / 2] / 1e6 : 0,
           n_ok ? (double)waits[n_ok * 99 / 100] / 1e6 : 0,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           load.letters.body_bytes);
    free(waits);
}

int main(int argc, char **argv)
{
    parse_words(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    letters_init(&load.letters, load.settings.from_domain, (size_t)load.settings.size);
    load.times = calloc((size_t)load.settings.messages + 1, sizeof(*load.times));
    load.n_allowed = load.settings.rate > 0 || hold_seconds > 0 ? 0 : LONG_MAX;
    load.tls = tls_client_context();
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load.settings.frames)
        load.ready_ns = now_ns();
    open_clients();
    run();
    report(now_ns());
    write_times();
    return load.n_refused ? 2 : 0;
}
