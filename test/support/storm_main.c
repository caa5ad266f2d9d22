#include "test/support/storm.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

bool storm_read_line(struct storm_wire *wire, char *line, size_t *length)
{
    size_t n = 0;

    while (n < STORM_LINE) {
        if (wire->at == wire->len) {
            ssize_t got = read(wire->fd, wire->octets, sizeof(wire->octets));

            if (got <= 0)
                return false;
            wire->at = 0;
            wire->len = (size_t)got;
        }
        line[n] = wire->octets[wire->at++];
        if (line[n] == '\n') {
            *length = n > 0 && line[n - 1] == '\r' ? n - 1 : n;
            line[*length] = '\0';
            return true;
        }
        n++;
    }
    return false;
}

bool storm_write(int fd, const char *octets, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, octets, n, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        octets += sent;
        n -= (size_t)sent;
    }
    return true;
}

void storm_note(int out_fd, const char *format, ...)
{
    char line[STORM_LINE * 4];
    va_list words;
    int n;

    va_start(words, format);
    n = vsnprintf(line, sizeof(line), format, words);
    va_end(words);
    /* A fact that is not written would be counted as lost mail: better to stop. */
    if (n <= 0 || n >= (int)sizeof(line) || write(out_fd, line, (size_t)n) != n) {
        perror("storm: the file of facts");
        _exit(1);
    }
}

double storm_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* "127.0.0.1:25" -> a socket of that family; -1. */
static int open_socket(const char *text, struct sockaddr_in *address)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    int one = 1, fd;

    if (!colon || (size_t)(colon - text) >= sizeof(host))
        return -1;
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10))};
    if (inet_pton(AF_INET, host, &address->sin_addr) != 1)
        return -1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

int storm_connect(const char *text)
{
    struct sockaddr_in address;
    int fd = open_socket(text, &address);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int storm_listen(const char *text, uint16_t *port)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    int one = 1, fd = open_socket(text, &address);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 512) ||
        getsockname(fd, (struct sockaddr *)&address, &length)) {
        close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static bool read_option(struct storm_options *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **text;
        long *number;
    } known[] = {
        {"--to",          &options->address, NULL                   },
        {"--listen",      &options->address, NULL                   },
        {"--sender",      &options->sender,  NULL                   },
        {"--out",         &options->out,     NULL                   },
        {"--mode",        &options->mode,    NULL                   },
        {"--name",        &options->name,    NULL                   },
        {"--connections", NULL,              &options->n_connections},
        {"--recipients",  NULL,              &options->n_recipients },
        {"--messages",    NULL,              &options->n_messages   },
        {"--pause-us",    NULL,              &options->pause_us     },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        if (known[i].text)
            *known[i].text = value;
        else
            *known[i].number = strtol(value, NULL, 10);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct storm_options options = {
        .mode = "accept", .name = "m", .n_connections = 10, .n_recipients = 1};
    int out_fd;

    for (int i = 2; i < argc; i += 2) {
        if (i + 1 == argc || !read_option(&options, argv[i], argv[i + 1])) {
            fprintf(stderr, "storm: unknown option %s\n", argv[i]);
            return 64;
        }
    }
    if (argc < 2 || !options.address || !options.out)
        return 64;
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is interrupted must leave no load behind */
    out_fd = open(options.out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out_fd < 0) {
        perror(options.out);
        return 1;
    }
    return strcmp(argv[1], "load") == 0 ? storm_load(&options, out_fd)
                                        : storm_receive(&options, out_fd);
}
