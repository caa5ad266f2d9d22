/* A registry under test, and a subscriber that keeps its newest snapshot. */
#pragma once

#include "test/unit/policy/asking.h"

static struct watcher {
    struct directory_subscriber subscriber;
    struct directory *newest;
    int n_received;
} watcher;

static inline void receive(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct watcher *self = (struct watcher *)(void *)subscriber;

    if (self->newest)
        assert_true(directory->version > self->newest->version);
    directory_unref(self->newest);
    self->newest = directory;
    self->n_received++;
}

static inline void open_registry(void)
{
    assert_int_equal(registry_open(&registry, folder), 0);
    watcher = (struct watcher){
        .subscriber = {.mailbox = home, .receive = receive}
    };
    registry_subscribe(registry, &watcher.subscriber);
    assert_int_equal(registry_start(registry), 0);
}

static inline void close_registry(void)
{
    registry = registry_stop(registry);
    mailbox_run(home);
    directory_unref(watcher.newest);
    watcher.newest = NULL;
}

static inline int set_up(void **state)
{
    (void)state;
    make_folder();
    assert_int_equal(mailbox_new(&home, 16), 0);
    open_registry();
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    close_registry();
    home = mailbox_free(home);
    remove_folder();
    return 0;
}

static inline const struct user *user(const char *name)
{
    return directory_user(watcher.newest, slice_of(name));
}
