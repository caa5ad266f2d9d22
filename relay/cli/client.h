/* One request to the service over its Unix socket.  client.c is the only file that includes curl.
 * Thread: main; private to relay/cli. */
#pragma once

#include <jansson.h>

struct options;

struct answer {
    long status;  /* HTTP; 0: no answer */
    json_t *body; /* or NULL */
};

/* body (taken, may be NULL) is sent as JSON.  Prints a sentence when the service does not answer
 * or refuses; returns EX_OK, or the exit code that fits.  answer->body is the caller's. */
int client_ask(const struct options *options, const char *method, const char *path, json_t *body,
               struct answer *answer);

/* Appends a percent-encoded path segment or query value; malloc()ed. */
char *client_escape(const char *text);
