/* What client.c (connection, turns) and client_records.c (requests to records and back) share.
 * Thread: the loop's. */
#pragma once

#include "signer/client.h"
#include "signer/file_slots.h"

/* One datagram in the making. */
struct client_datagram {
    struct buffer records;
    struct signer_request *requests[SIGNER_BATCH];
    unsigned n_requests;
    int fds[SIGNER_BATCH]; /* borrowed from the requests */
    unsigned n_fds;
    uint16_t new_slots[SIGNER_BATCH]; /* filled by this datagram */
    unsigned n_new_slots;
    bool has_secret; /* an imported key is in records */
};

struct signer_client {
    struct loop *loop;
    struct later later;
    struct watch watch;
    int fd; /* -1: no signer */
    void (*on_change)(void *owner, bool is_up);
    void *owner;
    bool was_lost, told_up;
    struct list waiting;                             /* requests, in order */
    struct list failed;                              /* to be told on the next turn */
    struct signer_request *under_way[SIGNER_WINDOW]; /* by id modulo SIGNER_WINDOW */
    unsigned n_under_way;
    uint64_t last_id;
    struct file_slots slots;
    struct client_datagram out;
    struct channel_message in;
};

/* Takes requests from `waiting` into datagram; false when nothing waits or the window is full. */
bool client_fill(struct signer_client *client, struct client_datagram *datagram);

/* Undoes client_fill(): it was not sent. */
void client_take_back(struct signer_client *client, struct client_datagram *datagram);

/* The request under way at a place of the window, no longer so; NULL if none. */
struct signer_request *client_take_sent(struct signer_client *client, unsigned place);

/* Runs done() for each reply in client->in; 1 or -EBADMSG. */
MUST_USE int client_take_replies(struct signer_client *client);

/* Runs done(): no signer, or the request was not sound. */
void client_fail(struct signer_request *request);
