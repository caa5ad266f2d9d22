/* Tests of the way to an address (relay/schedule/path.h) as jobs: begun by an operator, each step
 * kept and told to who listens to jobs.  One at a time of an administrator.
 * Thread: the panel's. */
#pragma once

#include <stdint.h>

#include "relay/base/list.h"
#include "relay/schedule/path.h"

struct exchange;
struct webui;
typedef struct json_t json_t;

enum {
    PATHS_KEPT = 16,
    PATHS_AT_ONCE = 4,
    PATHS_MOST_STEPS = 1000,
    PATHS_AN_HOUR = 60, /* over TCP: each is a connection in our name to whom they like */
    PATHS_AN_HOUR_OF_ONE = 30,
};

struct path_start {
    int64_t ms;   /* monotonic */
    char by[256]; /* an administrator: a token's is its maker's */
};

struct path_jobs {
    struct webui *webui;
    struct list jobs; /* the oldest first */
    unsigned n_jobs;
    struct path_start starts[PATHS_AN_HOUR]; /* a ring */
    unsigned n_started;
};

struct path_job {
    struct list link;
    struct webui *webui;
    uint64_t number; /* of the jobs' numbers */
    struct delivery_path request;
    char by[256];
    int64_t started_utc_ms;
    enum path_verdict worst;
    bool is_over, is_cut; /* cut: its last step says that it was cancelled */
    json_t *steps;
};

void path_jobs_init(struct path_jobs *jobs, struct webui *webui);
void path_jobs_fini(struct path_jobs *jobs);
void path_jobs_stop(struct path_jobs *jobs); /* those under way end soon */

struct path_job *path_jobs_find(const struct path_jobs *jobs, uint64_t number);
bool path_job_cancel(struct path_job *job); /* false: it is over */
/* Whether who asks may hear of them: who could begin one. */
bool path_jobs_are_for(const struct exchange *exchange);
json_t *path_job_json(const struct path_job *job);
