/* The relay process: every module, started and stopped in order, wired to the others.
 * Thread: the process's first one, which then waits for the parent's orders. */
#pragma once

/* Runs in the child; channel_fd is the parent's.  Returns the exit status. */
int service_run(int channel_fd);

/* The signer process: the same channel, the signer's few settings. */
int service_run_signer(int channel_fd);
