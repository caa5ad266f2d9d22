/* `test path`: the way to an address, step by step as the service goes it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

enum { ASK_EVERY_MS = 200 };

static void print_step(const struct options *options, json_t *step)
{
    CLEANUP(free) char *egress = print_member(step, "egress");
    CLEANUP(free) char *name = print_member(step, "step");
    CLEANUP(free) char *verdict = print_member(step, "verdict");
    CLEANUP(free) char *sentence = print_member(step, "sentence");
    CLEANUP(free) char *ms = print_member(step, "ms");

    if (options->wants_json)
        print_object(options, step, NULL);
    else
        print_line("%-5s %-10s %-8s %s (%s ms)", verdict, egress, name, sentence, ms);
    (void)fflush(stdout);
}

/* Those from n on; how many there are. */
static size_t print_steps(const struct options *options, json_t *job, size_t n)
{
    json_t *steps = json_object_get(job, "steps");

    for (; n < json_array_size(steps); n++)
        print_step(options, json_array_get(steps, n));
    return n;
}

static int exit_code_of(json_t *job)
{
    const char *verdict = json_string_value(json_object_get(job, "verdict"));

    return verdict && strcmp(verdict, "fail") != 0 ? EX_OK : EX_UNAVAILABLE;
}

static bool is_running(json_t *job)
{
    const char *state = json_string_value(json_object_get(job, "state"));

    return state && strcmp(state, "running") == 0;
}

int test_path(struct options *options)
{
    const char *what = options->arguments[0], *egress = option(options, "egress");
    json_t *body = json_pack("{s:s}", strchr(what, '@') ? "address" : "domain", what);
    const struct timespec pause = {0, ASK_EVERY_MS * 1000000L};
    struct answer answer;
    CLEANUP(free) char *path = NULL;
    size_t n_printed = 0;
    int exit_code;

    if (egress)
        json_object_set_new(body, "egress", json_string(egress));
    exit_code = client_ask(options, "POST", "/api/v1/diagnostics/path", body, &answer);
    if (exit_code == EX_OK)
        path = call_path("/api/v1/jobs/%s", json_string_value(json_object_get(answer.body, "id")));
    while (exit_code == EX_OK) {
        n_printed = print_steps(options, answer.body, n_printed);
        if (!is_running(answer.body))
            break;
        json_decref(answer.body);
        (void)nanosleep(&pause, NULL);
        exit_code = client_ask(options, "GET", path, NULL, &answer);
    }
    if (exit_code == EX_OK)
        exit_code = exit_code_of(answer.body);
    json_decref(answer.body);
    return exit_code;
}
