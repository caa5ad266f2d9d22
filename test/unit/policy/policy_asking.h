/* The policy thread under test, with a registry behind it. */
#pragma once

#include "test/unit/policy/asking.h"

#include "policy/policy.h"
#include "policy/registry_internal.h"
#include "policy/worker_pool.h"

static struct policy *policy;

static inline void start_policy(const struct policy_settings *settings)
{
    make_folder();
    assert_int_equal(mailbox_new(&home, 16), 0);
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(policy_start(&policy, settings, registry), 0);
    assert_int_equal(registry_start(registry), 0);
}

/* The policy over a registry whose turns the test takes. */
static inline void open_policy_alone(const struct policy_settings *settings)
{
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(policy_start(&policy, settings, registry), 0);
    thread_own(&registry->owner);
}

/* What is left to store is stored by a settings thread of its own, as when a service ends. */
static inline void close_policy_alone(void)
{
    assert_int_equal(registry_start(registry), 0);
    policy = policy_stop(policy);
    registry = registry_stop(registry);
    mailbox_run(home);
}

static inline int tear_down_policy(void **state)
{
    (void)state;
    close_policy_alone();
    home = mailbox_free(home);
    remove_folder();
    return 0;
}

static inline void stop_policy(void)
{
    policy = policy_stop(policy);
    registry = registry_stop(registry);
    mailbox_run(home);
    home = mailbox_free(home);
    remove_folder();
}
