/* The receiver: takes, puts off or breaks off as its mode says, by dice. */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/support/storm.h"

enum phase { CONNECT, MAIL, RCPT, BODY, DOT };
enum { MOST_RECIPIENTS_TEXT = 4096, DROP = 1, HALF = 2 };

/* In a phase, of a thousand times so many: a reply, or the end of the connection without one (DROP)
 * or within one (HALF). */
struct habit {
    enum phase phase;
    int per_thousand, how;
    const char *reply;
};

static const struct habit accepting[] = {
    {BODY, 0, 0, NULL}
};
static const struct habit deferring[] = {
    {RCPT, 600, 0, "451 4.7.1 Later\r\n"},
    {BODY, 0,   0, NULL                 }
};
static const struct habit mixing[] = {
    {CONNECT, 20,  0, "421 4.3.2 Busy\r\n"   },
    {MAIL,    100, 0, "451 4.3.0 Later\r\n"  },
    {RCPT,    150, 0, "450 4.2.1 Later\r\n"  },
    {DOT,     150, 0, "452 4.3.1 No room\r\n"},
    {BODY,    0,   0, NULL                   },
};
static const struct habit nasty[] = {
    {CONNECT, 20,  DROP, NULL                   },
    {CONNECT, 10,  0,    "421 4.3.2 Busy\r\n"   },
    {MAIL,    20,  DROP, NULL                   },
    {RCPT,    20,  DROP, NULL                   },
    {RCPT,    50,  0,    "450 4.2.1 Later\r\n"  },
    {BODY,    5,   DROP, NULL                   },
    {DOT,     100, DROP, NULL                   },
    {DOT,     50,  HALF, NULL                   },
    {DOT,     50,  0,    "452 4.3.1 No room\r\n"},
    {BODY,    0,   0,    NULL                   },
};

static const struct {
    const char *name;
    const struct habit *habits; /* up to one of zero */
} modes[] = {
    {"accept", accepting},
    {"defer",  deferring},
    {"mixed",  mixing   },
    {"nasty",  nasty    },
};

struct visit {
    const struct habit *habits;
    int out_fd;
    unsigned dice;
    struct storm_wire wire;
    EVP_MD_CTX *digest;
    char line[STORM_LINE], mark[64], recipients[MOST_RECIPIENTS_TEXT];
    int n_signatures;
    bool has_sender;
};

static const struct habit *choose(struct visit *visit, enum phase phase)
{
    int roll = rand_r(&visit->dice) % 1000;

    for (const struct habit *habit = visit->habits; habit->per_thousand; habit++) {
        if (habit->phase != phase)
            continue;
        if (roll < habit->per_thousand)
            return habit;
        roll -= habit->per_thousand;
    }
    return NULL;
}

static bool say(struct visit *visit, const char *reply)
{
    return storm_write(visit->wire.fd, reply, strlen(reply));
}

/* Says what the mode wants or the usual; *is_taken tells which.  False: the connection ends. */
static bool answer(struct visit *visit, enum phase phase, const char *usual, bool *is_taken)
{
    const struct habit *habit = choose(visit, phase);

    *is_taken = habit == NULL;
    if (!habit)
        return say(visit, usual);
    if (habit->how == HALF)
        say(visit, "25");
    return habit->how == 0 && say(visit, habit->reply) && strncmp(habit->reply, "421", 3) != 0;
}

static bool read_line(struct visit *visit, size_t *n)
{
    return storm_read_line(&visit->wire, visit->line, n);
}

static bool read_header(struct visit *visit)
{
    static const char mark[] = "X-Mark: ", signature[] = "DKIM-Signature:";
    size_t n;

    visit->n_signatures = 0;
    visit->mark[0] = '\0';
    while (read_line(visit, &n)) {
        if (n == 0)
            return true;
        if (strncmp(visit->line, mark, sizeof(mark) - 1) == 0)
            snprintf(visit->mark, sizeof(visit->mark), "%.60s", visit->line + sizeof(mark) - 1);
        visit->n_signatures += strncmp(visit->line, signature, sizeof(signature) - 1) == 0;
    }
    return false;
}

static bool read_body(struct visit *visit)
{
    bool breaks_off = choose(visit, BODY) != NULL;
    size_t n;

    EVP_DigestInit_ex(visit->digest, EVP_sha256(), NULL);
    while (read_line(visit, &n)) {
        const char *line = visit->line;

        if (n == 1 && line[0] == '.')
            return true;
        if (breaks_off)
            return false;
        if (line[0] == '.')
            line++, n--;
        EVP_DigestUpdate(visit->digest, line, n);
        EVP_DigestUpdate(visit->digest, "\r\n", 2);
    }
    return false;
}

static void note_message(struct visit *visit, char what)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[STORM_DIGEST_TEXT];
    unsigned n = 0;

    EVP_DigestFinal_ex(visit->digest, digest, &n);
    for (unsigned i = 0; i < n; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
    storm_note(visit->out_fd, "%c %.6f %s %s %d %s\n", what, storm_now(), visit->mark, text,
               visit->n_signatures, visit->recipients);
}

/* What is said to be taken is noted before it is said. */
static bool take_message(struct visit *visit)
{
    const struct habit *habit;

    if (!say(visit, "354 Go on\r\n") || !read_header(visit) || !read_body(visit))
        return false;
    habit = choose(visit, DOT);
    visit->recipients[strlen(visit->recipients) - 1] = '\0'; /* the last comma */
    if (habit && habit->how == 0)
        return say(visit, habit->reply);
    note_message(visit, habit ? 'X' : 'D');
    if (habit && habit->how == HALF)
        say(visit, "25");
    return !habit && say(visit, "250 2.0.0 Taken\r\n");
}

static bool on_recipient(struct visit *visit)
{
    bool is_taken, goes_on;
    const char *from = strchr(visit->line, '<');
    size_t used = strlen(visit->recipients), n = from ? strcspn(from + 1, "@>") : 0;

    if (!visit->has_sender)
        return say(visit, "503 5.5.1 From whom?\r\n");
    goes_on = answer(visit, RCPT, "250 2.1.5 Ok\r\n", &is_taken);
    if (is_taken && n && used + n + 2 < sizeof(visit->recipients))
        snprintf(visit->recipients + used, sizeof(visit->recipients) - used, "%.*s,", (int)n,
                 from + 1);
    return goes_on;
}

static bool serve_command(struct visit *visit)
{
    static const char hello[] = "250-storm\r\n250-PIPELINING\r\n250-SIZE 99999999\r\n"
                                "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
    switch (visit->line[0]) {
    case 'E':
        return say(visit, hello);
    case 'M':
        visit->recipients[0] = '\0';
        return answer(visit, MAIL, "250 2.1.0 Ok\r\n", &visit->has_sender);
    case 'R':
        if (visit->line[1] == 'C')
            return on_recipient(visit);
        visit->recipients[0] = '\0';
        return say(visit, "250 2.0.0 Ok\r\n");
    case 'D':
        return visit->recipients[0] ? take_message(visit) : say(visit, "503 5.5.1 To whom?\r\n");
    case 'Q':
        say(visit, "221 2.0.0 Bye\r\n");
        return false;
    default:
        return say(visit, "500 5.5.2 What?\r\n");
    }
}

static void *serve(void *argument)
{
    struct visit *visit = argument;
    bool is_taken;
    size_t n;

    visit->digest = EVP_MD_CTX_new();
    if (answer(visit, CONNECT, "220 storm ESMTP\r\n", &is_taken)) {
        while (read_line(visit, &n) && serve_command(visit))
            ;
    }
    close(visit->wire.fd);
    EVP_MD_CTX_free(visit->digest);
    free(visit);
    return NULL;
}

static const struct habit *habits_of(const char *mode)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(modes[i].name, mode) == 0)
            return modes[i].habits;
    }
    return NULL;
}

int storm_receive(const struct storm_options *options, int out_fd)
{
    const struct habit *habits = habits_of(options->mode);
    uint16_t port;
    int listener = storm_listen(options->address, &port);

    if (!habits || listener < 0)
        return 64;
    srandom((unsigned)getpid());
    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        struct visit *visit = calloc(1, sizeof(*visit));
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);

        if (!visit || fd < 0)
            return 1;
        visit->habits = habits;
        visit->out_fd = out_fd;
        visit->dice = (unsigned)random(); /* neighbouring seeds begin with like throws */
        visit->wire.fd = fd;
        if (pthread_create(&thread, NULL, serve, visit))
            return 1;
        pthread_detach(thread);
    }
}
