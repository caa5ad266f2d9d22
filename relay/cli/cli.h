/* The command line: verbs over the service's HTTP API on control.sock, and those that need no
 * service (config check, sink, version).  Exit codes are those of sysexits.h.
 * Thread: main. */
#pragma once

int cli_main(int argc, char **argv);
