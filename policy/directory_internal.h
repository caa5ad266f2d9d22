/* A snapshot and what finds things in it.  Inside policy/ only: directory.c looks up,
 * directory_load.c builds.  Thread: any, once built. */
#pragma once

#include <stdatomic.h>

#include "policy/credential.h"
#include "relay/base/arena.h"

struct db;

struct full_directory {
    struct directory shown; /* first: what others see */
    atomic_uint n_references;
    struct arena arena; /* everything but the network table */
    struct networks *network_table;
    uint32_t *by_name; /* hash table of indexes + 1 into users; by_name_mask + 1 places */
    uint32_t by_name_mask;
    uint32_t *by_id; /* indexes into users, in order of id */
};

/* Reads all of staffetta.db; 0 or -errno.  The reference is the caller's. */
MUST_USE int directory_load(struct directory **out, struct db *db, uint64_t version);

/* Builds the tables above from shown; 0 or -ENOMEM. */
MUST_USE int directory_index(struct full_directory *full);
