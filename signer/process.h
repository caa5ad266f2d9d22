/* The signer: the process that holds all DKIM private keys.  It makes them, signs with them, and
 * never gives one away.  It reads messages from descriptors that the relay sends; it opens no
 * network, no database, and no file but its keys.
 * The main thread waits for the parent's and the relay's messages; a worker per core takes
 * datagrams from whichever loop's channel has one. */
#pragma once

#include "relay/base/fault.h"

enum signer_engine { SIGNER_NATIVE, SIGNER_OPENDKIM };

struct signer_settings {
    const char *key_dir;
    const char *user; /* dropped to when started as root; NULL: stays */
    enum signer_engine engine;
    unsigned n_workers; /* 0: one per core */
};

/* Runs in the child.  channel_fd is the parent's: CHANNEL_PEER brings a link to the relay,
 * CHANNEL_DRAIN ends it once the relay has closed its channels, its end at once.  Sends
 * CHANNEL_READY. Returns the exit status of the process. */
int signer_serve(int channel_fd, const struct signer_settings *settings);
