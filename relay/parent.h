/* `staffetta serve`: the parent process.  Reads the settings, makes the folders, binds the ports,
 * opens the TLS files, and lets the supervisor run relay and signer with them.
 * Thread: the process's only one. */
#pragma once

struct supervisor_role;

/* What runs in the children; main.c names them, so that the parent need not know either. */
struct parent_children {
    int (*relay)(int channel_fd);
    int (*signer)(int channel_fd);
};

/* Returns the exit status (sysexits.h) after an ordered end, or of a start that failed. */
int parent_serve(const char *config_path, const struct parent_children *children);
