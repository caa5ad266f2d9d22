#include "relay/cli/sink.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/secret.h"
#include "relay/cli/sink_connection.h"
#include "relay/net/ports.h"

enum { MAX_LISTENERS = 16, FILE_BYTES = 1 << 20 };

struct options {
    struct socket_address listen[MAX_LISTENERS];
    size_t n_listen;
    const char *certificate_and_key, *dir, *script, *trace;
    bool prints_counts;
};

static const char usage[] =
    "usage: staffetta sink --listen ADDR:PORT [--listen ...] [--tls CERT,KEY] [--dir DIR]\n"
    "                      [--count] [--script FILE] [--trace FILE]\n"
    "A line of the script:  PHASE [CONDITION ...] -> [delay=T] [drip=T] [REPLY | drop | lose]\n"
    "  PHASE      CONNECT EHLO STARTTLS MAIL RCPT DATA BODY DOT RSET NOOP QUIT\n"
    "  CONDITION  match=RE  every=N  from=T  until=T  rate=N/T  open=N  new=T\n"
    "             per=all|peer|listener|sender|domain  (what rate and open count together)\n";

static bool take_option(struct options *options, int option)
{
    switch (option) {
    case 'l':
        return options->n_listen < MAX_LISTENERS &&
               socket_address_parse(slice_of(optarg), -1, &options->listen[options->n_listen++]);
    case 't':
        options->certificate_and_key = optarg;
        return true;
    case 'd':
        options->dir = optarg;
        return true;
    case 'c':
        options->prints_counts = true;
        return true;
    case 's':
        options->script = optarg;
        return true;
    case 'r':
        options->trace = optarg;
        return true;
    default:
        return false;
    }
}

static bool parse_options(struct options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"listen", required_argument, NULL, 'l'},
        {"tls",    required_argument, NULL, 't'},
        {"dir",    required_argument, NULL, 'd'},
        {"count",  no_argument,       NULL, 'c'},
        {"script", required_argument, NULL, 's'},
        {"trace",  required_argument, NULL, 'r'},
        {NULL,     0,                 NULL, 0  },
    };
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!take_option(options, option))
            return false;
    }
    return optind == argc && options->n_listen > 0;
}

static int read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    char chunk[4096];

    if (!file)
        return FAULT(-errno);
    buffer_init(out, FILE_BYTES);
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        buffer_append(out, slice_from(chunk, n));
    fclose(file);
    return buffer_error(out);
}

/* text: "CERT,KEY", two files in PEM. */
static int load_tls(struct sink *sink, const char *text)
{
    struct buffer certificate = BUFFER_INIT, key = BUFFER_INIT;
    struct tls_tickets *tickets = NULL;
    char why[TLS_WHY_SIZE] = "wants CERT,KEY, two PEM files";
    CLEANUP(free) char *path = strdup(text);
    char *comma = path ? strchr(path, ',') : NULL;
    int status = -EINVAL;

    if (comma) {
        *comma = '\0';
        status = read_file(path, &certificate);
        if (!status)
            status = read_file(comma + 1, &key);
        if (status)
            snprintf(why, sizeof(why), "%s", strerror(-status));
    }
    if (!status)
        status = tls_tickets_new(&tickets);
    if (!status) {
        const struct tls_identity identity = {"default", buffer_slice(&certificate),
                                              buffer_slice(&key)};
        status = tls_server_context_new(&sink->tls, &identity, 1, tickets, why);
    }
    if (status)
        fprintf(stderr, "sink: --tls %s: %s\n", text, why);
    tls_tickets_unref(tickets);
    buffer_fini(&certificate);
    buffer_fini(&key);
    return status;
}

static int load_script(struct sink *sink, const char *path)
{
    struct buffer problem = BUFFER_INIT;
    int status = sink_script_load(&sink->script, path, &problem);

    if (status)
        fprintf(stderr, "sink: %.*s\n", (int)problem.len, problem.data ? problem.data : "");
    buffer_fini(&problem);
    return status;
}

static int open_store(struct sink *sink, const char *dir)
{
    int status = sink_store_open(&sink->store, dir);

    if (status)
        fprintf(stderr, "sink: --dir %s: %s\n", dir, strerror(-status));
    return status;
}

static int open_trace(struct sink *sink, const char *path)
{
    int status = sink_trace_open(&sink->trace, path);

    if (status)
        fprintf(stderr, "sink: --trace %s: %s\n", path, strerror(-status));
    return status;
}

/* What the options name; 0 or an exit code. */
static int prepare(struct sink *sink, const struct options *options)
{
    list_init(&sink->connections);
    if (secret_start())
        return EX_OSERR;
    if (options->certificate_and_key && load_tls(sink, options->certificate_and_key))
        return EX_DATAERR;
    if (options->script && load_script(sink, options->script))
        return EX_DATAERR;
    if (options->dir && open_store(sink, options->dir))
        return EX_CANTCREAT;
    if (options->trace && open_trace(sink, options->trace))
        return EX_CANTCREAT;
    sink->began_ms = clock_monotonic_ms();
    return loop_new(&sink->loop, 0, 16) ? EX_OSERR : 0;
}

struct port {
    int fd;
    struct listener *listener;
};

static int listen_on(struct sink *sink, const struct socket_address *address, struct port *port)
{
    struct socket_address actual;
    char text[SOCKET_TEXT_SIZE];
    int status = port_listen_tcp(&port->fd, address, &actual);

    if (!status)
        status = listener_new(&port->listener, sink->loop, port->fd, sink_on_accept, sink);
    if (status) {
        fprintf(stderr, "sink: %s: %s\n", socket_address_print(address, text), strerror(-status));
        return status;
    }
    EVENT(EVENT_LISTENING, field_text("name", "sink"),
          field_text("address", socket_address_print(&actual, text)));
    return 0;
}

static void on_signal(struct watch *watch, unsigned what)
{
    (void)what;
    loop_stop(watch->loop);
}

/* Takes mail until SIGTERM or SIGINT; 0 or -errno. */
static int run_until_signal(struct sink *sink)
{
    CLEANUP(close_fd) int fd = -1;
    struct watch watch;
    sigset_t signals;
    int status;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return FAULT(-errno);
    status = watch_init(&watch, sink->loop, fd, on_signal);
    if (status)
        return status;
    status = watch_set(&watch, WATCH_READ);
    if (!status)
        loop_run(sink->loop);
    watch_fini(&watch);
    return status;
}

static int serve(struct sink *sink, const struct options *options)
{
    struct port ports[MAX_LISTENERS] = {{0}};
    size_t n_ports = 0;
    int status = 0;

    for (; !status && n_ports < options->n_listen; n_ports++) {
        ports[n_ports].fd = -1;
        status = listen_on(sink, &options->listen[n_ports], &ports[n_ports]);
    }
    if (!status)
        status = run_until_signal(sink);
    sink_close_all(sink);
    for (size_t i = 0; i < n_ports; i++) {
        listener_free(ports[i].listener);
        close_fd_cleanup(&ports[i].fd);
    }
    return status ? EX_UNAVAILABLE : EX_OK;
}

/* A load test opens thousands of connections to us. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int sink_main(int argc, char **argv)
{
    struct options options = {0};
    struct sink sink = {0};
    int status;

    if (!parse_options(&options, argc, argv)) {
        fputs(usage, stderr);
        return EX_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    status = prepare(&sink, &options);
    if (!status)
        status = serve(&sink, &options);
    if (!status && options.prints_counts)
        sink_counts_print(&sink.counts, sink.script);
    loop_free(sink.loop);
    tls_context_unref(sink.tls);
    sink_script_free(sink.script);
    sink_trace_close(sink.trace);
    sink_store_close(sink.store);
    return status;
}
