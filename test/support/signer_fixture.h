/* A signer in a process of its own, and this process as its parent and its relay: a loop with a
 * client that is connected.  The keys lie in a folder under /tmp.
 * Thread: the test's. */
#pragma once

#include <sys/types.h>

#include "relay/net/loop.h"
#include "signer/client.h"
#include "signer/process.h"

extern struct running_signer {
    char folder[64]; /* of the keys */
    pid_t signer_pid;
    int parent_fd, link_fd, message_fd; /* message_fd: dkim_sample in a file */
    struct loop *loop;
    struct signer_client *client;
    int n_changes_up, n_changes_down;
    enum signer_engine engine;
    const char *user;
    unsigned n_awaited; /* answers; the last one stops the loop */
    struct {            /* the answer to tell_key() */
        enum key_result result;
        enum dkim_key_type type;
        unsigned bits;
        bool is_active;
        char why[200], public_half[1200];
    } key;
} running;

int signer_set_up(void **state);
int signer_set_up_opendkim(void **state);
int signer_tear_down(void **state);

/* By hand: the process and a link to it; its end and its wait status; one more connection. */
void start_signer(void);
int wait_for_signer(void);
void halt_signer(void); /* by SIGSTOP; returns when it stands still */
void connect_client(void);

/* A request to sign dkim_sample, and a copy of its answer. */
struct asked {
    struct sign_request request;
    char header[4096], domain[64], selectors[64];
    bool is_done;
};
void prepare_signing(struct asked *asked, const char *domain);
void ask_signing(struct asked *asked); /* returns when it is answered */
enum sign_result sign_for(const char *domain);

enum key_result tell_key(enum key_verb verb, const char *domain, const char *selector,
                         enum dkim_key_type type, const char *pem);
void make_keys(const char *domain); /* s1 and s1-ed, active */
void count_answer(void);
