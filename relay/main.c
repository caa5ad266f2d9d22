/* Welcome.  One program: `serve` is the service, everything else talks to it.
 *
 *   serve    parent.c: settings, ports, children  ->  service.c: the relay  |  signer/process.c
 *   others   relay/cli, over the service's HTTP API on control.sock
 *
 * Read on in service_parts.c, where every module is started and given to the others. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "relay/cli/cli.h"
#include "relay/parent.h"
#include "relay/service.h"

#define DEFAULT_CONFIG "/etc/staffetta/staffetta.conf"

static int usage(void)
{
    fputs("usage: staffetta serve [--config FILE]\n", stderr);
    return EX_USAGE;
}

/* argv[0] is "serve". */
static int serve(int argc, char **argv)
{
    static const struct parent_children children = {service_run, service_run_signer};
    const char *config = DEFAULT_CONFIG;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            config = argv[++i];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            config = argv[i] + 9;
        else
            return usage();
    }
    return parent_serve(config, &children);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return serve(argc - 1, argv + 1);
    return cli_main(argc, argv);
}
