/* Takes mail and throws it away, counting: the far end of every measured relay.  Checks nothing.
 *   receiver --board FILE [--port N] [--address A] [--delay MS] [--certificate PEM --key PEM]
 *            [--frames] [--capacity N]
 * --delay   each reply, the greeting's too, is sent so long after its command was taken up; the
 *           commands of one connection follow one another
 * --frames  the floor's form instead of SMTP: 4 bytes of length, then the message; no replies
 * Prints "listening PORT" and runs until it is ended. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "board.h"
#include "letter.h"
#include "wire.h"
#include "words.h"

enum { MAX_EVENTS = 256, HEAD_BYTES = 16 << 10, READ_MOST = 1 << 20 };

enum phase { IN_COMMANDS, IN_DATA };

struct session {
    struct wire wire;
    enum phase phase;
    unsigned n_recipients;
    size_t scanned; /* bytes of wire.in already looked at for the final dot */
    size_t dropped; /* bytes of this message no longer in wire.in */
    bool has_id, starts_tls, ends;
    uint64_t id;
    int64_t due_ns; /* with --delay: when the reply may leave; 0: none is held */
    struct bytes held;
    struct session *later; /* in the queue of held replies, which is in order of time */
    bool is_queued;
};

static struct board *board;
static int64_t delay_ns;
static bool takes_frames;
static SSL_CTX *tls;
static int epoll;
static struct session *first_held, *last_held;

static void count_taken(const struct session *session, size_t message_bytes)
{
    board_count(session->has_id ? &session->id : NULL, session->n_recipients, message_bytes);
}

static void begin_message(struct session *session)
{
    session->phase = IN_DATA;
    session->scanned = session->dropped = 0;
    session->has_id = false;
}

/* ---- SMTP */

static struct bytes *replies(struct session *session)
{
    return delay_ns ? &session->held : &session->wire.out;
}

static void on_ehlo(struct session *session)
{
    bytes_printf(replies(session),
                 "250-receiver.example\r\n%s250-PIPELINING\r\n250-8BITMIME\r\n"
                 "250-ENHANCEDSTATUSCODES\r\n250-SMTPUTF8\r\n250 SIZE 60000000\r\n",
                 tls && !session->wire.ssl ? "250-STARTTLS\r\n" : "");
}

static void on_mail(struct session *session)
{
    session->n_recipients = 0;
    bytes_printf(replies(session), "250 2.1.0 Ok\r\n");
}

static void on_rcpt(struct session *session)
{
    session->n_recipients++;
    bytes_printf(replies(session), "250 2.1.5 Ok\r\n");
}

static void on_data(struct session *session)
{
    begin_message(session);
    bytes_printf(replies(session), "354 Go on\r\n");
}

static void on_starttls(struct session *session)
{
    session->starts_tls = tls != NULL;
    bytes_printf(replies(session), tls ? "220 2.0.0 Ready\r\n" : "502 5.5.1 No\r\n");
}

static void on_quit(struct session *session)
{
    session->ends = true;
    bytes_printf(replies(session), "221 2.0.0 Bye\r\n");
}

static void on_other(struct session *session)
{
    bytes_printf(replies(session), "250 2.0.0 Ok\r\n");
}

static void on_line(struct session *session, const char *line)
{
    static const struct {
        char verb[9];
        void (*run)(struct session *session);
    } verbs[] = {
        {"EHLO",     on_ehlo    },
        {"HELO",     on_other   },
        {"MAIL",     on_mail    },
        {"RCPT",     on_rcpt    },
        {"DATA",     on_data    },
        {"STARTTLS", on_starttls},
        {"QUIT",     on_quit    },
    };

    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (strncasecmp(line, verbs[i].verb, strlen(verbs[i].verb)) == 0) {
            verbs[i].run(session);
            return;
        }
    }
    on_other(session);
}

/* Takes one command; false: there is none. */
static bool take_line(struct session *session)
{
    struct bytes *in = &session->wire.in;
    char *line = bytes_begin(in);
    char *end = in->len ? memchr(line, '\n', in->len) : NULL;

    if (!end)
        return false;
    *end = '\0';
    bytes_drop(in, (size_t)(end - line) + 1);
    on_line(session, line);
    return true;
}

/* Looks for the final dot in what came; false: more must come. */
static bool take_body(struct session *session)
{
    static const char dot[] = "\r\n.\r\n";
    struct bytes *in = &session->wire.in;
    char *data = bytes_begin(in), *end;
    size_t n = in->len;

    if (!session->has_id && session->dropped == 0)
        session->has_id = board_find_id(data, n < HEAD_BYTES ? n : HEAD_BYTES, &session->id);
    end =
        n > session->scanned ? memmem(data + session->scanned, n - session->scanned, dot, 5) : NULL;
    if (end) {
        n = (size_t)(end - data) + 5;
        count_taken(session, session->dropped + n);
        bytes_drop(in, n);
        session->phase = IN_COMMANDS;
        bytes_printf(replies(session), "250 2.0.0 Ok: taken\r\n");
        return true;
    }
    if (n > 4 && (session->has_id || n > HEAD_BYTES)) {
        bytes_drop(in, n - 4);
        session->dropped += n - 4;
        n = 4;
    }
    session->scanned = n > 4 ? n - 4 : 0;
    return false;
}

/* ---- frames */

static bool take_frame(struct session *session)
{
    struct bytes *in = &session->wire.in;
    uint32_t n;

    if (in->len < sizeof(n))
        return false;
    memcpy(&n, bytes_begin(in), sizeof(n));
    if (in->len < sizeof(n) + n)
        return false;
    session->has_id = false;
    session->n_recipients = 1;
    session->has_id =
        board_find_id(bytes_begin(in) + sizeof(n), n < HEAD_BYTES ? n : HEAD_BYTES, &session->id);
    count_taken(session, n);
    bytes_drop(in, sizeof(n) + n);
    return true;
}

/* ---- sessions */

static void end_session(struct session *session)
{
    board->open--;
    wire_close(&session->wire);
    if (session->is_queued)
        return; /* freed when its turn comes */
    free(session->wire.in.data);
    free(session->wire.out.data);
    free(session->held.data);
    free(session);
}

static void hold_reply(struct session *session)
{
    session->due_ns = now_ns() + delay_ns;
    session->later = NULL;
    session->is_queued = true;
    if (last_held)
        last_held->later = session;
    else
        first_held = session;
    last_held = session;
}

/* One step of the conversation; false: nothing more can be done now. */
static bool step(struct session *session)
{
    if (session->is_queued || session->starts_tls || session->ends)
        return false;
    if (takes_frames)
        return take_frame(session);
    return session->phase == IN_DATA ? take_body(session) : take_line(session);
}

/* Sends what is ready; true: the session goes on. */
static bool send_replies(struct session *session)
{
    if (!wire_flush(&session->wire))
        return false;
    if (session->wire.out.len > 0 || session->is_queued)
        return true;
    if (session->ends)
        return false;
    if (session->starts_tls) {
        session->starts_tls = false;
        board->tls++;
        wire_start_tls(&session->wire, tls, true);
    }
    return true;
}

static void advance(struct session *session)
{
    while (step(session)) {
        if (session->held.len > 0) /* only with --delay */
            hold_reply(session);
    }
    if (!send_replies(session))
        end_session(session);
}

static void release_held(int64_t now)
{
    while (first_held && first_held->due_ns <= now) {
        struct session *session = first_held;

        first_held = session->later;
        if (!first_held)
            last_held = NULL;
        session->is_queued = false;
        if (session->wire.fd < 0) {
            board->open++;
            end_session(session);
            continue;
        }
        bytes_add(&session->wire.out, bytes_begin(&session->held), session->held.len);
        session->held.len = session->held.from = 0;
        advance(session);
    }
}

static void on_input(struct session *session)
{
    if (wire_read(&session->wire, READ_MOST))
        advance(session);
    else
        end_session(session);
}

static void accept_all(int listener)
{
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct session *session;

        if (fd < 0)
            return;
        session = calloc(1, sizeof(*session));
        if (!session)
            die("memory");
        wire_init(&session->wire, epoll, fd);
        board->connections++;
        board->open++;
        if (board->open > board->most_open)
            board->most_open = board->open;
        if (!takes_frames) {
            bytes_printf(replies(session), "220 receiver.example ESMTP\r\n");
            if (delay_ns)
                hold_reply(session);
        } else if (tls)
            wire_start_tls(&session->wire, tls, true);
        if (!send_replies(session))
            end_session(session);
    }
}

static int wait_ms(void)
{
    int64_t left;

    if (!first_held)
        return -1;
    left = first_held->due_ns - now_ns();
    return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

static void serve(int listener)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[MAX_EVENTS];

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
        die("epoll_ctl");
    for (;;) {
        const int n = epoll_wait(epoll, events, MAX_EVENTS, wait_ms());

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                on_input(events[i].data.ptr);
            else
                accept_all(listener);
        }
        release_held(now_ns());
    }
}

int main(int argc, char **argv)
{
    const char *path = NULL, *address = "127.0.0.1", *certificate = NULL, *key = NULL;
    long capacity = 1 << 22, wanted_port = 0, delay_ms = 0;
    const struct word table[] = {
        {"board",       .text = &path         },
        {"address",     .text = &address      },
        {"certificate", .text = &certificate  },
        {"key",         .text = &key          },
        {"port",        .number = &wanted_port},
        {"delay",       .number = &delay_ms   },
        {"capacity",    .number = &capacity   },
        {"frames",      .flag = &takes_frames },
    };
    int port, listener;

    read_words(table, sizeof(table) / sizeof(*table), argc, argv);
    port = (int)wanted_port;
    delay_ns = delay_ms * 1000000LL;
    if (!path) {
        fputs("receiver: --board FILE is missing\n", stderr);
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    board = board_open(path, (uint64_t)capacity);
    if (certificate && key)
        tls = tls_server_context(certificate, key);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listener = listen_on(address, &port, false);
    printf("listening %d\n", port);
    fflush(stdout);
    serve(listener);
}
