/* The policy thread under test, with a registry behind it. */
#pragma once

#include "test/unit/policy/asking.h"

#include "policy/policy.h"
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

static inline void stop_policy(void)
{
    policy = policy_stop(policy);
    registry = registry_stop(registry);
    mailbox_run(home);
    home = mailbox_free(home);
    remove_folder();
}
