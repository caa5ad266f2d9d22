/* All jobs (jobs.h), as the panel thread holds them. */
#pragma once

#include <stdint.h>

#include "relay/base/list.h"

struct webui;

struct jobs {
    struct webui *webui;
    struct list jobs; /* the oldest first */
    unsigned n_jobs;
    uint64_t next_number;
};
