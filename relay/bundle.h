/* What the parent hands a child at its start and at each reload: the settings file's text, the
 * listening sockets and the TLS files' contents.  The child parses the same text with the same
 * code, so parent and child cannot disagree.  Keys travel in a sealed memory file and are wiped
 * when the bundle goes.  Thread: one; the bundle is a value with one owner. */
#pragma once

#include "policy/receiver_book.h"
#include "relay/control/settings.h"
#include "relay/net/channel.h"

struct bundle_listener {
    const char *name;    /* the section's title; BUNDLE_CONTROL and BUNDLE_PANEL are ours */
    const char *wanted;  /* as the settings say it; known to the parent only */
    const char *address; /* as bound, the port that was picked included */
    int fd;
};

#define BUNDLE_CONTROL "control.sock"
#define BUNDLE_PANEL   "panel"

struct bundle_identity {
    const char *name; /* the tls section's title */
    struct slice certificate_pem, key_pem;
};

struct bundle {
    struct settings *settings;
    struct bundle_listener *listeners; /* of the arena */
    size_t n_listeners;
    struct bundle_identity *identities; /* they look into pems */
    size_t n_identities;
    const char *path;                    /* of the settings file */
    struct buffer text, pems, receivers; /* receivers: receiver_files.h */
    struct receiver_book *book;          /* made by bundle_make_book(); NULL before */
    struct arena arena;
    bool was_root; /* the parent is root: users can be changed */
};

void bundle_fini(struct bundle *bundle); /* closes the sockets that were not taken */
#define bundle_cleanup bundle_fini

/* Lays bundle out as a message of which the caller sets the kind; sockets are duplicated. */
MUST_USE int bundle_write(const struct bundle *bundle, struct channel_message *message);

/* Reads the operator's files about receivers. */
MUST_USE int bundle_read_receivers(struct bundle *bundle, struct buffer *problem);

/* Parses them, or takes what is built in.  0, -EINVAL with reasons in problem, or -ENOMEM. */
MUST_USE int bundle_make_book(struct bundle *bundle, struct buffer *problem);

/* Takes a message apart; its descriptors are the bundle's.  0, -EBADMSG, -EINVAL or -errno. */
MUST_USE int bundle_read(struct bundle *bundle, struct channel_message *message);
