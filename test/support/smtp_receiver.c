#include "test/support/smtp_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct smtp_receiver {
    receiver_behaviour *behave;
    void *owner;
    const char *extensions;
    int fd;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock;
    struct received *received[RECEIVER_MOST];
    unsigned n_received, n_connections, n_open, most_at_once;
    pthread_t threads[RECEIVER_MOST];
    int fds[RECEIVER_MOST];
};

struct conversation {
    struct smtp_receiver *receiver;
    FILE *in;
    int fd;
    struct received *mail;
    bool has_sender;
};

static bool say(struct conversation *talk, const char *text)
{
    char line[1024];
    int len = snprintf(line, sizeof(line), "%s\r\n", text);

    return send(talk->fd, line, (size_t)len, MSG_NOSIGNAL) == len;
}

static const char *choose(struct conversation *talk, const char *line, const char *usual)
{
    struct smtp_receiver *receiver = talk->receiver;
    const char *reply = receiver->behave ? receiver->behave(receiver->owner, line) : NULL;

    return reply ? reply : usual;
}

static bool is_consent(const char *reply)
{
    return *reply == '2' || *reply == '3';
}

static bool give(struct conversation *talk, const char *reply)
{
    return strcmp(reply, RECEIVER_DROP) != 0 && say(talk, reply) && strncmp(reply, "421", 3) != 0;
}

static bool answer(struct conversation *talk, const char *line, const char *usual, bool *is_usual)
{
    const char *reply = choose(talk, line, usual);

    *is_usual = is_consent(reply);
    return give(talk, reply);
}

static bool greet_back(struct conversation *talk, const char *line)
{
    char reply[512] = "250-receiver.example", *at = reply + strlen(reply);
    const char *word = talk->receiver->extensions;
    bool is_usual;

    while (word && *word) {
        size_t len = strcspn(word, " ");

        at += snprintf(at, (size_t)(reply + sizeof(reply) - at), "\r\n250-%.*s", (int)len, word);
        word += len + (word[len] == ' ');
    }
    snprintf(at, (size_t)(reply + sizeof(reply) - at), "\r\n250 HELP");
    return answer(talk, line, reply, &is_usual);
}

static void copy_path(char out[256], const char *line)
{
    const char *open = strchr(line, '<'), *close = open ? strchr(open, '>') : NULL;

    snprintf(out, 256, "%.*s", close ? (int)(close - open - 1) : 0, open ? open + 1 : "");
}

static void renew(struct conversation *talk)
{
    free(talk->mail->data);
    memset(talk->mail, 0, sizeof(*talk->mail));
}

static void keep(struct conversation *talk)
{
    struct smtp_receiver *receiver = talk->receiver;

    pthread_mutex_lock(&receiver->lock);
    if (receiver->n_received == RECEIVER_MOST)
        abort(); /* a test that counts must not be told too little */
    receiver->received[receiver->n_received++] = talk->mail;
    pthread_mutex_unlock(&receiver->lock);
    talk->mail = calloc(1, sizeof(*talk->mail));
}

static bool read_data(struct conversation *talk)
{
    struct received *mail = talk->mail;
    size_t capacity = 1 << 16;
    char *line = NULL;
    size_t room = 0;
    const char *reply;
    ssize_t len;

    mail->data = malloc(capacity);
    while ((len = getline(&line, &room, talk->in)) > 0 && strcmp(line, ".\r\n") != 0) {
        const char *from = line[0] == '.' ? line + 1 : line;
        size_t bytes = (size_t)len - (size_t)(from - line);

        while (mail->data_bytes + bytes + 1 > capacity)
            mail->data = realloc(mail->data, capacity *= 2);
        memcpy(mail->data + mail->data_bytes, from, bytes);
        mail->data_bytes += bytes;
        mail->data[mail->data_bytes] = '\0';
    }
    free(line);
    if (len <= 0)
        return false;
    reply = choose(talk, ".", "250 2.0.0 Ok");
    /* Before the reply: whoever hears of the delivery may look here at once. */
    if (is_consent(reply))
        keep(talk);
    renew(talk);
    return give(talk, reply);
}

static bool obey(struct conversation *talk, const char *line)
{
    bool is_usual;

    if (strncasecmp(line, "EHLO", 4) == 0 || strncasecmp(line, "HELO", 4) == 0)
        return greet_back(talk, line);
    if (strncasecmp(line, "QUIT", 4) == 0)
        return say(talk, "221 2.0.0 Bye") && false;
    if (strncasecmp(line, "DATA", 4) == 0 && talk->mail->n_recipients == 0)
        return answer(talk, line, "554 5.5.1 No valid recipients", &is_usual);
    if (strncasecmp(line, "DATA", 4) == 0)
        return answer(talk, line, "354 Go on", &is_usual) && (!is_usual || read_data(talk));
    if (strncasecmp(line, "RCPT", 4) == 0 && !talk->has_sender)
        return say(talk, "503 5.5.1 MAIL first");
    if (!answer(talk, line, "250 2.1.0 Ok", &is_usual))
        return false;
    if (strncasecmp(line, "MAIL", 4) == 0)
        talk->has_sender = is_usual;
    if (strncasecmp(line, "RSET", 4) == 0 || strncasecmp(line, "MAIL", 4) == 0)
        renew(talk);
    if (strncasecmp(line, "MAIL", 4) == 0)
        copy_path(talk->mail->sender, line);
    if (strncasecmp(line, "RCPT", 4) == 0 && is_usual && talk->mail->n_recipients < 64)
        copy_path(talk->mail->recipients[talk->mail->n_recipients++], line);
    return true;
}

struct visitor {
    struct smtp_receiver *receiver;
    int fd;
};

static void *converse(void *argument)
{
    struct visitor visitor = *(struct visitor *)argument;
    struct conversation talk = {.receiver = visitor.receiver, .fd = visitor.fd};
    char *line = NULL;
    size_t room = 0;
    bool is_usual;

    free(argument);
    talk.in = fdopen(dup(talk.fd), "r");
    talk.mail = calloc(1, sizeof(*talk.mail));
    if (answer(&talk, "", "220 receiver.example ESMTP", &is_usual))
        while (getline(&line, &room, talk.in) > 0) {
            line[strcspn(line, "\r\n")] = '\0';
            if (!obey(&talk, line))
                break;
        }
    free(line);
    renew(&talk);
    free(talk.mail);
    fclose(talk.in);
    shutdown(talk.fd, SHUT_RDWR);
    pthread_mutex_lock(&visitor.receiver->lock);
    visitor.receiver->n_open--;
    pthread_mutex_unlock(&visitor.receiver->lock);
    return NULL;
}

static void take_in(struct smtp_receiver *receiver, int fd)
{
    struct visitor *visitor = malloc(sizeof(*visitor));
    unsigned at;

    *visitor = (struct visitor){receiver, fd};
    pthread_mutex_lock(&receiver->lock);
    at = receiver->n_connections++;
    if (++receiver->n_open > receiver->most_at_once)
        receiver->most_at_once = receiver->n_open;
    receiver->fds[at] = fd;
    pthread_mutex_unlock(&receiver->lock);
    if (at >= RECEIVER_MOST - 1 ||
        pthread_create(&receiver->threads[at], NULL, converse, visitor) != 0)
        abort();
}

static void *serve(void *argument)
{
    struct smtp_receiver *receiver = argument;
    int fd;

    while ((fd = accept(receiver->fd, NULL, NULL)) >= 0)
        take_in(receiver, fd);
    return NULL;
}

struct smtp_receiver *receiver_start(receiver_behaviour *behave, void *owner,
                                     const char *extensions)
{
    struct smtp_receiver *receiver = calloc(1, sizeof(*receiver));
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    receiver->behave = behave;
    receiver->owner = owner;
    receiver->extensions = extensions;
    pthread_mutex_init(&receiver->lock, NULL);
    receiver->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(receiver->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(receiver->fd, 100) < 0 ||
        getsockname(receiver->fd, (struct sockaddr *)&address, &len) < 0)
        abort();
    receiver->port = ntohs(address.sin_port);
    if (pthread_create(&receiver->thread, NULL, serve, receiver) != 0)
        abort();
    return receiver;
}

void receiver_stop(struct smtp_receiver *receiver)
{
    shutdown(receiver->fd, SHUT_RDWR);
    pthread_join(receiver->thread, NULL);
    close(receiver->fd);
    for (unsigned i = 0; i < receiver->n_connections; i++) {
        shutdown(receiver->fds[i], SHUT_RDWR);
        pthread_join(receiver->threads[i], NULL);
        close(receiver->fds[i]);
    }
    for (unsigned i = 0; i < receiver->n_received; i++) {
        free(receiver->received[i]->data);
        free(receiver->received[i]);
    }
    pthread_mutex_destroy(&receiver->lock);
    free(receiver);
}

uint16_t receiver_port(const struct smtp_receiver *receiver)
{
    return receiver->port;
}

unsigned receiver_n_received(struct smtp_receiver *receiver)
{
    unsigned n;

    pthread_mutex_lock(&receiver->lock);
    n = receiver->n_received;
    pthread_mutex_unlock(&receiver->lock);
    return n;
}

const struct received *receiver_received(struct smtp_receiver *receiver, unsigned at)
{
    const struct received *mail;

    pthread_mutex_lock(&receiver->lock);
    mail = at < receiver->n_received ? receiver->received[at] : NULL;
    pthread_mutex_unlock(&receiver->lock);
    return mail;
}

unsigned receiver_n_connections(struct smtp_receiver *receiver)
{
    unsigned n;

    pthread_mutex_lock(&receiver->lock);
    n = receiver->n_connections;
    pthread_mutex_unlock(&receiver->lock);
    return n;
}

unsigned receiver_most_at_once(struct smtp_receiver *receiver)
{
    unsigned n;

    pthread_mutex_lock(&receiver->lock);
    n = receiver->most_at_once;
    pthread_mutex_unlock(&receiver->lock);
    return n;
}
