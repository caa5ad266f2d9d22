/* The load: every connection sends message after message and opens another one when it breaks. */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/support/storm.h"

enum { RECONNECT_US = 5000, LARGEST_BODY = 400000, LINE_OCTETS = 78, MOST_COMMANDS = 16384 };

struct sender {
    const struct storm_options *options;
    int out_fd, number;
    unsigned dice;
    long n_sent;
    struct storm_wire wire;
    char mark[64], digest[STORM_DIGEST_TEXT];
    char *body; /* unstuffed */
    size_t n_body;
    char *message; /* as it goes over the wire */
    size_t n_message;
};

static _Atomic long n_accepted;

/* Mostly small, some long, a few longer than a session keeps in memory (256 KiB): spilled. */
static size_t choose_size(struct sender *sender)
{
    int roll = rand_r(&sender->dice) % 1000;

    return roll < 700 ? 300 : roll < 950 ? 3000 : roll < 998 ? 20000 : 300000;
}

/* Lines that differ in every message; some begin with a dot (RFC 5321 4.5.2). */
static void make_body(struct sender *sender)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    size_t size = choose_size(sender), n = 0;

    while (n < size) {
        unsigned roll = (unsigned)rand_r(&sender->dice);

        for (int i = 0; i < LINE_OCTETS - 2; i++)
            sender->body[n + (size_t)i] = letters[((roll >> (i % 13)) + (unsigned)i) & 63];
        if (roll % 8 == 0)
            sender->body[n] = '.';
        memcpy(sender->body + n + LINE_OCTETS - 2, "\r\n", 2);
        n += LINE_OCTETS;
    }
    sender->n_body = n;
}

static void stuff(struct sender *sender)
{
    size_t n = sender->n_message;

    for (size_t i = 0; i < sender->n_body; i += LINE_OCTETS) {
        if (sender->body[i] == '.')
            sender->message[n++] = '.';
        memcpy(sender->message + n, sender->body + i, LINE_OCTETS);
        n += LINE_OCTETS;
    }
    memcpy(sender->message + n, ".\r\n", 3);
    sender->n_message = n + 3;
}

static void make_message(struct sender *sender)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    snprintf(sender->mark, sizeof(sender->mark), "%s.%d.%ld", sender->options->name, sender->number,
             ++sender->n_sent);
    make_body(sender);
    EVP_Digest(sender->body, sender->n_body, digest, &n, EVP_sha256(), NULL);
    for (unsigned i = 0; i < n; i++)
        snprintf(sender->digest + 2 * (size_t)i, 3, "%02x", digest[i]);
    sender->n_message = (size_t)sprintf(
        sender->message, "From: %s\r\nTo: r1@dest.example\r\nSubject: %s\r\nX-Mark: %s\r\n\r\n",
        sender->options->sender, sender->mark, sender->mark);
    stuff(sender);
}

/* The code of the next reply, its last line in line; 0 when the peer left. */
static int read_reply(struct sender *sender, char line[STORM_LINE])
{
    size_t n;

    do {
        if (!storm_read_line(&sender->wire, line, &n) || n < 3)
            return 0;
    } while (line[3] == '-');
    return (int)strtol(line, NULL, 10);
}

static bool expect(struct sender *sender, int wanted)
{
    char line[STORM_LINE];
    int code = read_reply(sender, line);

    if (code != wanted && code != 0)
        storm_note(sender->out_fd, "R %.6f %d %s\n", storm_now(), code, sender->mark);
    return code == wanted;
}

static bool say(struct sender *sender, const char *text)
{
    return storm_write(sender->wire.fd, text, strlen(text));
}

/* RFC 2920: the envelope in one go. */
static bool say_envelope(struct sender *sender)
{
    char commands[MOST_COMMANDS];
    int n = snprintf(commands, sizeof(commands), "MAIL FROM:<%s>\r\n", sender->options->sender);
    bool is_taken;

    for (long i = 1; i <= sender->options->n_recipients; i++)
        n += snprintf(commands + n, sizeof(commands) - (size_t)n, "RCPT TO:<r%ld@dest.example>\r\n",
                      i);
    snprintf(commands + n, sizeof(commands) - (size_t)n, "DATA\r\n");
    if (!say(sender, commands))
        return false;
    is_taken = expect(sender, 250);
    for (long i = 0; i < sender->options->n_recipients && is_taken; i++)
        is_taken = expect(sender, 250);
    return is_taken && expect(sender, 354);
}

/* False: this connection is of no further use. */
static bool send_one(struct sender *sender)
{
    static const char wanted[] = "250 2.0.0 Ok: queued as ";
    char line[STORM_LINE];
    int code;

    make_message(sender);
    if (!say_envelope(sender) || !storm_write(sender->wire.fd, sender->message, sender->n_message))
        return false;
    code = read_reply(sender, line);
    if (code == 0)
        return false;
    if (strncmp(line, wanted, sizeof(wanted) - 1) != 0) {
        storm_note(sender->out_fd, "R %.6f %d %s\n", storm_now(), code, sender->mark);
        return code != 421;
    }
    storm_note(sender->out_fd, "A %.6f %s %s %s %ld\n", storm_now(), line + sizeof(wanted) - 1,
               sender->mark, sender->digest, sender->options->n_recipients);
    n_accepted++;
    return true;
}

static bool is_enough(const struct sender *sender)
{
    return sender->options->n_messages && n_accepted >= sender->options->n_messages;
}

static void *run(void *argument)
{
    struct sender *sender = argument;

    while (!is_enough(sender)) {
        sender->wire = (struct storm_wire){.fd = storm_connect(sender->options->address)};
        if (sender->wire.fd < 0) {
            usleep(RECONNECT_US); /* the service is down: nothing tells when it is up */
            continue;
        }
        if (expect(sender, 220) && say(sender, "EHLO storm.example\r\n") && expect(sender, 250)) {
            while (!is_enough(sender) && send_one(sender)) {
                if (sender->options->pause_us)
                    usleep((useconds_t)sender->options->pause_us);
            }
        }
        close(sender->wire.fd);
        usleep(RECONNECT_US);
    }
    return NULL;
}

int storm_load(const struct storm_options *options, int out_fd)
{
    size_t n = (size_t)options->n_connections;
    struct sender *senders = calloc(n, sizeof(*senders));
    pthread_t *threads = calloc(n, sizeof(*threads));

    for (size_t i = 0; i < n; i++) {
        senders[i] = (struct sender){.options = options,
                                     .out_fd = out_fd,
                                     .number = (int)i,
                                     .dice = (unsigned)i * 7919 + (unsigned)getpid(),
                                     .mark = "-",
                                     .body = malloc(LARGEST_BODY),
                                     .message = malloc((size_t)2 * LARGEST_BODY)};
        if (pthread_create(&threads[i], NULL, run, &senders[i]))
            return 1;
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        free(senders[i].body);
        free(senders[i].message);
    }
    free(senders);
    free(threads);
    return 0;
}
