/* For the tests of the settings and policy threads: a folder of their own, and a mailbox in which
 * the test waits for its answers. */
#pragma once

#include "test/support/test_support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/registry_domains.h"
#include "policy/registry_suppressions.h"
#include "policy/registry_users.h"
#include "relay/base/list.h"
#include "relay/base/secret.h"

static struct mailbox *home;
static char folder[64];
static struct registry *registry;
static bool is_answered;

static inline void make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/staffetta-policy-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static inline int remove_entry(const char *path, const struct stat *status, int kind,
                               struct FTW *position)
{
    (void)status, (void)kind, (void)position;
    return remove(path);
}

static inline void remove_folder(void)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Runs what comes home until the flag is set; fails after ten seconds without anything. */
static inline void wait_until(const bool *flag)
{
    while (!*flag) {
        if (!mailbox_wait(home, 10000))
            fail_msg("no answer");
        mailbox_run(home);
    }
}

static inline void registry_answered(struct registry_request *request)
{
    (void)request;
    is_answered = true;
}

static inline void prepare_request(struct registry_request *request)
{
    request->answer_to = home;
    request->done = registry_answered;
    request->by = SLICE_LITERAL("test");
    is_answered = false;
}

/* ASK(registry_user_add, &request): posts, waits, is the result. */
#define ASK(verb, asked)                                                                           \
    ({                                                                                             \
        prepare_request(&(asked)->request);                                                        \
        assert_true(verb(registry, (asked)));                                                      \
        wait_until(&is_answered);                                                                  \
        (asked)->request.result;                                                                   \
    })

#define GOOD_PASSWORD "correct horse battery"

static inline enum registry_result add_user(const char *name, const char *sender)
{
    struct slice senders[] = {slice_of(sender)};
    struct user_add_request request = {
        .name = slice_of(name),
        .password = {.source = PASSWORD_GIVEN, .text = SLICE_LITERAL(GOOD_PASSWORD)},
        .senders = senders,
        .n_senders = sender ? 1 : 0,
    };

    return ASK(registry_user_add, &request);
}
