/* A store over a folder of keys of its own, under /tmp.  Thread: the test's. */
#pragma once

#include <stdio.h>

#include "signer/key_store.h"
#include "test/support/test_support.h"

static char folder[64];
static struct key_store *store;

static inline void open_store(void)
{
    int dir_fd;

    assert_int_equal(key_store_open_folder(&dir_fd, folder, NULL), 0);
    assert_int_equal(key_store_open(&store, dir_fd), 0);
}

static inline int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/staffetta-keys-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(rmdir(folder), 0); /* the store makes it */
    open_store();
    return 0;
}

static inline int tear_down(void **state)
{
    char command[128];

    (void)state;
    store = key_store_close(store);
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

static inline struct key_name named(const char *domain, const char *selector)
{
    struct key_name name;
    char why[KEY_WHY_SIZE];

    assert_true(key_name_set(&name, slice_of(domain), slice_of(selector), why));
    return name;
}
