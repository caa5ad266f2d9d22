/* A test of the way under way.  path_test.c: its life, and our addresses in turn; path_route.c:
 * where the mail of the domain goes; path_host.c: a host's addresses, our name, the limits, the
 * connection; path_talk.c and path_hear.c: the conversation up to RCPT.  It uses what delivery uses
 * (resolver, routes, orders, limits, client session), so that it sees what delivery would see.
 * Thread: the loop's that it is on; it moves once, to the one that owns the site. */
#pragma once

#include "relay/delivery/path_words.h"
#include "relay/delivery/target.h"
#include "relay/message/idn.h"
#include "relay/net/name_check.h"
#include "relay/net/stream.h"
#include "relay/smtp/client_session.h"

struct path_test {
    struct task task; /* to a loop */
    struct delivery_path *request;
    struct delivery *delivery;
    struct delivery_shard *shard;
    struct delivery_config *config;
    struct arena arena; /* what the way is made of */
    char domain[IDN_SIZE];
    int64_t began_ms, one_began_ms, told_ms;
    struct timer tick; /* cancelled? too long? */
    struct later next; /* then(), on the next turn */
    void (*then)(struct path_test *test);
    bool is_over, asks_mx, asks_name, asks_host; /* what is under way */
    bool told_stop;

    /* Where it goes. */
    struct target_plan plan; /* the arena's */
    struct mx_query mx;
    bool is_ordered; /* its next hop is an order's alone, and no route's of the settings */

    /* From where. */
    uint32_t numbers; /* bit n: number n is still to be tried */
    uint32_t number;
    bool has_number;
    struct lane *lane; /* while counted */
    bool is_counted, has_turn, is_greeted, took_message_turn, is_named;
    int64_t wait_ends_ms;
    struct name_check check;

    /* To where. */
    struct host_query host;
    uint8_t order[TARGET_MAX_HOSTS];
    size_t n_order, order_at, n_addresses, address_at;
    struct ip_address addresses[HOST_MAX_ADDRESSES];
    unsigned n_tries;
    struct ip_address local; /* which of ours it left from */

    /* The conversation. */
    struct stream *stream;
    struct smtp_client client;
    struct tls_client *tls;
    bool has_client, is_starting_tls, has_spoken, is_told, is_quitting, mail_is_refused;
    struct timer patience, turn;
    char ehlo[PATH_TEXT]; /* the last reply to it */
    char ehlo_name[DNS_NAME_SIZE], sender[PATH_TEXT], recipient[PATH_TEXT];
    struct smtp_transaction mail;
    struct smtp_client_recipient to;
};

enum { PATH_LONGEST_TURN_MS = 10000 }; /* for the pace of connections or messages */

/* ---- path_test.c ---- */

/* A step, with the values of the word's parameters. */
#define PATH_TELL(test, word, ...)                                                                 \
    path_tell(test, word, NULL, (const char *const[PATH_MOST_PARAMS]){__VA_ARGS__})
void path_tell(struct path_test *test, enum path_word word, const char *phase,
               const char *const *values);
void path_later(struct path_test *test, void (*then)(struct path_test *test)); /* next turn */
void path_end_one(struct path_test *test); /* of our addresses: the next, or the end */
void path_end(struct path_test *test);
/* The plan's site, which takes what the plan says of it; NULL after the end was told: without
 * memory, or when the settings that the plan is made of are not those of now any more. */
struct site *path_site(struct path_test *test);
void path_move(struct path_test *test, struct delivery_shard *shard);

/* ---- path_route.c ---- */

void path_route(struct path_test *test);  /* leads to path_arrive(), or to the end */
void path_arrive(struct path_test *test); /* at the loop that owns the site */

/* ---- path_host.c ---- */

void path_try_host(struct path_test *test);
/* The local address was not known before: its name is looked up now.  False: it was. */
bool path_name_left(struct path_test *test);
const char *path_host_name(const struct path_test *test);
struct slice path_ehlo_name(const struct path_test *test);
void path_cancel_questions(struct path_test *test);
void path_release(struct path_test *test); /* what was counted of the connection */

/* ---- path_hear.c ---- */

void path_print_reply(const struct smtp_reply *reply, char out[PATH_TEXT]);
/* smtp_client_settings.heard */
void path_hear(void *owner, enum smtp_phase phase, const struct smtp_reply *reply);

/* ---- path_talk.c ---- */

void path_lose(struct path_test *test);      /* its patience is over */
void path_take_turn(struct path_test *test); /* a connection, or MAIL, may go now */
void path_connect(struct path_test *test, const struct address_pair *pair);
void path_hang_up(struct path_test *test);
