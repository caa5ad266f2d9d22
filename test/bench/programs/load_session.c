/* One client connection: greeting, EHLO, STARTTLS, AUTH, then messages with PIPELINING
 * (MAIL, RCPT and DATA in one piece, then the letter in one piece). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { READ_MOST = 1 << 20 };
enum state {
    WANT_GREETING,
    WANT_EHLO,
    WANT_TLS,
    WANT_AUTH,
    READY,
    WANT_354,
    WANT_DOT,
    WANT_BYE,
    FRAMES
};

static void begin_message(struct client *client);

static void protest(const struct client *client, const char *line)
{
    static unsigned n;

    if (n++ < 5)
        fprintf(stderr, "load: in state %u: %.*s\n", client->state, (int)strcspn(line, "\r\n"),
                line);
}

static void recipient_of(const struct load *load, long message, long n, char out[128])
{
    const struct load_settings *settings = &load->settings;
    const long number = message * settings->recipients + n;

    if (settings->domains > 1 || settings->mx_hosts)
        snprintf(out, 128, "r%07ld@d%05ld.%s", number % 10000000, number % settings->domains,
                 settings->recipient_domain);
    else
        snprintf(out, 128, "r%07ld@%s", number % 10000000, settings->recipient_domain);
}

static void flush(struct client *client)
{
    if (!wire_flush(&client->wire))
        die("load: connection lost while sending");
}

static void say(struct client *client, enum state next, const char *text)
{
    client->state = next;
    bytes_printf(&client->wire.out, "%s", text);
    flush(client);
}

void client_open(struct client *client)
{
    struct load *load = client->load;
    const struct load_settings *settings = &load->settings;
    const unsigned port = (unsigned)(client - load->clients) % settings->n_ports;

    client->n_sent = 0;
    client->state = settings->frames ? FRAMES : WANT_GREETING;
    wire_init(&client->wire, load->epoll, dial(settings->address, settings->ports[port]));
    if (settings->tls == TLS_IMPLICIT)
        wire_start_tls(&client->wire, load->tls, false);
    if (settings->frames)
        begin_message(client);
}

/* ---- messages */

static void wait_for_rate(struct client *client)
{
    client->is_idle = true;
    client->next_idle = client->load->idle;
    client->load->idle = client;
}

static void send_envelope(struct client *client)
{
    struct load *load = client->load;
    char recipient[128];

    bytes_printf(&client->wire.out, "MAIL FROM:<%s>\r\n", load->settings.sender);
    for (long i = 0; i < load->settings.recipients; i++) {
        recipient_of(load, client->current, i, recipient);
        bytes_printf(&client->wire.out, "RCPT TO:<%s>\r\n", recipient);
    }
    client->n_replies = 0;
    client->n_expected = load->settings.recipients + 2;
    client->refused = false;
    say(client, WANT_354, "DATA\r\n");
}

static void send_letter(struct client *client)
{
    struct load *load = client->load;
    char recipient[128];

    recipient_of(load, client->current, 0, recipient);
    letter_add(&load->letters, &client->wire.out,
               (uint64_t)(load->settings.first_id + client->current), recipient);
    load->times[client->current].dot_ns = now_ns();
    say(client, WANT_DOT, ".\r\n");
}

static void send_frame(struct client *client)
{
    struct load *load = client->load;
    struct bytes *out = &client->wire.out;
    const size_t at = out->len;
    char recipient[128];
    uint32_t n = 0;

    recipient_of(load, client->current, 0, recipient);
    bytes_add(out, &n, sizeof(n));
    letter_add(&load->letters, out, (uint64_t)(load->settings.first_id + client->current),
               recipient);
    n = (uint32_t)(out->len - at - sizeof(n));
    memcpy(bytes_begin(out) + at, &n, sizeof(n));
    load->times[client->current].dot_ns = now_ns();
    client->window[(client->window_from + client->in_window++) % load->settings.window] =
        client->current;
}

static bool take_number(struct client *client)
{
    struct load *load = client->load;

    if (load->n_begun >= load->settings.messages || load->n_begun >= load->n_allowed)
        return false;
    client->current = load->n_begun++;
    return true;
}

static void begin_frames(struct client *client)
{
    const struct load *load = client->load;

    while (client->in_window < load->settings.window && take_number(client))
        send_frame(client);
    flush(client);
    if (load->n_begun < load->settings.messages && !client->is_idle &&
        client->in_window < load->settings.window)
        wait_for_rate(client);
}

static void begin_message(struct client *client)
{
    const struct load_settings *settings = &client->load->settings;

    if (client->state == FRAMES) {
        begin_frames(client);
        return;
    }
    if (client->n_sent >= settings->per_connection && client->load->n_begun < settings->messages) {
        say(client, WANT_BYE, "QUIT\r\n");
        return;
    }
    client->state = READY;
    if (take_number(client)) {
        client->n_sent++;
        send_envelope(client);
    } else if (client->load->n_begun < settings->messages)
        wait_for_rate(client);
}

void load_next(struct load *load)
{
    struct client *client = load->idle;

    if (!client)
        return;
    load->idle = client->next_idle;
    client->is_idle = false;
    begin_message(client);
}

static void count_done(struct client *client, long message, bool ok)
{
    struct load *load = client->load;

    load->times[message].done_ns = ok ? now_ns() : 0;
    load->n_done++;
    load->n_refused += !ok;
}

/* ---- replies */

static void on_greeting(struct client *client, const char *line)
{
    (void)line;
    say(client, WANT_EHLO, "EHLO client.example\r\n");
}

static void begin_messages(struct client *client)
{
    struct load *load = client->load;

    if (!client->was_ready) {
        client->was_ready = true;
        if (++load->n_ready == load->settings.connections)
            load->ready_ns = now_ns();
    }
    begin_message(client);
}

static void on_ehlo(struct client *client, const char *line)
{
    const struct load *load = client->load;

    (void)line;
    if (load->settings.tls == TLS_START && !client->wire.ssl)
        say(client, WANT_TLS, "STARTTLS\r\n");
    else if (load->settings.user) {
        bytes_printf(&client->wire.out, "AUTH PLAIN %s", load->login);
        say(client, WANT_AUTH, "\r\n");
    } else
        begin_messages(client);
}

static void on_tls(struct client *client, const char *line)
{
    if (*line != '2')
        protest(client, line);
    wire_start_tls(&client->wire, client->load->tls, false);
    on_greeting(client, line);
}

static void on_auth(struct client *client, const char *line)
{
    if (*line != '2') {
        protest(client, line);
        exit(1);
    }
    begin_messages(client);
}

static void on_transaction(struct client *client, const char *line)
{
    if (*line != '2' && *line != '3') {
        protest(client, line);
        client->refused = true;
    }
    if (++client->n_replies < client->n_expected)
        return;
    if (*line == '3') {
        send_letter(client);
        return;
    }
    count_done(client, client->current, false);
    client->n_expected = 1;
    client->n_replies = 0;
    client->state = WANT_AUTH; /* whose answer leads on */
    say(client, WANT_AUTH, "RSET\r\n");
}

static void on_dot(struct client *client, const char *line)
{
    if (*line != '2')
        protest(client, line);
    count_done(client, client->current, *line == '2');
    begin_message(client);
}

static void on_bye(struct client *client, const char *line)
{
    (void)line;
    wire_close(&client->wire);
    client_open(client);
}

static void on_line(struct client *client, const char *line)
{
    static void (*const steps[])(struct client *, const char *) = {
        [WANT_GREETING] = on_greeting, [WANT_EHLO] = on_ehlo,       [WANT_TLS] = on_tls,
        [WANT_AUTH] = on_auth,         [WANT_354] = on_transaction, [WANT_DOT] = on_dot,
        [WANT_BYE] = on_bye,
    };

    if (line[3] == '-')
        return;
    if (client->state == READY) {
        protest(client, line);
        return;
    }
    steps[client->state](client, line);
}

static void take_lines(struct client *client)
{
    struct bytes *in = &client->wire.in;

    for (;;) {
        char *line = bytes_begin(in), *end = in->len ? memchr(line, '\n', in->len) : NULL;
        char copy[256];
        size_t n;

        if (!end)
            return;
        n = (size_t)(end - line);
        snprintf(copy, sizeof(copy), "%.*s", (int)(n < 250 ? n : 250), line);
        bytes_drop(in, n + 1);
        on_line(client, copy);
    }
}

static void take_acknowledgements(struct client *client)
{
    struct load *load = client->load;

    for (size_t n = client->wire.in.len; n > 0; n--) {
        count_done(client, client->window[client->window_from], true);
        client->window_from = (client->window_from + 1) % load->settings.window;
        client->in_window--;
    }
    bytes_drop(&client->wire.in, client->wire.in.len);
    begin_frames(client);
}

/* The other side closed, perhaps after a last reply. */
static void on_end(struct client *client)
{
    const bool said_quit = client->state == WANT_BYE;

    take_lines(client);
    if (said_quit && client->state == WANT_BYE)
        on_bye(client, "");
    if (said_quit || client->load->n_done >= client->load->settings.messages)
        return;
    fprintf(stderr, "load: connection lost in state %u\n", client->state);
    exit(1);
}

void client_on_event(struct client *client)
{
    if (!wire_read(&client->wire, READ_MOST)) {
        on_end(client);
        return;
    }
    if (client->state == FRAMES)
        take_acknowledgements(client);
    else
        take_lines(client);
    flush(client);
}
