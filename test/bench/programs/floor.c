/* The floor: what no durable, signing relay can avoid, and nothing else.  Receives messages over a
 * TCP or TLS connection, writes all that came together and syncs them once, acknowledges them,
 * makes one RSA-2048 signature over each, sends signature and message over another connection.
 * No SMTP, no queue, no retries, no policy: 4 bytes of length, then the message; one octet back.
 *   floor --workers N --spool DIR --to PORT [--key RSA.pem] [--certificate PEM --tls-key PEM]
 *         [--tls-out]
 * Each worker is one process with a port of its own.  Prints "listening PORT..."; --key absent:
 * nothing is signed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor_sign.h"
#include "wire.h"
#include "words.h"

enum {
    MAX_EVENTS = 64,

    GROUP_MOST = 512,
    READ_MOST = 1 << 20,
    SEGMENT_BYTES = 64 << 20,
    SIGNATURE_MOST = 2048
};

struct piece {
    const char *data; /* within its connection's `in`, length included */
    size_t n;
};

struct worker {
    int epoll, spool, listener, to_port;
    off_t spool_at;
    struct floor_signer *signer;
    SSL_CTX *tls_in, *tls_out;
    int out;
    SSL *out_ssl;
    struct piece group[GROUP_MOST];
    size_t n_group;
};

/* ---- to disk */

/* As relays do it: a file that has its size already, so that a sync is one of data. */
static int open_segment(const char *dir, int number)
{
    static char zeros[1 << 20];
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/floor-%d.seg", dir, number);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    for (int i = 0; i < SEGMENT_BYTES / (int)sizeof(zeros); i++) {
        if (write(fd, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros))
            die(path);
    }
    if (fsync(fd))
        die(path);
    return fd;
}

static void store_group(struct worker *worker)
{
    struct iovec pieces[GROUP_MOST];
    size_t total = 0;

    for (size_t i = 0; i < worker->n_group; i++) {
        pieces[i] = (struct iovec){(void *)worker->group[i].data, worker->group[i].n};
        total += worker->group[i].n;
    }
    if (worker->spool_at + (off_t)total > SEGMENT_BYTES)
        worker->spool_at = 0;
    if (pwritev(worker->spool, pieces, (int)worker->n_group, worker->spool_at) != (ssize_t)total ||
        fdatasync(worker->spool))
        die("spool");
    worker->spool_at += (off_t)total;
}

/* ---- out */

static void connect_out(struct worker *worker)
{
    worker->out = dial("127.0.0.1", worker->to_port);
    if (fcntl(worker->out, F_SETFL, 0)) /* blocking: it has nothing else to do */
        die("fcntl");
    if (!worker->tls_out)
        return;
    worker->out_ssl = SSL_new(worker->tls_out);
    if (!worker->out_ssl || !SSL_set_fd(worker->out_ssl, worker->out) ||
        SSL_connect(worker->out_ssl) != 1)
        die("SSL_connect");
}

static void send_tls(struct worker *worker, struct iovec *pieces, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *at = pieces[i].iov_base;
        for (size_t left = pieces[i].iov_len; left > 0;) {
            const int sent = SSL_write(worker->out_ssl, at, (int)left);
            if (sent <= 0)
                die("SSL_write");
            at += sent;
            left -= (size_t)sent;
        }
    }
}

static void send_plain(struct worker *worker, struct iovec *pieces, size_t n)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = n};

    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(worker->out, &message, MSG_NOSIGNAL);
        if (sent < 0)
            die("sendmsg");
        while (message.msg_iovlen > 0 && (size_t)sent >= message.msg_iov->iov_len) {
            sent -= (ssize_t)message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + sent;
            message.msg_iov->iov_len -= (size_t)sent;
        }
    }
}

static void send_message(struct worker *worker, const struct piece *piece)
{
    char signature[SIGNATURE_MOST];
    const char *message = piece->data + sizeof(uint32_t);
    const size_t n = piece->n - sizeof(uint32_t);
    size_t n_signature = 0;
    uint32_t length;

    if (worker->signer)
        n_signature = floor_sign(worker->signer, message, n, signature, sizeof(signature));
    length = (uint32_t)(n_signature + n);
    struct iovec pieces[] = {
        {&length,         sizeof(length)},
        {signature,       n_signature   },
        {(void *)message, n             },
    };
    if (worker->out_ssl)
        send_tls(worker, pieces, 3);
    else
        send_plain(worker, pieces, 3);
}

/* ---- in */

/* The whole messages at the beginning of `in` join the group; returns their number. */
static size_t gather(struct worker *worker, struct wire *wire, size_t *n_bytes)
{
    const char *at = bytes_begin(&wire->in);
    size_t left = wire->in.len, count = 0;
    uint32_t length;

    *n_bytes = 0;
    while (left >= sizeof(length) && worker->n_group < GROUP_MOST) {
        memcpy(&length, at, sizeof(length));
        if (left < sizeof(length) + length)
            break;
        worker->group[worker->n_group++] = (struct piece){at, sizeof(length) + length};
        at += sizeof(length) + length;
        left -= sizeof(length) + length;
        count++;
    }
    *n_bytes = wire->in.len - left;
    return count;
}

static void accept_all(struct worker *worker)
{
    for (;;) {
        const int fd = accept4(worker->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct wire *wire;

        if (fd < 0)
            return;
        wire = calloc(1, sizeof(*wire));
        if (!wire)
            die("memory");
        wire_init(wire, worker->epoll, fd);
        if (worker->tls_in)
            wire_start_tls(wire, worker->tls_in, true);
    }
}

static void acknowledge(struct wire *wire, size_t count)
{
    static const char ok[GROUP_MOST] = {0};

    bytes_add(&wire->out, ok, count);
    wire_flush(wire);
}

/* One turn: read all that is there, one sync, acknowledge, sign and send. */
static void take_turn(struct worker *worker, struct epoll_event *events, int n)
{
    struct wire *wires[MAX_EVENTS];
    size_t counts[MAX_EVENTS], n_bytes[MAX_EVENTS];
    int n_wires = 0;

    worker->n_group = 0;
    for (int i = 0; i < n; i++) {
        struct wire *wire = events[i].data.ptr;
        if (!wire) {
            accept_all(worker);
            continue;
        }
        if (!wire_read(wire, READ_MOST)) {
            wire_close(wire);
            free(wire->in.data);
            free(wire->out.data);
            free(wire);
            continue;
        }
        counts[n_wires] = gather(worker, wire, &n_bytes[n_wires]);
        if (counts[n_wires] > 0)
            wires[n_wires++] = wire;
    }
    if (worker->n_group == 0)
        return;
    store_group(worker);
    for (int i = 0; i < n_wires; i++)
        acknowledge(wires[i], counts[i]);
    if (worker->out < 0)
        connect_out(worker);
    for (size_t i = 0; i < worker->n_group; i++)
        send_message(worker, &worker->group[i]);
    for (int i = 0; i < n_wires; i++)
        bytes_drop(&wires[i]->in, n_bytes[i]);
}

static void work(struct worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[MAX_EVENTS];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->out = -1;
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->listener, &event))
        die("epoll_ctl");
    for (;;)
        take_turn(worker, events, epoll_wait(worker->epoll, events, MAX_EVENTS, -1));
}

static void start_worker(struct worker *worker, const char *spool, int number)
{
    int port = 0;

    worker->spool = open_segment(spool, number);
    worker->listener = listen_on("127.0.0.1", &port, false);
    printf("%s%d", number ? "," : "listening ", port);
    fflush(stdout);
    if (fork() == 0)
        work(worker);
    close(worker->listener);
    close(worker->spool);
}

int main(int argc, char **argv)
{
    const char *spool = "/tmp", *key = NULL, *certificate = NULL, *tls_key = NULL;
    struct worker worker = {0};
    long n_workers = 1, to_port = 0;
    bool is_tls_out = false;
    const struct word table[] = {
        {"workers",     .number = &n_workers},
        {"to",          .number = &to_port  },
        {"spool",       .text = &spool      },
        {"key",         .text = &key        },
        {"certificate", .text = &certificate},
        {"tls-key",     .text = &tls_key    },
        {"tls-out",     .flag = &is_tls_out },
    };

    read_words(table, sizeof(table) / sizeof(*table), argc, argv);
    signal(SIGPIPE, SIG_IGN);
    worker.to_port = (int)to_port;
    if (certificate && tls_key)
        worker.tls_in = tls_server_context(certificate, tls_key);
    if (is_tls_out)
        worker.tls_out = tls_client_context();
    if (key)
        worker.signer = floor_signer_new(key, "shop.example", "floor");
    for (long i = 0; i < n_workers; i++)
        start_worker(&worker, spool, (int)i);
    printf("\n");
    fflush(stdout);
    while (wait(NULL) > 0)
        ;
    return 1;
}
