/* `test shaping`: how long an operator's list would take under his settings, provider by provider.
 * Needs no service and no network: the schedule itself runs in virtual time. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "policy/receiver_files.h"
#include "relay/base/secret.h"
#include "relay/cli/nouns.h"
#include "relay/cli/options.h"
#include "relay/cli/print.h"
#include "relay/control/config.h"
#include "relay/schedule/shaping.h"
#include "relay/schedule/simulation.h"

enum {
    MOST_RECIPIENTS = 5000000,
    MOST_DOMAINS = 200000,
    MOST_LINE = 1000,
    LATENCY_MS = 250,
    SEED = 1,
};

static const int64_t most_ms = (int64_t)40 * 86400 * 1000;

struct planned_domain {
    uint32_t group, n_recipients;
};

struct forecast {
    struct receiver_book *book;
    struct site_limits lane_limits;
    uint32_t latency_ms, n_addresses;
    struct simulation_group_plan plans[PROVIDER_MOST + 2];
    const struct provider_entry *entries[PROVIDER_MOST + 2]; /* NULL: nobody's we know */
    char names[PROVIDER_MOST + 2][PROVIDER_NAME_MOST + 1];
    uint32_t n_groups;
    struct planned_domain *domains;
    size_t n_domains;
    uint64_t n_recipients;
};

/* ---- the plan ---- */

static void complain(const char *path, unsigned line, const char *sentence)
{
    char text[MOST_LINE];

    snprintf(text, sizeof(text), "%s:%u: %s", path, line, sentence);
    print_complaint(text);
}

static const struct provider_entry *provider_of(const struct forecast *forecast, const char *domain,
                                                const char *hint)
{
    const struct provider_table *table = &forecast->book->providers;
    const struct provider_entry *named = hint ? provider_table_named(table, slice_of(hint)) : NULL;
    struct slice host = slice_of(hint);

    return named ? named : provider_table_match(table, slice_of(domain), &host, hint ? 1 : 0);
}

static uint32_t group_of(struct forecast *forecast, const struct provider_entry *entry)
{
    struct simulation_group_plan *plan = &forecast->plans[forecast->n_groups];

    for (uint32_t i = 0; i < forecast->n_groups; i++)
        if (forecast->entries[i] == entry)
            return i;
    *plan = (struct simulation_group_plan){
        .name = "others", .latency_ms = forecast->latency_ms, .lane_limits = forecast->lane_limits};
    if (entry) {
        shaping_of_lane(&entry->limits, &plan->lane_limits);
        slice_copy_to(entry->name, forecast->names[forecast->n_groups], PROVIDER_NAME_MOST + 1);
        plan->name = forecast->names[forecast->n_groups];
        plan->road_limits.connections = entry->limits.address_connections;
        plan->is_provider = entry != forecast->book->providers.mixed;
        plan->provider_limits = shaping_of_provider(&entry->limits);
    }
    forecast->entries[forecast->n_groups] = entry;
    return forecast->n_groups++;
}

/* "DOMAIN RECIPIENTS [PROVIDER or MAIL-HOST]"; "" and "# …" are passed over. */
static const char *take_line(struct forecast *forecast, char *line)
{
    char *rest = NULL, *end = NULL;
    const char *domain, *count, *hint;
    unsigned long n;

    line[strcspn(line, "#\r\n")] = '\0';
    domain = strtok_r(line, " \t", &rest);
    if (!domain)
        return NULL;
    count = strtok_r(NULL, " \t", &rest);
    hint = strtok_r(NULL, " \t", &rest);
    if (!count || strtok_r(NULL, " \t", &rest))
        return "wants DOMAIN RECIPIENTS [PROVIDER|MAIL-HOST]";
    errno = 0;
    n = strtoul(count, &end, 10);
    if (*end || errno || *count == '-' || n > MOST_RECIPIENTS)
        return "the number of recipients is none, or more than 5,000,000";
    forecast->n_recipients += n;
    if (forecast->n_domains == MOST_DOMAINS || forecast->n_recipients > MOST_RECIPIENTS)
        return "more than 200,000 domains or 5,000,000 recipients";
    forecast->domains[forecast->n_domains++] = (struct planned_domain){
        group_of(forecast, provider_of(forecast, domain, hint)), (uint32_t)n};
    return NULL;
}

static int read_plan(struct forecast *forecast, const char *path)
{
    char line[MOST_LINE];
    const char *problem = NULL;
    unsigned n_lines = 0;
    FILE *file = fopen(path, "re");

    if (!file) {
        complain(path, 0, strerror(errno));
        return EX_NOINPUT;
    }
    while (!problem && fgets(line, sizeof(line), file)) {
        n_lines++;
        problem = strlen(line) == sizeof(line) - 1 ? "too long" : take_line(forecast, line);
    }
    if (!problem && forecast->n_recipients == 0)
        problem = "no recipients";
    if (problem)
        complain(path, n_lines, problem);
    fclose(file);
    return problem ? EX_DATAERR : EX_OK;
}

/* ---- settings ---- */

static void take_limits(struct forecast *forecast, const struct settings *settings)
{
    struct site_limits *limits = &forecast->lane_limits;

    limits->connections = (uint32_t)settings->delivery.site_connections;
    limits->connections_per_minute = (uint32_t)settings->delivery.site_connections_per_minute;
    limits->messages_per_connection = (uint32_t)settings->delivery.connection_messages;
    if (limits->start_connections > limits->connections)
        limits->start_connections = limits->connections;
}

static int take_book(struct forecast *forecast, const struct settings *settings,
                     struct buffer *problem)
{
    const char *const paths[N_RECEIVER_FILES] = {
        [RECEIVER_PROVIDERS] = settings ? settings->policy.providers : "",
        [RECEIVER_RULES] = "",
        [RECEIVER_CLASSES] = "",
    };
    CLEANUP(buffer) struct buffer bytes = BUFFER_INIT;
    struct data_file files[N_RECEIVER_FILES];
    int error = receiver_files_read(paths, &bytes, problem);

    if (error == 0 && !receiver_files_take(buffer_slice(&bytes), files))
        error = -EINVAL;
    return error == 0 ? receiver_book_new(&forecast->book, files, problem) : error;
}

/* Without --config the built-in table and the defaults. */
static int read_settings(struct forecast *forecast, const char *path)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct settings *settings = NULL;
    int error = path ? config_load(&settings, path, &text, &problem) : 0;

    forecast->lane_limits = site_limits_default;
    if (error == 0)
        error = take_book(forecast, settings, &problem);
    if (error == 0 && settings)
        take_limits(forecast, settings);
    settings_unref(settings);
    if (error < 0)
        fprintf(stderr, "%.*s", (int)problem.len, problem.data ? problem.data : "");
    return error < 0 ? EX_CONFIG : EX_OK;
}

static bool read_numbers(struct forecast *forecast, const struct options *options)
{
    const char *latency = option(options, "latency"), *addresses = option(options, "addresses");
    int64_t latency_ms = LATENCY_MS;
    long n_addresses = addresses ? strtol(addresses, NULL, 10) : 1;

    /* config_parse_span() takes whole seconds and longer; answers are faster. */
    if (latency)
        latency_ms = strtol(latency, NULL, 10);
    if (latency_ms < 1 || latency_ms > 60000 || n_addresses < 1 || n_addresses > EGRESS_MOST) {
        print_complaint("--latency is 1 to 60000 (milliseconds), --addresses 1 to 16");
        return false;
    }
    forecast->latency_ms = (uint32_t)latency_ms;
    forecast->n_addresses = (uint32_t)n_addresses;
    return true;
}

/* ---- the answer ---- */

static char *span_text(double seconds)
{
    unsigned long s = (unsigned long)ceil(seconds);
    char text[64];

    snprintf(text, sizeof(text), "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    return strdup(text);
}

static json_t *row_of(const struct simulation_group *group)
{
    double seconds = (double)group->finished_ms / 1000, best = group->best_ms / 1000;
    CLEANUP(free)
    char *takes =
        group->n_delivered == group->n_recipients ? span_text(seconds) : strdup("over 40 days");
    CLEANUP(free) char *fastest = span_text(best);

    return json_pack("{s:s, s:I, s:i, s:s, s:f, s:s, s:f, s:I, s:b}", "provider", group->plan.name,
                     "recipients", (json_int_t)group->n_recipients, "domains", (int)group->n_sites,
                     "takes", takes, "seconds", seconds, "at_best", fastest, "best_seconds", best,
                     "an_hour",
                     (json_int_t)(seconds > 0 ? (double)group->n_delivered * 3600 / seconds : 0),
                     "finished", group->n_delivered == group->n_recipients);
}

static void print_forecast(const struct options *options, struct simulation *simulation)
{
    static const struct column columns[] = {
        {"provider",   "PROVIDER"  },
        {"recipients", "RECIPIENTS"},
        {"domains",    "DOMAINS"   },
        {"takes",      "TAKES"     },
        {"at_best",    "AT BEST"   },
        {"an_hour",    "AN HOUR"   },
        {NULL,         NULL        },
    };
    json_t *rows = json_array();

    simulation_find_best(simulation);
    for (uint32_t i = 0; i < simulation->n_groups; i++)
        json_array_append_new(rows, row_of(&simulation->groups[i]));
    print_items(options, rows, columns);
    json_decref(rows);
}

static int simulate(const struct options *options, const struct forecast *forecast)
{
    struct simulation *simulation = NULL;
    int error = simulation_new(&simulation, forecast->plans, forecast->n_groups,
                               forecast->n_addresses, SEED);

    for (size_t i = 0; error == 0 && i < forecast->n_domains; i++)
        error = simulation_add(simulation, forecast->domains[i].group,
                               forecast->domains[i].n_recipients, 1);
    if (error == 0) {
        simulation_run(simulation, most_ms);
        print_forecast(options, simulation);
    } else {
        print_complaint("no memory for a list of this length");
    }
    simulation_free(simulation);
    return error < 0 ? EX_OSERR : EX_OK;
}

int test_shaping(struct options *options)
{
    const char *plan = option(options, "plan");
    struct forecast *forecast = calloc(1, sizeof(*forecast));
    int status = EX_USAGE;

    if (forecast)
        forecast->domains = calloc(MOST_DOMAINS, sizeof(*forecast->domains));
    if (!forecast || !forecast->domains || secret_start() < 0)
        status = EX_OSERR;
    else if (!plan)
        print_complaint("test shaping wants --plan FILE: lines of DOMAIN RECIPIENTS [PROVIDER]");
    else if (read_numbers(forecast, options))
        status = read_settings(forecast, option(options, "config"));
    if (status == EX_OK)
        status = read_plan(forecast, plan);
    if (status == EX_OK)
        status = simulate(options, forecast);
    if (forecast) {
        receiver_book_unref(forecast->book);
        free(forecast->domains);
    }
    free(forecast);
    return status;
}
